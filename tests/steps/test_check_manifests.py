"""What is merged is what was judged: the last look before a manifest counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from slipway.adapters import deploy_tree, git
from slipway.domain.settings import RolloutEngine
from slipway.steps import check_manifests

from tests.team import ENVIRONMENT, MODEL, Team, Tip

MANIFEST = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
OTHER_DIGEST = "sha256:" + "0" * 64


def problems(team: Team) -> list[str]:
    return [f"{one.path}: {one.problem}" for one in check_manifests.run(workplace=team.workplace).problems]


def pulled(team: Team, branch: str = "main") -> Team:
    """The working tree as it is on a branch of the forge."""
    git.run("fetch", "--quiet", "origin", cwd=team.root)
    git.run("checkout", "--quiet", "--detach", f"origin/{branch}", cwd=team.root)
    return team


def test_what_was_released_and_merged_is_in_order(live: Team) -> None:
    """A check that is always red would soon be ignored."""
    report = check_manifests.run(workplace=pulled(live).workplace)
    assert report.checked == 1
    assert report.problems == ()


def test_a_repository_that_deploys_nothing_is_in_order(team: Team) -> None:
    """The first pull request of a new repository must be mergeable."""
    assert check_manifests.run(workplace=team.workplace).checked == 0


def test_the_pull_request_of_a_release_is_in_order(live: Team) -> None:
    """It is the very thing that the check must let through."""
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    assert problems(pulled(live, proposal.body.branch)) == []


@pytest.mark.parametrize("engine", RolloutEngine)
def test_a_manifest_that_another_engine_wrote_is_told_by_one_of_a_cluster(engine: RolloutEngine, live: Team) -> None:
    """The engine was changed, and kustomize is content with a manifest of nothing: all would be pruned."""
    place = pulled(live).workplace
    switched = replace(place, settings=place.settings.model_copy(update={"rollout_engine": engine}))

    found = check_manifests.run(workplace=switched).problems

    assert [one.path for one in found] == [MANIFEST] * engine.is_cluster
    assert ["resources: [../../base]" in one.mend for one in found] == [True] * engine.is_cluster


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("digest: sha256:", f"digest: {OTHER_DIGEST} # ", f"{OTHER_DIGEST[:19]} is not the image of tip@v1.0.0"),
        ("newTag: v1.0.0", "newTag: v1.7.0", "tip@v1.7.0 is not in the ledger"),
        ("newTag: v1.0.0", "newTag: latest", "newTag `latest` is no version"),
        ("images:", "images: [", "line"),
    ],
    ids=["a hand-typed digest", "a version that was never released", "a moving tag", "no YAML"],
)
def test_what_no_release_proposed_is_refused(live: Team, before: str, after: str, problem: str) -> None:
    """Anybody can edit a manifest; only what was judged may run."""
    pulled(live).edit(MANIFEST, before, after)
    (found,) = problems(live)
    assert found.startswith(MANIFEST)
    assert problem in found


def test_a_version_that_failed_is_refused(live: Team) -> None:
    """Its image does not exist, but a digest can be typed."""
    live.up_to_verdicts(live.publish("tip@v1.0.1", Tip(weight=0.05)))
    live.record_pages("tip@v1.0.1")
    pulled(live).edit(MANIFEST, "newTag: v1.0.0", "newTag: v1.0.1")
    assert any("tip@v1.0.1 failed" in problem for problem in problems(live))


def test_a_version_in_quarantine_is_refused(live: Team) -> None:
    """The entry may come with the very pull request that would deploy it."""
    entry = f"entries:\n  - {{model: {MODEL}, version: v1.0.0, reason: it hurts, by: grace}}\n"
    pulled(live).write(deploy_tree.QUARANTINE, entry)
    assert any("quarantined by grace: it hurts" in problem for problem in problems(live))


def test_a_verdict_against_something_else_is_stale(live: Team) -> None:
    """Between its release and its merge, another version went live: what was compared is no longer what runs."""
    first = live.release(live.publish("tip@v1.2.0", Tip(weight=0.0202)))
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    (found,) = problems(pulled(live, first.body.branch))
    assert "tip@v1.2.0 was compared with v1.0.0; deployed is v1.1.0" in found


def test_an_environment_that_nobody_declared_is_refused(live: Team) -> None:
    """A folder with a misspelt name deploys nowhere, and nobody notices."""
    text = (pulled(live).root / MANIFEST).read_text()
    live.write(MANIFEST.replace(ENVIRONMENT, "produktion"), text)
    assert any("`produktion` is no environment of slipway.yaml" in problem for problem in problems(live))
