"""The first files of a model: there to be filled in, and never over what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.errors import BadTag, NotReleasable
from slipway.steps import new_model

from tests.team import Team


def test_a_new_model_has_what_has_to_be_filled_in(team: Team) -> None:
    """Everything that a release reads, at its place."""
    written = new_model.run("late-fee", repository=team.workplace.repository)

    names = sorted(str(path.relative_to(team.root)) for path in written)
    assert names == [
        "models/late-fee/README.md",
        "models/late-fee/model.yaml",
        "models/late-fee/samples/.gitkeep",
        "models/late-fee/source/.gitkeep",
    ]
    assert all(path.is_file() for path in written)
    assert "late-fee" in (team.root / "models/late-fee/model.yaml").read_text()


def test_others_may_read_what_was_written(team: Team) -> None:
    """A file for its author alone breaks the build of the next person."""
    for path in new_model.run("late-fee", repository=team.workplace.repository):
        assert path.stat().st_mode & 0o044 == 0o044


def test_a_plan_writes_nothing(team: Team) -> None:
    """`--dry-run` shows it."""
    planned = new_model.plan("late-fee", repository=team.workplace.repository)

    assert len(planned) == 4
    assert not (team.root / "models" / "late-fee").exists()


def test_a_model_that_is_there_is_left_alone(team: Team) -> None:
    """Somebody's work lies in it."""
    with pytest.raises(NotReleasable, match="is there already"):
        new_model.run("tip", repository=team.workplace.repository)


@pytest.mark.parametrize("name", ["Late", "late_fee", "a" * 64, "", "../elsewhere", "late-"])
def test_a_name_that_no_tag_can_hold_is_refused_at_once(team: Team, name: str) -> None:
    """Not months later, at the first release."""
    with pytest.raises(BadTag):
        new_model.run(name, repository=team.workplace.repository)

    assert not Path(team.root / "models" / "Late").exists()


@pytest.mark.parametrize("name", ["a" * 57, "3d-shapes"])
def test_a_name_of_which_a_cluster_makes_no_service_is_refused_where_one_is_asked(team: Team, name: str) -> None:
    """Else its first release would find out; where no cluster is, it is as good as any."""
    assert new_model.plan(name, repository=team.workplace.repository)
    team.edit("slipway.yaml", "layout:.slipway/registry", "ghcr.io/acme\nrollout_engine: kubernetes")

    with pytest.raises(BadTag, match=r"slipway.yaml: rollout_engine is kubernetes, and the Service would be called"):
        new_model.run(name, repository=team.workplace.repository)
    assert new_model.plan("a" * 56, repository=team.workplace.repository)
