"""A deployed version on another runtime image: a revision, with pages, gates and a pull request of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from semver import Version
from slipway.adapters import git, onnx_session, watched
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.platforms import Platforms
from slipway.cli.rebase import rebased
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.rebased import Rebased
from slipway.domain.release import Image, Proposal, Rehearsal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile, BadTag, NoRuntimeImage, NotReleasable
from slipway.steps import build_image, check_manifests, rebase, resolve_tag, status

from tests.team import ENVIRONMENT, MODEL, Team, copy_of
from tests.unit.adapters.described_images import bill_of, described

V1, R2, R3 = ReleaseTag(MODEL, Version(1)), ReleaseTag(MODEL, Version(1), 2), ReleaseTag(MODEL, Version(1), 3)


def change_runtime(team: Team, name: str) -> None:
    """The runtime image of the engine `process` is made of the server's code."""
    team.write(f"serving/{name}.py", '"""Mend the server."""\n')
    team.commit(f"Mend the server: {name}")


def rebase_of(team: Team, *, onto: str | None = None) -> Rebased:
    """As the command does it."""
    place = team.workplace
    found = rebase.plan(MODEL, environment=ENVIRONMENT, onto=onto, workplace=place)
    return rebased(found, place)


def merge(team: Team, done: Rebased) -> None:
    assert done.pull is not None
    team.workplace.forge.merge_pull(done.pull)


@pytest.fixture(scope="session")
def _rebased(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> tuple[Team, Rebased]:
    team = copy_of(_live, tmp_path_factory.mktemp("rebased"))
    change_runtime(team, "first")
    return team, rebase_of(team)


@pytest.fixture
def revised(_rebased: tuple[Team, Rebased], tmp_path: Path) -> tuple[Team, Rebased]:
    """v1.0.0 is live, and its second revision is proposed."""
    team, done = _rebased
    return copy_of(team, tmp_path), done


def test_the_model_stays_and_the_runtime_changes(revised: tuple[Team, Rebased]) -> None:
    """One layer of two images: nothing of the model was built again, and no tag was moved."""
    team, done = revised
    before, after = (team.history.page(tag, Image).body for tag in (V1, R2))  # type: ignore[union-attr]

    assert (done.of, done.revision, done.verdict) == ("v1.0.0", "v1.0.0_r2", Verdict.PASS)
    assert (after.layer_digest, after.layer_size) == (before.layer_digest, before.layer_size)
    assert after.runtime_digest != before.runtime_digest
    images = team.workplace.registry.repository(MODEL)
    assert images.manifest("v1.0.0").digest == before.digest
    assert images.manifest("v1.0.0_r2").digest == after.digest
    first, second = (Platforms.read(images, tag).images[0].config for tag in ("v1.0.0", "v1.0.0_r2"))
    assert first["created"] == second["created"]
    assert second["config"]["Labels"]["org.opencontainers.image.base.digest"] == after.runtime_digest
    assert second["config"]["Labels"]["org.opencontainers.image.version"] == "1.0.0_r2"


def test_it_is_measured_and_judged_for_itself(revised: tuple[Team, Rebased]) -> None:
    """The pages of the version say nothing about another onnxruntime, and are not written to."""
    team, _ = revised
    evidence, verdicts = team.history.page(R2, Evidence), team.history.page(R2, Verdicts)
    identity = team.history.page(R2, Identity)

    assert evidence is not None and verdicts is not None and identity is not None
    assert evidence.body.rebase is not None
    assert (evidence.body.rebase.rows, evidence.body.rebase.unlike_rows) == (50, 0)
    assert evidence.body.rebase.metrics_moved["f1"] == 0.0
    assert "Same answers on the new runtime" in [one.title for one in verdicts.body.findings]
    assert (identity.body.tag, identity.body.version) == ("tip@v1.0.0", "v1.0.0_r2")
    assert len(team.history.pages(V1, Evidence)) == 1


def test_run_again_it_is_the_same_revision_and_the_same_request(revised: tuple[Team, Rebased]) -> None:
    """A run that was killed is run again; here, and where nothing but the ledger knows of it."""
    team, done = revised
    pages = team.workplace.ledger.pages()

    assert rebase_of(team) == done
    assert team.workplace.ledger.pages() == pages
    team.record("tip@v1.0.0_r2").folder.rename(team.root / "lost")
    assert rebase_of(team) == done


def test_merged_it_is_a_version_like_any_other(revised: tuple[Team, Rebased]) -> None:
    """Checks of manifests, the table of what runs, and a second rebase know it."""
    team, done = revised
    merge(team, done)
    team.commit("Look at what was merged")

    assert check_manifests.run(workplace=team.workplace).problems == ()
    assert status.run(workplace=team.workplace)[0].version == "v1.0.0_r2"
    found = rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert (found.of, found.revision) == (R2, None)


def test_another_runtime_is_another_revision(revised: tuple[Team, Rebased]) -> None:
    """Also of a revision; the model is still the one that was tagged."""
    team, done = revised
    merge(team, done)
    change_runtime(team, "second")
    again = rebase_of(team)

    assert (again.of, again.revision, again.verdict) == ("v1.0.0_r2", "v1.0.0_r3", Verdict.PASS)
    proposal = team.history.page(R3, Proposal)
    assert proposal is not None and proposal.body.replaces == "v1.0.0_r2"


def test_the_revision_is_no_git_tag(team: Team) -> None:
    """Whoever pushes one would release a model under the name of another runtime image."""
    team.tag("tip@v1.0.0_r2")

    with pytest.raises(BadTag, match="has no git tag of its own"):
        resolve_tag.run("tip@v1.0.0_r2", workplace=team.workplace)


def test_nothing_deployed_is_nothing_to_rebase(team: Team) -> None:
    """The first release stands on the newest runtime by itself."""
    with pytest.raises(NotReleasable, match="runs no version of tip"):
        rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)


