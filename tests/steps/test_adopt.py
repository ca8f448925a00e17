"""A team that comes with models that run already must not be asked to train, tag or deploy anything again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import onnx
import pytest
from slipway.adapters import git, manifests
from slipway.adapters.adopted import Adoption, manifest_of
from slipway.adapters.dry_run import dry
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.ledger import BRANCH
from slipway.adapters.registry.base_image import write_base_image
from slipway.domain.baseline import Baseline
from slipway.domain.identity import Identity
from slipway.domain.incident import Reversion
from slipway.domain.pages import Page
from slipway.domain.release import Rollout
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import ConversionFailed, ModelRefused, NotReleasable, SlipwayError, UnknownModel
from slipway.steps import (
    adopt,
    check_manifests,
    export_watch,
    measure_drift,
    reconcile,
    record_pages,
    rehearse_rollback,
    rejudge,
    resolve_tag,
    revert_manifest,
    status,
)

from tests.team import ENVIRONMENT, MODEL, ROOT, TODAY, Team, Tip

_OPAQUE = f"sha256:{'7' * 64}"
_RUNS = Tip()
_NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def old(team: Team) -> Team:
    """Its repository has what converts ONNX files, and the history that made nobody release anything by Slipway."""
    shutil.copy(ROOT / "requirements" / "onnx.txt", team.root / "requirements" / "onnx.txt")
    team.commit("Convert ONNX files, too")
    return team


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What runs today, as another tool wrote it: not in the canonical form."""
    path = tmp_path / "elsewhere" / "model.onnx"
    path.parent.mkdir()
    model = onnx.load_model_from_string(_RUNS.onnx())
    model.producer_name = "somebody else"
    onnx.save_model(model, path)
    return path


def adopted_by(
    team: Team, *, version: str = "v1.2.3", environment: str = ENVIRONMENT, **what: object
) -> Page[Baseline]:
    asked = Adoption(ReleaseTag.parse(f"{MODEL}@{version}"), environment, by="Ada", now=_NOW, **what)  # type: ignore[arg-type]
    page = adopt.run(asked, workplace=team.workplace)
    record_pages.run_on_baseline(page, ledger=team.workplace.ledger)
    return page


def _ledger(team: Team) -> Mapping[str, str]:
    forge = LocalForge(team.bare)
    head = forge.head(BRANCH)
    return {} if head is None else forge.list_files(head)


