"""The checked-out repository of a team."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.repository import Repository, parse_policies
from slipway.errors import BadFile, UnknownModel

from tests.team import Team, new_team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return new_team(tmp_path)


def test_it_is_found_from_any_folder_inside(team: Team) -> None:
    """People type commands where they are."""
    assert Repository.around(team.root / "models" / "tip" / "source").root == team.root.resolve()


def test_outside_of_one_the_mend_says_how_to_get_in(tmp_path: Path) -> None:
    """The first thing that a newcomer does wrong."""
    (tmp_path / "elsewhere").mkdir()

    with pytest.raises(BadFile) as caught:
        Repository.around(tmp_path / "elsewhere")

    assert caught.value.problem.endswith("lies in no Slipway repository: no folder above it holds slipway.yaml")
    assert caught.value.mend == "change into the repository, or make one: see docs/generate.md"


def test_an_undeclared_model_is_told_with_the_declared_ones(team: Team) -> None:
    """Most often it is a typing error."""
    with pytest.raises(UnknownModel) as caught:
        Repository(team.root).model("tipp")

    assert caught.value.problem == "models/tipp/model.yaml does not exist; declared models: tip"
    assert caught.value.mend == "slipway new-model tipp, or correct the name"


def test_a_model_that_is_called_otherwise_than_its_folder_is_refused(team: Team) -> None:
    """Its tags would name the one and its files lie in the other."""
    team.edit("models/tip/model.yaml", "name: tip\n", "name: top\n")

    with pytest.raises(BadFile, match="name: `top` is not the folder's name, `tip`"):
        Repository(team.root).model("tip")


def test_every_policy_is_read_and_an_edit_has_another_digest(team: Team) -> None:
    """A comment too: whoever edits a policy sees verdicts of that edit."""
    repository = Repository(team.root)
    before = repository.policies_digest()
    assert repository.policies().metrics.limit_for("tip").f1.floor == 0.75

    team.write("policies/drift.yaml", (team.root / "policies/drift.yaml").read_text() + "# looked at it\n")

    assert repository.policies_digest() != before
    assert repository.policies_digest() == Repository(team.root).policies_digest()


def test_a_threshold_on_two_probabilities_is_refused(team: Team) -> None:
    """The first of the two is that of no: every decision would be turned around."""
    team.edit(
        "models/tip/model.yaml",
        "outputs:\n  - {name: score, dtype: float32,",
        "outputs:\n  - {name: score, dtype: float32, shape: [2],",
    )

    with pytest.raises(BadFile, match="`score` has 2 numbers a row"):
        Repository(team.root).model("tip")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("floor: 0.75", "flor: 0.75", "did you mean `floor`?"),
        ("floor: 0.75", "floor: .nan", "limit.f1.floor"),
        ("floor: 0.75", "floor: 75", "limit.f1.floor"),
    ],
)
def test_a_policy_that_limits_nothing_by_mistake_is_refused(team: Team, before: str, after: str, says: str) -> None:
    """With file, line and the nearest valid key."""
    team.edit("policies/metrics.yaml", before, after)

    with pytest.raises(BadFile) as caught:
        Repository(team.root).policies()

    assert "policies/metrics.yaml, line " in caught.value.problem
    assert says in str(caught.value)


def test_a_policy_that_is_taken_out_of_the_checkout_is_missed(team: Team) -> None:
    """No file must not pass for no limit."""
    (team.root / "policies" / "behaviour.yaml").unlink()

    with pytest.raises(BadFile, match=r"behaviour\.yaml"):
        Repository(team.root).policies()


def test_a_policy_that_the_first_template_did_not_have_is_known_by_its_defaults_elsewhere(team: Team) -> None:
    """An update of the template brings policy and code together, and is compared with a branch that lacks both."""

    def content_of(name: str) -> bytes | None:
        return None if name == "behaviour.yaml" else (team.root / "policies" / name).read_bytes()

    assert parse_policies(content_of, where="main:policies").behaviour.limit_for("tip").asked == ""
    with pytest.raises(BadFile, match=r"main:policies has no drift\.yaml"):
        parse_policies(lambda name: None if name == "drift.yaml" else content_of(name), where="main:policies")
