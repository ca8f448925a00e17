"""Measure a release again from digests, and see that it comes to the same verdicts. Nothing is written but scratch.

What it was judged by comes from the history of the default branch. What depends on something that could not be had is
taken as it was recorded, and that is said.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TypeVar

from slipway.adapters import fetched_again, git, old_policies, team_tests
from slipway.adapters.fetched_again import Replaying
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.case import ReleaseCase
from slipway.domain.conversion import Conversion
from slipway.domain.cost import Cost
from slipway.domain.evidence import Evidence
from slipway.domain.pages import Body, Page
from slipway.domain.policy import Policies
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.replayed import Beside, Replay, differences_between, other_verdicts
from slipway.domain.tag import ReleaseTag
from slipway.gates import verdicts_of

BodyT = TypeVar("BodyT", bound=Body)
# What of the evidence is another question where the policies ask otherwise, by what its page says that it read.
_ASKED = {
    "window days": ("calibration",),
    "metrics": ("metrics", "comparison"),
    "slices": ("slices",),
    "expected behaviour": ("behaviour",),
}
_OF_A_PROCESSOR = "output_profile"  # it counts answers, and one that is rounded otherwise may lie in the next cell


def prepare(text: str, *, workplace: Workplace) -> Replaying:
    """Fetch what the release `text` was measured on, and say what could not be had.

    Raises:
        BadTag: the text is no release tag.
        BadFile: the ledger has no verdict of it.
        Unreachable: registry or forge did not answer.
    """
    tag = ReleaseTag.parse(text)
    git.fetch(workplace.repository.root)
    recorded = fetched_again.recorded(tag, workplace.history)
    record = Record(workplace.state / "replays" / tag.model / tag.image_tag, subject=text)
    shutil.rmtree(record.folder, ignore_errors=True)  # nothing of an earlier replay is believed
    record.folder.mkdir(parents=True)
    policies, is_as_judged = _policies(recorded.verdicts.body.policies_digest, workplace)
    functions = team_tests.files_of(workplace.repository.team_tests / tag.model)
    same_functions = recorded.evidence.reads.get("team tests", "none") == team_tests.digest_of(functions)
    replaying = Replaying(record, recorded, policies, same_functions)
    if not is_as_judged:
        replaying.notices.append("no commit holds the policies that it was judged by: those of today are used")
    fetched_again.see_tag(replaying, workplace)
    if fetched_again.lay_down_what_was_tagged(replaying, workplace.repository.root):
        fetched_again.fetch_onnx(replaying, workplace)
        fetched_again.lay_down_identity(replaying, workplace)
    return replaying


def fetch_source(replaying: Replaying, *, workplace: Workplace) -> None:
    """What is converted again, where it lay elsewhere; an address that gives other bytes now is refused."""
    fetched_again.fetch_source(replaying, workplace)


def use_recorded_conversion(replaying: Replaying, *, workplace: Workplace) -> None:
    """Nothing is converted: what the source answered is looked for on this machine."""
    fetched_again.lay_down_conversion(replaying, workplace=workplace)


def use_new_conversion(replaying: Replaying, page: Page[Conversion]) -> None:
    """Compare the ONNX file, byte by byte through its digest; what is measured is the one that was released."""
    then, now = replaying.recorded.conversion.body.onnx, page.body.onnx
    locked = replaying.recorded.conversion.reads.get("requirements") == page.reads["requirements"]
    if not locked:
        replaying.notices.append("the converter's requirements are others than then")
    if now.sha256 == then.sha256:
        return
    replaying.differs("conversion", "onnx", f"sha256:{then.sha256[:12]}", f"sha256:{now.sha256[:12]}")
    if replaying.record.has(then):
        reads = {**page.reads, "onnx": then.sha256}
        replaying.record.once(Conversion, reads=reads, make=lambda: page.body.model_copy(update={"onnx": then}))


def compare(replaying: Replaying) -> Replay:
    """Hold what was measured now against what was recorded, and judge it by what it was judged by then."""
    recorded, record = replaying.recorded, replaying.record
    evidence = record.latest(Evidence) if replaying.can_be_measured else None
    rehearsal = record.latest(Rehearsal) if replaying.can_be_rehearsed else None
    if evidence is not None:
        _compare_evidence(replaying, evidence)
    if rehearsal is not None:
        _compare_rehearsals(replaying, rehearsal.body)
    now = _judged(replaying, evidence, rehearsal)
    then = recorded.verdicts.body
    replaying.differences.extend(other_verdicts(then.findings, now.findings))
    compared = ["identity", "conversion", *(["evidence"] if evidence else []), *(["rehearsal"] if rehearsal else [])]
    otherwise = {one.page for one in replaying.differences}
    return Replay(
        subject=record.subject,
        recorded=then.verdict,
        now=now.verdict,
        same=tuple(page for page in (*compared, "verdicts") if page not in otherwise),
        differences=tuple(replaying.differences),
        missing=tuple(replaying.missing),
        notices=tuple(replaying.notices),
        beside=tuple(_beside(recorded.evidence, evidence)),
    )


def _policies(digest: str, workplace: Workplace) -> tuple[Policies, bool]:
    """Those that the release was judged by, or those of today, and whether they are the former."""
    forge = workplace.forge
    found = old_policies.with_digest(digest, repository=workplace.repository, head=forge.head(forge.default_branch))
    return (workplace.repository.policies(), False) if found is None else (found, True)


def _compare_evidence(replaying: Replaying, now: Page[Evidence]) -> None:
    then = replaying.recorded.evidence
    for read, fields in _ASKED.items():
        if then.reads.get(read) != now.reads.get(read) and then.body.model_fields_set.intersection(fields):
            replaying.notices.append(f"{' and '.join(fields)} was asked otherwise then, and is taken as recorded")
            replaying.taken.update(fields)
    if not replaying.functions_are_the_same:
        replaying.notices.append("the team's functions are others than then: what they found is taken as recorded")
    body = _with_recorded_functions(replaying, now.body)
    left_out = {*replaying.taken, _OF_A_PROCESSOR}
    replaying.differences.extend(differences_between("evidence", then.body, body, leave_out=left_out))


def _with_recorded_functions(replaying: Replaying, now: Evidence) -> Evidence:
    then = replaying.recorded.evidence.body.behaviour
    if replaying.functions_are_the_same or then is None or now.behaviour is None:
        return now
    return now.model_copy(update={"behaviour": now.behaviour.model_copy(update={"tests": then.tests})})


def _compare_rehearsals(replaying: Replaying, now: Rehearsal) -> None:
    then = replaying.recorded.rehearsal.body
    if then.onnxruntime != now.onnxruntime:
        replaying.notices.append(f"onnxruntime {then.onnxruntime} then, {now.onnxruntime} now")
    replaying.differences.extend(differences_between("rehearsal", then, now, leave_out=("to", "onnxruntime")))


def _judged(replaying: Replaying, evidence: Page[Evidence] | None, rehearsal: Page[Rehearsal] | None) -> Verdicts:
    """With the waivers that held then; fields that the recorded page does not have stay as absent as they were."""
    recorded = replaying.recorded
    then = recorded.evidence.body
    case = ReleaseCase(
        identity=recorded.identity.body,
        evidence=then if evidence is None else _as_far_as_measured(replaying, evidence.body),
        rehearsal=rehearsal.body if rehearsal else recorded.rehearsal.body,
        cost=recorded.evidence.circumstances.cost,  # this machine is another one: its times are told, not judged
    )
    verdicts = recorded.verdicts.body
    return verdicts_of(
        case,
        replaying.policies,
        verdicts.waivers,
        policies_digest=verdicts.policies_digest,
        void=verdicts.void_waivers,
    )


def _as_far_as_measured(replaying: Replaying, now: Evidence) -> Evidence:
    then = replaying.recorded.evidence.body
    again = _with_recorded_functions(replaying, now)
    measured = then.model_fields_set - replaying.taken
    return then.model_copy(update={name: getattr(again, name) for name in measured})


def _beside(then: Page[Evidence], now: Page[Evidence] | None) -> Iterator[Beside]:
    if now is None:
        return
    yield Beside(what="measuring, s", recorded=then.circumstances.seconds, now=now.circumstances.seconds)
    old, new = _costs(then.circumstances.cost), _costs(now.circumstances.cost)
    for what in {**old, **new}:
        yield Beside(what=what, recorded=old.get(what), now=new.get(what))


def _costs(cost: Cost | None) -> dict[str, float | None]:
    if cost is None:
        return {}
    one = cost.candidate
    return {
        "memory, bytes": one.memory,
        "load, s": one.load,
        "p50, s": one.p50,
        "p99, s": one.p99,
        "batch, s": one.batch,
    }