def test_what_fails_on_the_new_runtime_is_not_proposed(live: Team) -> None:
    """It is recorded, and goes on under the same name once the policy is what people want."""
    change_runtime(live, "first")
    live.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.999")
    live.commit("Ask for more")

    refused = rebase_of(live)

    assert (refused.revision, refused.verdict, refused.digest, refused.pull) == ("v1.0.0_r2", Verdict.FAIL, None, None)
    assert not live.workplace.forge.open_pulls()
    assert not live.history.passed(R2)
    live.edit("policies/metrics.yaml", "floor: 0.999", "floor: 0.75")
    live.commit("Ask for what it was")
    assert (rebase_of(live).revision, live.history.passed(R2)) == ("v1.0.0_r2", True)


def test_an_image_that_was_pushed_and_never_recorded_is_gone_on_with(live: Team) -> None:
    """The run was killed after the push, on a runner that is gone; its tag is taken, by the very same image."""
    ledger = live.workplace.forge.head("ledger")
    assert ledger is not None
    change_runtime(live, "first")
    done = rebase_of(live)
    forget(live, ledger)

    assert rebase_of(live).digest == done.digest
    forget(live, ledger)
    change_runtime(live, "second")
    assert rebase_of(live).revision == "v1.0.0_r3"


def test_to_plan_and_to_fetch_writes_nothing_into_the_registry(live: Team) -> None:
    """The job of the workflow that does it may only read there."""
    before = runtime_tags(live)
    change_runtime(live, "first")
    found = rebase.plan(MODEL, environment=ENVIRONMENT, workplace=live.workplace)

    page = rebase.run(found, workplace=live.workplace)

    assert page.body.rebase is not None and page.body.rebase.runtime == found.runtime
    assert runtime_tags(live) == before
    assert rebased(found, live.workplace).verdict is Verdict.PASS
    assert runtime_tags(live) != before


def runtime_tags(team: Team) -> set[str]:
    """Runtime images of the registry, which is a folder."""
    index = json.loads((team.root / ".slipway" / "registry" / "runtime" / "index.json").read_bytes())
    return {one["digest"] for one in index["manifests"]}


def test_where_the_source_left_no_answers_they_are_taken_as_recorded(live: Team) -> None:
    """They lie in no image: a runner that begins with nothing has what was found when they could be asked."""
    recorded = live.history.page(V1, Evidence)
    shutil.rmtree(live.record("tip@v1.0.0").folder)
    change_runtime(live, "first")

    assert rebase_of(live).verdict is Verdict.PASS
    evidence = live.history.page(R2, Evidence)
    assert recorded is not None and evidence is not None
    assert evidence.body.fidelity == recorded.body.fidelity