def _manifest(team: Team) -> manifests.Deployed | None:
    return manifests.deployed((team.root / f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml").read_bytes(), name=MODEL)


def _old_tags(team: Team, *, count: int) -> None:
    """As GTO and plain version numbers leave them, each pair on a commit of its own."""
    for number in range(count // 2):
        git.run("commit", "--quiet", "--allow-empty", "--message", f"Train {number}", cwd=team.root)
        git.run("tag", "--annotate", "--message", "Old", f"{MODEL}@v1.{number}.0", cwd=team.root)
        git.run("tag", "--annotate", "--message", "Old", f"v1.{number}.0", cwd=team.root)
    git.run("push", "--quiet", "origin", "HEAD:main", cwd=team.root)
    git.run("push", "--quiet", "--tags", "origin", cwd=team.root)


def test_a_file_becomes_what_the_next_release_is_compared_with(old: Team, file: Path) -> None:
    """Else the first release of a model that has users could break every one of them, and be told to be the first."""
    page = adopted_by(old, onnx=file)
    old.commit("Say what runs")

    assert page.body.onnx is not None
    assert (page.body.note, page.body.by, page.body.version) == ("", "Ada", "v1.2.3")
    assert page.body.measured is not None and page.body.measured.golden.rows == 50
    verdicts = old.up_to_verdicts(old.publish("tip@v1.3.0", Tip(weight=0.0201)))
    identity = old.record("tip@v1.3.0").page(Identity, written_by="resolve-tag").body
    assert identity.compared is not None
    assert (identity.bump, identity.compared.version, identity.compared.problem) == ("minor", "v1.2.3", "")
    assert identity.compared.adopted
    assert verdicts.body.verdict is Verdict.PASS, verdicts.body.findings


def test_a_minor_that_breaks_the_promise_to_its_users_is_refused(old: Team, file: Path) -> None:
    """What ran before has users as well as what was released."""
    adopted_by(old, onnx=file)
    old.commit("Say what runs")

    verdicts = old.up_to_verdicts(old.publish("tip@v1.3.0", Tip(bias=0.1)))

    assert verdicts.body.verdict is Verdict.FAIL
    assert "promise" in {finding.gate for finding in verdicts.body.findings if finding.verdict is Verdict.FAIL}


def test_the_same_call_leaves_the_same_page(old: Team, file: Path) -> None:
    """Who does not know whether it went through asks again, here or from another laptop, before or after a commit."""
    first = adopted_by(old, onnx=file)
    written = (old.root / f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml").read_bytes()
    again = adopted_by(old, onnx=file)
    old.commit("Say what runs")
    shutil.rmtree(old.workplace.state / "releases")
    elsewhere = adopted_by(old, onnx=file)

    assert first.body == again.body == elsewhere.body
    assert [path for path in _ledger(old) if path.startswith(f"{MODEL}/")] == [f"{MODEL}/v1.2.3/baseline.1.json"]
    assert (old.root / f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml").read_bytes() == written


def test_the_same_call_after_a_release_leaves_its_manifest_and_puts_the_image_back(old: Team, file: Path) -> None:
    """A way back to what was adopted needs its image, and nothing else of Slipway's pushes it."""
    first = adopted_by(old, onnx=file)
    old.commit("Say what runs")
    old.release(old.publish("tip@v1.3.0", Tip(weight=0.0201)))
    old.go_live("tip@v1.3.0", on=date(2026, 3, 1))
    git.run("pull", "--quiet", "--rebase", "origin", "main", cwd=old.root)
    ledger, registry = _ledger(old), old.workplace.state / "registry" / MODEL
    shutil.rmtree(registry)
    with pytest.raises(NotReleasable, match=r"cannot be pulled") as refused:
        _back_to(old, "v1.2.3")
    assert "slipway adopt tip --environment production --version v1.2.3 --onnx FILE" in refused.value.mend

    again = adopted_by(old, onnx=file)

    assert again.body == first.body
    there = _manifest(old)
    assert there is not None
    assert (there.tag, _ledger(old), git.run("status", "--porcelain", "deploy", cwd=old.root)) == (
        "v1.3.0",
        ledger,
        b"",
    )
    assert _back_to(old, "v1.2.3").body.back_to_digest == first.body.image


def test_two_hundred_old_tags_are_left_alone_and_the_next_one_is_released(old: Team, file: Path) -> None:
    """A team that tagged its models for years must not see them all released, built and proposed overnight."""
    _old_tags(old, count=200)
    before = reconcile.run(today=TODAY, workplace=old.workplace)
    assert before.due, "else the tags were no temptation"

    adopted_by(old, onnx=file, version="v1.99.0")
    old.commit("Say what runs")
    found = reconcile.run(today=TODAY, workplace=old.workplace)

    assert (found.due, found.waiting, found.under_way, found.stuck, found.moved, found.deleted) == ((),) * 6
    assert list(_ledger(old)) == [f"{MODEL}/v1.99.0/baseline.1.json"]
    report = check_manifests.run(workplace=old.workplace)
    assert (report.checked, report.problems) == (1, ())
    with pytest.raises(NotReleasable, match="older than Slipway"):
        resolve_tag.run("tip@v1.50.0", workplace=old.workplace)

    tag = old.publish("tip@v1.100.0", Tip(weight=0.0201))
    assert reconcile.run(today=TODAY, workplace=old.workplace).due == (tag,)
    proposal = old.release(tag)
    assert (proposal.body.replaces, proposal.body.draft) == ("v1.99.0", False)
    assert reconcile.run(today=TODAY, workplace=old.workplace).due == ()


def test_tags_above_what_runs_are_left_alone_too(old: Team, file: Path) -> None:
    """What runs is not always what was tagged last, and the page says which tags were there."""
    _old_tags(old, count=10)
    page = adopted_by(old, onnx=file, version="v1.2.0")

    assert page.body.tags_above == ("tip@v1.3.0", "tip@v1.4.0")
    assert reconcile.run(today=TODAY, workplace=old.workplace).due == ()
    tag = old.publish("tip@v1.2.1")
    assert reconcile.run(today=TODAY, workplace=old.workplace).due == (tag,)


def test_an_image_of_ours_is_compared_by_the_model_in_it(live: Team) -> None:
    """A team that lost its ledger, or was forked, has its images still."""
    there = manifest_of_head(live)
    forget_the_ledger(live)

    page = adopted_by(live, image=there.digest, version="v1.0.0")

    assert page.body.image == there.digest
    assert page.body.measured is not None
    assert check_manifests.run(workplace=live.workplace).problems == ()


def manifest_of_head(team: Team) -> manifests.Deployed:
    git.run("pull", "--quiet", "--rebase", "origin", "main", cwd=team.root)
    found = _manifest(team)
    assert found is not None
    return found


def forget_the_ledger(team: Team) -> None:
    git.run("update-ref", "-d", f"refs/heads/{BRANCH}", cwd=team.bare)
    shutil.rmtree(team.workplace.state / "releases")


def test_an_opaque_image_is_recorded_and_its_successor_needs_one_waiver(old: Team) -> None:
    """What cannot be compared is said, once, by the gate whose question it is; and it stops no team for good."""
    page = adopted_by(old, image=_OPAQUE, image_name="registry.example.org/tips")
    old.commit("Say what runs")

    assert (page.body.onnx, page.body.declaration, page.body.measured) == (None, None, None)
    assert page.body.note.startswith("nothing of it can be asked: ")
    deployed = _manifest(old)
    assert deployed is not None
    assert (deployed.new_name, deployed.tag, deployed.digest) == ("registry.example.org/tips", "v1.2.3", _OPAQUE)
    assert check_manifests.run(workplace=old.workplace).problems == ()
    found = reconcile.run(today=TODAY, workplace=old.workplace)
    assert (found.due, found.rollouts, found.unknown) == ((), (), ())

    verdicts = old.up_to_verdicts(old.publish("tip@v1.3.0"))
    assert verdicts.body.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    open_questions = [one for one in verdicts.body.findings if one.verdict is not Verdict.PASS]
    assert [one.gate for one in open_questions] == ["promise"]
    assert "waive the gate `promise`" in open_questions[0].mend
    _waive(old, "promise", "v1.3.0")
    assert old.judge(old.record("tip@v1.3.0")).body.verdict is Verdict.PASS
    assert old.propose("tip@v1.3.0").body.pull is not None


def _waive(team: Team, gate: str, version: str) -> None:
    waiver = {"model": MODEL, "version": version, "reason": "It was adopted.", "by": "@ada", "until": "2026-06-20"}
    text = (team.root / f"policies/{gate}.yaml").read_text()
    team.write(f"policies/{gate}.yaml", f"{text}waivers: [{json.dumps(waiver)}]\n")
    team.commit("Waive")


def test_an_image_without_a_model_in_our_registry_is_opaque_too(old: Team, tmp_path: Path) -> None:
    """Somebody else's server lies in the same registry."""
    place = old.workplace
    files = {"app/server.py": b"print('tips')\n"}
    digest = write_base_image(place.registry, MODEL, "old", files, "linux/amd64")

    page = adopted_by(old, image=digest)

    assert page.body.is_opaque
    assert "no model in it" in page.body.note


def test_a_baseline_runs_is_watched_and_is_gone_back_to_as_a_release_is(old: Team, file: Path) -> None:
    """A team watches what it has before it dares to release, and has a way back from the first release."""
    page = adopted_by(old, onnx=file)
    old.commit("Say what runs")
    _verified(old, page.body, on=date(2026, 3, 1))
    old.serve("v1.2.3", [date(2026, 3, day) for day in range(2, 30)])
    evidence = measure_drift.run(
        MODEL,
        environment=ENVIRONMENT,
        until=date(2026, 3, 29),
        policies=old.workplace.repository.policies(),
        workplace=old.workplace,
    )
    assert evidence.body.window.version == "v1.2.3"
    tag = old.publish("tip@v1.3.0", Tip(weight=0.0201))
    old.release(tag)
    rehearsal = rehearse_rollback.run(old.record(tag), environment=ENVIRONMENT).body
    assert (rehearsal.loaded, rehearsal.golden_equal, rehearsal.golden_rows) == (True, 50, 50)
    old.go_live(tag, on=date(2026, 4, 1))

    way = _back_to(old, "v1.2.3")

    assert (way.body.back_to, way.body.back_to_digest) == ("v1.2.3", page.body.image)


def _back_to(team: Team, version: str) -> Page[Reversion]:
    return revert_manifest.run_on_request(
        MODEL,
        environment=ENVIRONMENT,
        back_to=version,
        reason="Bad",
        by="Ada",
        day="2026-04-02",
        workplace=team.workplace,
    )


def _verified(team: Team, baseline: Baseline, *, on: date) -> None:
    """What `verify-rollout` finds of a baseline that the engine runs."""
    record, commit = team.workplace.release(baseline.release), team.workplace.forge.head("main") or ""
    live = Rollout(
        environment=ENVIRONMENT,
        version=baseline.version,
        digest=baseline.image or "",
        commit=commit,
        live_since=on,
        golden_rows=50,
        golden_equal=50,
    )
    record.once(Rollout, reads={"commit": commit}, make=lambda: live)
    record_pages.run(record, tag=baseline.release, ledger=team.workplace.ledger)


def test_whoever_asks_for_verdicts_is_told_of_the_baseline(old: Team, file: Path) -> None:
    """A baseline has none, and none of the commands that ask for them may stumble over it."""
    adopted_by(old, onnx=file)
    old.commit("Say what runs")
    place = old.workplace

    judged = rejudge.run(policies=place.repository.policies(), today=TODAY, workplace=place)
    assert judged.judged == ()
    assert "adopted" in judged.unjudged[0].problem
    rows = status.run(workplace=place)
    assert rows
    assert export_watch.run(workplace=place, now=datetime(2026, 6, 1, 12, tzinfo=UTC))


def test_a_dry_run_writes_nothing(old: Team, file: Path) -> None:
    """It is how a person finds out what would be recorded for years."""
    asked = Adoption(ReleaseTag.parse(f"{MODEL}@v1.2.3"), ENVIRONMENT, by="Ada", now=_NOW, onnx=file)
    place = dry(old.workplace)
    page = adopt.run(asked, workplace=place)
    record_pages.run_on_baseline(page, ledger=place.ledger)

    assert page.body.measured is not None
    assert not (old.root / manifest_of(asked)).exists()
    assert _ledger(old) == {}
    assert not (old.workplace.state / "registry" / MODEL).exists()


def test_the_manifest_that_is_there_keeps_its_words(old: Team) -> None:
    """It is a team's own, with its replicas and patches; only the version that a digest belongs to is added."""
    where = f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml"
    words = f"# Ours.\nnamePrefix: ours-\nimages:\n- name: {MODEL}\n  newName: registry.example.org/tips\n"
    old.write(where, f"{words}  digest: {_OPAQUE}\n")

    adopted_by(old, image=_OPAQUE)

    there = _manifest(old)
    assert there is not None
    assert (there.new_name, there.tag) == ("registry.example.org/tips", "v1.2.3")
    written = (old.root / where).read_text()
    assert [line for line in words.splitlines() if line not in written] == []


def test_what_was_released_is_not_adopted_again(live: Team) -> None:
    """A baseline over releases would hide the one that has verdicts."""
    with pytest.raises(NotReleasable, match=r"tip@v1\.0\.0 was released already"):
        adopted_by(live, image=_OPAQUE, image_name="registry.example.org/tips")


def test_an_environment_has_one_baseline(old: Team, file: Path, tmp_path: Path) -> None:
    """Two would say that two versions run in one place, or that one version is two models."""
    adopted_by(old, onnx=file)
    other = tmp_path / "other.onnx"
    other.write_bytes(Tip(bias=0.1).onnx())

    with pytest.raises(NotReleasable, match=r"runs tip@v1.2.3 by the ledger: Ada adopted it"):
        adopted_by(old, onnx=file, version="v1.2.4")
    with pytest.raises(NotReleasable, match=r"tip@v1.2.3 was adopted as image .* model"):
        adopted_by(old, onnx=other)
    (old.root / f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml").unlink()
    with pytest.raises(NotReleasable, match=r"tip@v1.2.3 was adopted as image sha256:.*; this is image sha256:7777"):
        adopted_by(old, image=_OPAQUE, image_name="registry.example.org/tips")


def test_each_environment_has_its_own(staged: Team) -> None:
    """What is tried in staging is not what users have, and both run."""
    where = {"image_name": "registry.example.org/tips"}
    adopted_by(staged, image=f"sha256:{'8' * 64}", environment="staging", version="v1.3.0", **where)
    adopted_by(staged, image=_OPAQUE, version="v1.2.3", **where)
    staged.commit("Say what runs")

    assert [one.version for one in staged.history.baselines(MODEL)] == ["v1.2.3", "v1.3.0"]
    assert check_manifests.run(workplace=staged.workplace).problems == ()


@pytest.mark.parametrize(
    ("version", "what", "error", "words"),
    [
        ("v1.2.3_r2", {"image": _OPAQUE}, "BadTag", "is a revision"),
        ("v1.2.3", {"image": _OPAQUE}, "BadFile", "nothing says where it lies"),
        ("v1.2.3", {"onnx": Path("nowhere.onnx")}, "BadFile", "nowhere.onnx is no file"),
    ],
)
def test_a_call_that_cannot_be_meant_says_why(
    old: Team, version: str, what: dict[str, Any], error: str, words: str
) -> None:
    """It is asked once a model, by people who never used Slipway before."""
    with pytest.raises(SlipwayError, match=words) as refused:
        adopted_by(old, version=version, **what)

    assert (type(refused.value).__name__, bool(refused.value.mend)) == (error, True)
    assert _ledger(old) == {}


def test_what_is_no_model_or_another_one_is_refused(old: Team, file: Path, tmp_path: Path) -> None:
    """The comparison of the next release would be of two things that have nothing to do with each other."""
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelRefused, match="no ONNX file"):
        adopted_by(old, onnx=tmp_path / "text.onnx")
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelRefused, match=r"empty\.onnx is no ONNX file: it is empty"):
        adopted_by(old, onnx=tmp_path / "empty.onnx")
    old.write_model(Tip(inputs=("bill", "kitchen", "guests")))
    with pytest.raises(ConversionFailed, match="guests"):
        adopted_by(old, onnx=file)
    with pytest.raises(UnknownModel):
        adopt.run(
            Adoption(ReleaseTag.parse("top@v1.0.0"), ENVIRONMENT, by="Ada", now=_NOW, onnx=file),
            workplace=old.workplace,
        )


def test_a_manifest_that_deploys_something_else_is_believed(old: Team, file: Path) -> None:
    """What git says runs, and what a person says runs, cannot both be true."""
    named = {"name": MODEL, "new_name": "registry.example.org/tips", "tag": "v0.9.0"}
    empty = manifests.new_manifest(MODEL, environment=ENVIRONMENT, engine=old.workplace.settings.rollout_engine)
    content = manifests.set_image(empty, **named, digest=_OPAQUE)
    old.write(f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml", content.decode())

    with pytest.raises(NotReleasable, match="that is what production runs"):
        adopted_by(old, onnx=file)
    assert _ledger(old) == {}


def test_without_samples_it_is_recorded_and_asked_nothing(old: Team, file: Path) -> None:
    """Labelled rows often come later than the first look at Slipway."""
    (old.folder / "samples" / "tables.parquet").unlink()

    page = adopted_by(old, onnx=file)

    assert (page.body.measured, page.body.note) == (None, "it was asked nothing: there are no samples")
    assert page.body.onnx is not None
    git.run("checkout", "--quiet", f"models/{MODEL}/samples", cwd=old.root)
    old.commit("Say what runs")
    verdicts = old.up_to_verdicts(old.publish("tip@v1.3.0", Tip(weight=0.0201)))
    assert [one.gate for one in verdicts.body.findings if one.verdict is not Verdict.PASS] == ["way_back"]
    assert verdicts.body.verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_quarantined_version_is_not_adopted(old: Team, file: Path) -> None:
    """Somebody said that it must not run."""
    entry = "{model: tip, version: v1.2.3, reason: It lies, by: ada}"
    old.write("deploy/quarantine.yaml", f"entries:\n  - {entry}\n")
    old.commit("Hold it")

    with pytest.raises(NotReleasable, match="quarantined by ada: It lies"):
        adopted_by(old, onnx=file)
