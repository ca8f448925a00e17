"""Which models a branch changes: it decides what a pull request's run looks at, and nobody looks at the rest."""

from __future__ import annotations

import shutil

import pytest
from slipway.adapters import git
from slipway.domain.proposed import ProposedChanges
from slipway.errors import BadFile, GitRefused
from slipway.steps import changed_models

from tests.team import MODEL, Team, Tip

NOTHING = ProposedChanges(models=(), removed=(), misnamed=(), policies=False)


def changes(team: Team) -> ProposedChanges:
    """What a branch with the working tree of now would change."""
    team.commit("Propose", push=False)
    return changed_models.run(base="origin/main", repository=team.workplace.repository)


def another_model(team: Team, name: str) -> None:
    shutil.copytree(team.folder, team.root / "models" / name)


def test_a_branch_that_changes_something_else_changes_no_model(team: Team) -> None:
    """Most pull requests do; they must cost nothing."""
    team.write("README.md", "# Waiters")
    team.write("models/README.md", "# Models")
    team.write("policies/README.md", "# Policies")
    team.write("policies/schemas/metrics.json", "{}")
    team.write("models/ideas/notes.md", "not declared, so it is no model yet")
    team.write("elsewhere/models/tip/model.yaml", "name: tip")

    assert changes(team) == NOTHING


def test_a_changed_and_a_new_model_are_checked(team: Team) -> None:
    """In the order of their names, whatever file it is that changed."""
    another_model(team, "bill")
    team.write(f"models/{MODEL}/source/deep/down/weights.bin", "1")

    assert changes(team) == NOTHING.model_copy(update={"models": ("bill", MODEL)})


def test_what_others_merged_meanwhile_is_not_checked(team: Team) -> None:
    """A branch that is a week old would be told of everybody's models."""
    other = team.clone("other")
    other.write_model(Tip(weight=0.03))
    other.commit("Theirs")
    git.fetch(team.root)
    team.write("README.md", "# Mine")

    assert changes(team) == NOTHING


def test_a_removed_model_is_told_and_not_checked(team: Team) -> None:
    """There is nothing left to convert; what runs of it goes with its manifest."""
    shutil.rmtree(team.folder)

    assert changes(team) == NOTHING.model_copy(update={"removed": (MODEL,)})


def test_a_renamed_model_is_one_removed_and_one_to_check(team: Team) -> None:
    """Git would tell of a rename, and of the new name alone."""
    team.folder.rename(team.folder.with_name("gratuity"))

    assert changes(team) == NOTHING.model_copy(update={"models": ("gratuity",), "removed": (MODEL,)})


@pytest.mark.parametrize("name", ["Tip", "tip_2", "$(touch pwned)", "tip\n::error::no", "-tip", "--help", "é"])
def test_a_folder_that_no_release_can_be_called_after_is_refused_and_stops_no_other(team: Team, name: str) -> None:
    """Its name would become that of an artifact, and an argument of a command."""
    another_model(team, "bill")
    another_model(team, name)

    found = changes(team)

    assert (found.models, found.misnamed) == (("bill",), (name,))
    with pytest.raises(BadFile, match="lower-case letters, digits and single dashes"):
        changed_models.refuse_misnamed(found)


def test_good_names_are_not_refused(team: Team) -> None:
    """Nor is a branch without any."""
    changed_models.refuse_misnamed(NOTHING)
    changed_models.refuse_misnamed(NOTHING.model_copy(update={"models": (MODEL,)}))


@pytest.mark.parametrize("path", ["policies/metrics.yaml", "policies/way-back.yaml", "slipway.yaml"])
def test_a_changed_policy_is_told(team: Team, path: str) -> None:
    """Also where the change is a waiver, or a comment: to find out which needs the judge."""
    team.write(path, (team.root / path).read_text() + "# stricter\n")

    assert changes(team) == NOTHING.model_copy(update={"policies": True})


def test_a_base_that_is_not_there_is_told_in_words(team: Team) -> None:
    """A shallow checkout has no other branch."""
    with pytest.raises(GitRefused, match="`origin/gone` is no commit"):
        changed_models.run(base="origin/gone", repository=team.workplace.repository)
