"""A release measured again from digests: where it was released, on another machine, and where something changed."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.ledger import Ledger
from slipway.cli.replay import replayed
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.release import Proposal
from slipway.domain.replayed import Replay
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile
from slipway.reports.replay import replay_text
from slipway.steps import replay

from tests.team import Team, Tip, copy_of

V1, NEXT = "tip@v1.0.0", "tip@v1.1.0"
FEAST = {"name": "feast", "inputs": {"bill": 40, "kitchen": "grill"}, "decision": True}


@pytest.fixture(scope="session")
def _two(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_live, tmp_path_factory.mktemp("two"))
    team.expect(golden=[FEAST])
    team.commit("Expect a tip of a feast")
    team.release(team.publish(NEXT, Tip(weight=0.0201)))
    return team


@pytest.fixture
def two(_two: Team, tmp_path: Path) -> Team:
    """v1.1.0 was released against v1.0.0, which runs, and is held to a golden request."""
    return copy_of(_two, tmp_path)


def replay_of(team: Team, tag: str = NEXT) -> Replay:
    """As the command does it, without converting."""
    return replayed(tag, team.workplace, convert=False)


def elsewhere(team: Team) -> Team:
    """A fresh clone on a machine that knows the registry, and nothing else of the release."""
    other = team.clone("elsewhere")
    shutil.copytree(team.workplace.state / "registry", other.root / ".slipway" / "registry")
    return other


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_where_it_was_released_all_of_it_is_the_same_again(two: Team) -> None:
    """The promise of a record: who doubts a verdict measures it again."""
    ledger = Ledger(two.workplace.forge).pages()
    found = replay_of(two)

    assert (found.differences, found.missing, found.notices) == ((), (), ())
    assert (found.recorded, found.now) == (Verdict.PASS, Verdict.PASS)
    assert found.same == ("identity", "conversion", "evidence", "rehearsal", "verdicts")
    assert Ledger(two.workplace.forge).pages() == ledger
    assert {one.what for one in found.beside} >= {"measuring, s", "load, s", "p50, s"}


def test_a_replay_leaves_the_record_of_the_release_alone(two: Team) -> None:
    """It measures in a folder of its own, and a second one begins anew."""
    before = contents_of(two.record(NEXT).folder)
    replay_of(two)

    assert replay_of(two).differences == ()
    assert contents_of(two.record(NEXT).folder) == before


def test_on_another_machine_the_sources_answers_are_missed_and_named(two: Team) -> None:
    """They lie in no image; all else is measured, from the clone and the registry."""
    found = replay_of(elsewhere(two))

    assert found.differences == ()
    assert [(one.what, one.taken_as_recorded) for one in found.missing] == [("what the source answered", "fidelity")]
    assert "--convert asks the source again" in found.missing[0].why
    assert found.now is Verdict.PASS
    assert "evidence" in found.same


def test_the_policies_of_then_are_found_in_history(two: Team) -> None:
    """A floor that was raised since says nothing about the verdict of then."""
    two.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.99")
    two.commit("Ask for more")

    found = replay_of(two)

    assert (found.differences, found.notices, found.now) == ((), (), Verdict.PASS)


def test_policies_that_no_commit_holds_are_those_of_today_and_that_is_told(two: Team) -> None:
    """Somebody judged with an edit that was never committed."""
    text = (two.root / "policies" / "metrics.yaml").read_text()
    two.write("policies/metrics.yaml", text + "# tried on a laptop\n")
    two.up_to_verdicts(NEXT)
    two.record_pages(NEXT)
    two.write("policies/metrics.yaml", text.replace("floor: 0.75", "floor: 0.999"))

    found = replay_of(two)

    assert found.notices[0] == "no commit holds the policies that it was judged by: those of today are used"
    assert (found.recorded, found.now) == (Verdict.PASS, Verdict.FAIL)
    assert ("verdicts", "metrics: F1") in [(one.page, one.field) for one in found.differences]
    assert replay_text(found).startswith("tip@v1.1.0: was `pass`, and comes to `fail` now")


def test_a_tampered_blob_is_found(two: Team) -> None:
    """Somebody put another model under the digest that was judged."""
    for blob in (two.workplace.state / "registry").rglob("blobs/sha256/*"):
        content = blob.read_bytes()
        if b"model.onnx" in content and b"\0" in content:
            blob.write_bytes(content.replace(b"noodles", b"nuudles"))

    found = replay_of(two)

    assert [(one.page, one.field) for one in found.differences] == [("image", "digest")]
    assert "evidence" not in found.same


def test_an_image_that_is_gone_is_told_and_no_difference(two: Team) -> None:
    """Nobody can say that it changed."""
    two.lose_images()
    found = replay_of(two)

    assert found.differences == ()
    assert [one.what for one in found.missing] == [
        "the image that was released",
        "v1.0.0, with which it was compared",
        "v1.0.0, with which it was compared",
    ]
    assert found.same == ("identity", "conversion", "verdicts")


def rewrite(team: Team, page: str, change: dict[str, Any]) -> None:
    """Change a recorded page on the ledger, as nobody may."""
    forge = team.workplace.forge
    told = json.loads(Ledger(forge).pages()[page])
    for path, value in change.items():
        *parents, last = path.split(".")
        at = told["body"]
        for name in parents:
            at = at[int(name)] if name.isdecimal() else at[name]
        at[last] = value
    content = json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    forge.commit("ledger", onto=forge.head("ledger"), changes={page: content}, message="Beautify")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"golden.outputs.score": [0.5] * 50}, 50),
        ({"comparison.largest_difference": 0.5}, 1),
        ({"metrics.metrics.f1.value": 0.999}, 1),
        ({"behaviour.golden.0.kept": False}, 1),
        ({"fidelity.flips": 3}, 1),
    ],
)
def test_a_number_that_was_changed_in_the_ledger_is_found(two: Team, change: dict[str, Any], fields: int) -> None:
    """What was measured then can be measured now, and says otherwise."""
    rewrite(two, "tip/v1.1.0/evidence.1.json", change)
    found = replay_of(two)

    (path,) = change
    assert len(found.differences) == fields
    assert all(one.page == "evidence" and one.field.startswith(path) for one in found.differences)


def test_a_tag_that_was_moved_is_found(two: Team) -> None:
    """The verdict is of another commit."""
    two.commit("Something else")
    two.tag(NEXT, "Moved")

    assert ("identity", "tag_object") in [(one.page, one.field) for one in replay_of(two).differences]


def test_samples_that_are_not_those_of_then_are_not_measured_on(two: Team) -> None:
    """A verdict on other rows is another verdict."""
    page = "tip/v1.1.0/identity.1.json"
    rewrite(two, page, {"samples.sha256": "0" * 64})
    found = replay_of(two)

    assert ("identity", "samples.parquet") in [(one.page, one.field) for one in found.differences]
    assert "evidence" not in found.same


def test_served_rows_are_read_from_the_log_again(live: Team) -> None:
    """Where the record is gone and the log is there; without the log it is told."""
    live.serve("v1.0.0", [date(2026, 3, 1), date(2026, 3, 2)])
    live.release(live.publish(NEXT, Tip(weight=0.0201)))
    other = elsewhere(live)
    assert [one.taken_as_recorded for one in replay_of(other).missing] == ["traffic", "fidelity"]

    served = live.workplace.served_log("tip", "production").rows_folder
    shutil.copytree(served, other.workplace.served_log("tip", "production").rows_folder)
    found = replay_of(other)

    assert [one.taken_as_recorded for one in found.missing] == ["fidelity"]
    assert found.differences == ()


def test_a_new_conversion_is_compared_by_its_bytes(two: Team) -> None:
    """Converted twice, a source gives one file; another file is another model, and the released one is measured."""
    other = elsewhere(two)
    same = replay.prepare(NEXT, workplace=other.workplace)
    page = two.convert(two.record(NEXT))
    replay.use_new_conversion(same, page)
    assert same.differences == []

    for file in (page.body.edges, page.body.sample_outputs, page.body.edge_outputs):
        same.record.keep(two.record(NEXT).path(file), name=file.name)
    changed = page.body.model_copy(update={"onnx": page.body.onnx.model_copy(update={"sha256": "0" * 64})})
    replay.use_new_conversion(same, page.model_copy(update={"body": changed}))

    assert [(one.page, one.field) for one in same.differences] == [("conversion", "onnx")]
    measured = same.record.latest(Conversion)
    assert measured is not None
    assert measured.body.onnx == page.body.onnx


def test_a_release_that_nobody_judged_cannot_be_replayed(two: Team) -> None:
    """There is nothing to compare with."""
    two.publish("tip@v1.2.0")
    with pytest.raises(BadFile, match=r"no verdict of tip@v1\.2\.0"):
        replay_of(two, "tip@v1.2.0")


def test_pages_from_before_something_was_measured_are_the_same_again(two: Team) -> None:
    """An older Slipway wrote no calibration and no behaviour: their absence is no difference."""
    forge, page = two.workplace.forge, "tip/v1.1.0/evidence.1.json"
    told = json.loads(Ledger(forge).pages()[page])
    for name in ("calibration", "behaviour"):
        del told["body"][name]
    content = json.dumps(told, indent=2, sort_keys=True).encode() + b"\n"
    forge.commit("ledger", onto=forge.head("ledger"), changes={page: content}, message="As then")
    found = replay_of(two)

    assert {one.field for one in found.differences} == {"behaviour: Golden request feast"}
    assert "evidence" in found.same
    assert Evidence.model_validate(told["body"]).behaviour is None


def test_what_a_version_is_held_to_stands_in_its_pull_request(two: Team) -> None:
    """A reviewer sees the golden request and its answer without opening the policy."""
    pull = two.record(NEXT).page(Proposal, written_by="bump-manifest").body.pull
    assert pull is not None

    assert "| Golden request feast | decision yes | decision yes | – | pass |" in two.workplace.forge.pull(pull).body
