"""Whole runs: what `watch --all` and `reconcile --start` do where there is nothing to do, or nobody to do it."""

from __future__ import annotations

from datetime import date

import pytest

from tests.team import Team, Tip, days_from
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("words", [[], ["tip", "--all"], ["--all", "--environment", "production"]])
def test_a_watch_is_of_one_model_or_of_all(run: Run, words: list[str]) -> None:
    """Two answers to "which?" are one too many."""
    said = run("watch", *words)

    assert said.code == 2
    assert "name a model, or say --all" in said.err


def test_a_watch_of_all_ends_with_the_worst_of_them(team: Team, run: Run) -> None:
    """What could not be looked at must not hide behind what is well."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    image = f"name: another, newTag: latest, digest: sha256:{'0' * 64}"
    team.write("deploy/production/another/kustomization.yaml", f"images: [{{{image}}}]\n")
    team.commit("Deploy by hand")

    said = run("watch", "--all", "--until", "2026-03-07")

    assert "deployed: another in production\ndeployed: tip in production" in said.out
    assert "deploy/production/another/kustomization.yaml" in said.err
    assert said.code in {2, 11}  # the manifest's, or a young version's lack of days
    assert "v1.0.0, 2026-03-01 to 2026-03-07" in said.out
    assert team.history.windows("tip", "production", version="v1.0.0") != ()


def test_a_folder_starts_no_workflow_and_says_what_does(team: Team, run: Run) -> None:
    """`reconcile` tells what is due on a laptop as well; there a person runs it."""
    team.publish("tip@v1.1.0", Tip(weight=0.0201))

    said = run("reconcile", "--start")

    assert said.code == 2
    assert "has no workflow `release.yml`" in said.err
    assert "mend: run it here: slipway release tip@v1.1.0" in said.err


def test_nothing_due_starts_nothing(run: Run) -> None:
    """Most nights."""
    said = run("reconcile", "--start")
    assert said.code == 0
    assert "due: " not in said.out
