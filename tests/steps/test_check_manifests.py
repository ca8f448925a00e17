"""What is merged is what was judged: the last look before a manifest counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from slipway.adapters import deploy_tree, git, manifests
from slipway.domain.release import Image
from slipway.domain.settings import RolloutEngine
from slipway.steps import check_manifests

from tests.team import ENVIRONMENT, MODEL, ROOT, Team, Tip

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


FREEZE = "{reason: the holidays, start: 2026-12-18T16:00+01:00, end: 2027-01-04T08:00+01:00, environments: [%s]}"
IN_IT, AFTER_IT = datetime(2026, 12, 24, 18, tzinfo=UTC), datetime(2027, 1, 4, 7, tzinfo=UTC)


def frozen(team: Team, *, environment: str = ENVIRONMENT) -> Team:
    """The default branch holds the freeze, and no branch of before it."""
    name, forge = "policies/rollout.yaml", team.workplace.forge
    text = (ROOT / name).read_text().replace("  freezes: []", f"  freezes: [{FREEZE % environment}]")
    forge.commit("main", onto=forge.head("main"), changes={name: text.encode()}, message="Freeze")
    return team


def said(team: Team, moment: datetime) -> list[str]:
    report = check_manifests.run(workplace=team.workplace, moment=moment)
    return [f"{one.path}: {one.problem}" for one in report.problems]


def test_a_pull_request_that_was_open_when_a_freeze_began_is_held_until_it_ends(live: Team) -> None:
    """Nobody is there in the holidays; a button that can still be pressed will be."""
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    frozen(pulled(live, proposal.body.branch))

    (found,) = check_manifests.run(workplace=live.workplace, moment=IN_IT).problems
    assert found.problem == "production is frozen: the holidays, until 2027-01-04 07:00 UTC"
    assert "Re-run jobs" in found.mend

    assert said(live, AFTER_IT) == []


def test_a_freeze_of_another_environment_holds_nothing_here(live: Team) -> None:
    """Development goes on while production rests."""
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    assert said(frozen(pulled(live, proposal.body.branch), environment="staging"), IN_IT) == []


def test_a_first_version_is_held_as_any_other(team: Team) -> None:
    """Nothing runs there yet, and nobody would see how it does."""
    proposal = team.release(team.publish("tip@v1.0.0", Tip()))
    assert len(said(frozen(pulled(team, proposal.body.branch)), IN_IT)) == 1


def test_no_freeze_stands_in_the_way_back(newer: Team) -> None:
    """An emergency keeps no office hours; and what is merged already is no proposal."""
    assert said(frozen(pulled(newer)), IN_IT) == []

    before = newer.record("tip@v1.0.0").page(Image, written_by="build-image").body.digest
    now = newer.record("tip@v1.1.0").page(Image, written_by="build-image").body.digest
    newer.edit(MANIFEST, now, before)
    newer.edit(MANIFEST, "newTag: v1.1.0", "newTag: v1.0.0")

    assert said(newer, IN_IT) == []


def test_a_pull_request_ends_no_freeze_for_itself(live: Team) -> None:
    """Who wants to merge today must not be the one who decides that today is no holiday."""
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    frozen(pulled(live, proposal.body.branch))
    live.write("policies/rollout.yaml", (ROOT / "policies/rollout.yaml").read_text())

    assert len(said(live, IN_IT)) == 1


def test_a_canary_is_held_as_what_gets_all_of_the_traffic_and_its_end_is_not(newer: Team) -> None:
    """A quarter of the users is users; and what is withdrawn hurts them already."""
    frozen(pulled(newer))
    path, withdrawn = newer.root / MANIFEST, (newer.root / MANIFEST).read_bytes()
    tried = {"new_name": "registry/tip", "tag": "v1.2.0", "digest": OTHER_DIGEST}
    path.write_bytes(manifests.set_canary(withdrawn, name=MODEL, **tried))
    assert any("production is frozen" in problem for problem in said(newer, IN_IT))

    forge = newer.workplace.forge
    forge.commit("main", onto=forge.head("main"), changes={MANIFEST: path.read_bytes()}, message="Merge the canary")
    assert not any("is frozen" in problem for problem in said(newer, IN_IT))
    path.write_bytes(withdrawn)
    assert said(newer, IN_IT) == []