def test_who_loads_the_model_has_nothing_of_our_environment(live: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token and the key that signs may lie there; the bytes of a model are anybody's."""
    monkeypatch.setenv("GITHUB_RUN_ID", "7")  # a page tells its run, where the variable is seen
    change_runtime(live, "first")
    rebase_of(live)

    seen = {kind.kind: live.history.page(R2, kind) for kind in (Identity, Evidence, Rehearsal, Verdicts, Image)}
    runs = {name: page.circumstances.run_url is not None for name, page in seen.items() if page is not None}
    apart = dict.fromkeys(("evidence", "rehearsal", "verdicts"), False)
    assert runs == {"identity": True, "image": True, **apart}


def test_what_a_step_refuses_there_is_told_here(live: Team) -> None:
    """In its own words, and with its mend: that it was met in another process helps nobody."""
    live.write("tests/models/tip/behaviour.py", "import os\n\n\ndef test_ends(ask):\n    os._exit(3)\n")
    live.commit("Ask something")
    change_runtime(live, "first")

    with pytest.raises(BadFile, match=r"the functions in behaviour\*\.py came to no end"):
        rebase_of(live)
    assert not live.history.pages(R2, Identity)


def test_its_image_stands_on_what_its_page_names(revised: tuple[Team, Rebased]) -> None:
    """Between two jobs, or before a second attempt, slipway.yaml may come to name another runtime image."""
    team, done = revised
    change_runtime(team, "second")

    image = build_image.run(team.record("tip@v1.0.0_r2"), workplace=team.workplace).body

    assert image.digest == done.digest
    assert image.runtime_digest == done.runtime


def forget(team: Team, ledger: str) -> None:
    """All that is left of a rebase is its image."""
    git.run("update-ref", "refs/heads/ledger", ledger, cwd=team.bare)
    shutil.rmtree(team.record("tip@v1.0.0_r2").folder)


def test_the_watch_looks_past_revisions_to_the_version_before(newer: Team) -> None:
    """Another revision answers alike: to go back to it would mend nothing that a metric shows."""
    change_runtime(newer, "first")
    merge(newer, rebase_of(newer))
    revision = ReleaseTag.parse("tip@v1.1.0_r2")

    assert newer.history.page(revision, Proposal).body.replaces == "v1.1.0"  # type: ignore[union-attr]
    assert watched.back_to(revision, ENVIRONMENT, newer.workplace) == V1


def test_another_runtime_than_that_of_the_settings_is_named_by_its_digest(revised: tuple[Team, Rebased]) -> None:
    """A team tries the next image with one model before all releases stand on it."""
    team, done = revised
    merge(team, done)
    old = team.history.page(V1, Image)
    assert old is not None
    again = rebase_of(team, onto=old.body.runtime_digest)

    image = team.history.page(R3, Image)
    assert (again.revision, again.verdict) == ("v1.0.0_r3", Verdict.PASS)
    assert image is not None and image.body.runtime_digest == old.body.runtime_digest


def test_a_runtime_that_no_registry_holds_is_named(live: Team) -> None:
    """A digest is long, and easily of another image."""
    unknown = "sha256:" + "0" * 64

    with pytest.raises(NoRuntimeImage, match=f"--onto: its registry does not hold layout:.*@{unknown}") as refused:
        rebase.plan(MODEL, environment=ENVIRONMENT, onto=unknown, workplace=live.workplace)
    assert "--onto" in refused.value.mend and "slipway.yaml" not in refused.value.problem


def test_a_tag_that_was_moved_gives_its_name_to_no_revision(live: Team) -> None:
    """The revision would say that it comes from a tag that names something else by now."""
    change_runtime(live, "first")
    live.tag("tip@v1.0.0", "Moved")

    with pytest.raises(NotReleasable, match="tag_object was"):
        rebase_of(live)
    assert not live.history.pages(R2, Identity)


def test_nobody_goes_back_from_a_version_to_its_own_revision(revised: tuple[Team, Rebased]) -> None:
    """The quarantine of what is left would hold the target as well."""
    team, _ = revised

    with pytest.raises(NotReleasable, match="on another runtime image"):
        team.go_back("v1.0.0_r2", reason="late", day="2026-06-01")


def test_what_is_measured_with_another_onnxruntime_than_the_images_is_refused(live: Team) -> None:
    """Nothing that is found here would say what the model answers there."""
    with pytest.raises(NotReleasable, match=r"has onnxruntime 0\.0\.1, and this machine measures with"):
        rebase_of(live, onto=write_runtime(live, onnxruntime="0.0.1"))
    assert not live.record("tip@v1.0.0_r2").contents()

    same = write_runtime(live, onnxruntime=onnx_session.version())
    assert rebase_of(live, onto=same).verdict is Verdict.PASS


def write_runtime(team: Team, *, onnxruntime: str) -> str:
    """The digest of a runtime image that lists its packages."""
    registry = team.workplace.registry
    write_base_image(registry, "runtime", "plain", {"server": b"of another kind"}, "linux/amd64")
    bill = bill_of({"pypi/onnxruntime": onnxruntime})
    return described(registry.repository("runtime"), "plain", bill=bill, tag=f"with-{onnxruntime}")


def test_other_answers_than_those_of_the_release_are_refused(live: Team) -> None:
    """As if the onnxruntime of the release had added up in another order: the file is the same, the model is not."""
    record = live.record("tip@v1.0.0")
    page = record.page(Evidence, written_by="measure-consistency")
    golden = page.body.golden
    first, *rest = golden.outputs["score"]
    assert isinstance(first, float)
    otherwise = golden.model_copy(update={"outputs": {"score": [first + 0.001, *rest]}})
    reads = {**page.reads, "measured with": "another onnxruntime"}
    record.once(Evidence, reads=reads, make=lambda: page.body.model_copy(update={"golden": otherwise}))
    live.record_pages("tip@v1.0.0")
    change_runtime(live, "first")

    assert rebase_of(live).verdict is Verdict.FAIL
    verdicts = live.history.page(R2, Verdicts)
    assert verdicts is not None
    failed = [one for one in verdicts.body.findings if one.title == "Same answers on the new runtime"]
    assert [(one.verdict, one.measured.split(" on ")[0]) for one in failed] == [(Verdict.FAIL, "max 1.0e-03")]
