"""What `slipway explain` prints: the answer and the way back, then the evidence, then the story in order of time."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.domain.explanation import (
    Explanation,
    IncidentTold,
    Judged,
    Merge,
    Place,
    RefSeen,
    Standing,
    Tagging,
    Way,
)
from slipway.domain.incident import IncidentKind
from slipway.domain.origin import Training
from slipway.domain.pages import File
from slipway.domain.verdict import Verdict
from slipway.reports.columns import columns
from slipway.reports.explained_events import event_line, moment, pull_words, short
from slipway.reports.numbers import size
from slipway.reports.plain import one_line

_LABEL = 14  # characters
_HEADER = ("gate", "finding", "measured [95 %]", "allowed", "verdict")
_NOT_HERE_ANY_MORE = (Standing.RAN, Standing.WAS_FAILED, Standing.WAS_MERGED)


def explanation_text(told: Explanation, *, width: int = 120) -> str:
    """Plain text for a terminal."""
    parts = [_answer(told), _facts(told), *_gates(told, width=width), *_incidents(told), _story(told), _sources(told)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _answer(told: Explanation) -> str:
    lines = [f"{told.release} {_standing(told)}"]
    lines += [f"  quarantined by {one_line(one.by)}: {one_line(one.reason)}" for one in told.quarantine]
    lines += [f"  open:    {_incident(one)}" for one in told.open_incidents]
    lines += [_way(way, told) for way in told.ways]
    return "\n".join(lines)


def _standing(told: Explanation) -> str:
    where = "; ".join(_place(place) for place in told.places)
    if told.adopted is not None:
        where_before = " and ".join(one.environment for one in told.adoptions)
        people = " and ".join(dict.fromkeys(one_line(one.by) for one in told.adoptions))
        said = f"ran in {where_before} before Slipway came: adopted by {people}, judged by nobody"
        return f"{said}; it {where}" if where else said
    if told.judged is None:
        return _broke_off(told)
    if told.judged.verdict is Verdict.FAIL:
        return (
            f"was refused (fail: {', '.join(_titles(told.judged))}){f'; it {where}' if where else ', and runs nowhere'}"
        )
    if where:
        return where
    if told.judged.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        return f"cannot be judged yet ({told.judged.verdict}: {', '.join(_titles(told.judged))}), and runs nowhere"
    return f"passed, and was not proposed yet; go on with: slipway release {told.release}"


def _broke_off(told: Explanation) -> str:
    times = len(told.attempts)
    tried = (
        f"broke off before it was judged, {times} {'time' if times == 1 else 'times'}" if times else "was not judged"
    )
    return f"{tried}; run it again: slipway release {told.release}"


def _titles(judged: Judged) -> list[str]:
    return list(dict.fromkeys(one_line(one.title) for one in judged.open_findings))


def _place(place: Place) -> str:
    """The rest of a sentence whose subject is the release."""
    where, stay = place.environment, place.last_stay
    before = f", in place of {place.instead_of}" if place.instead_of else ""
    if place.standing is Standing.RUNS and stay is not None:
        ended = "" if stay.remained else " (by a server that ended with its run)"
        return f"runs in {where} since {stay.since}{before}{ended}"
    if place.standing is Standing.CANARY and stay is not None:
        return f"runs as a canary in {where} since {stay.since}, beside {place.runs_now}"
    if place.standing in _NOT_HERE_ANY_MORE:
        return f"{_past(place)}; {place.runs_now or 'nothing'} runs there now"
    if place.standing is Standing.PROPOSED:
        return f"is proposed for {where} by {_numbers(place.pulls)}{before}, and is not merged there"
    return f"is {_MERGED[place.standing]} {where}{before}"


_MERGED = {
    Standing.CANARY: "merged as a canary, and not verified, in",
    Standing.RUNS: "live in",
    Standing.MERGED: "merged, and not seen to run yet, in",
    Standing.FAILED: "merged, and failed to roll out, in",
}


def _past(place: Place) -> str:
    where, stay = place.environment, place.last_stay
    if place.standing is Standing.WAS_FAILED:
        return f"failed to roll out in {where}, and was taken out"
    if stay is None or place.standing is Standing.WAS_MERGED:
        return f"was merged for {where}, and taken out again"
    return f"ran in {where} from {stay.since}{f' to {stay.until}' if stay.until else ''}{_by(stay.followed_by)}"


def _by(version: str | None) -> str:
    return f", until {version} took its place" if version else ""


def _way(way: Way, told: Explanation) -> str:
    comes_back = way.to == told.version
    label = "bring it back:" if comes_back else "go back:"
    if way.command:
        return f"  {label} {way.command}"
    impossible = (
        "it cannot be brought back" if any(_is_past(one, way) for one in told.places) else "there is no way back"
    )
    return f"  {impossible} in {way.environment}: {one_line(way.why_not)}"


def _is_past(place: Place, way: Way) -> bool:
    return place.environment == way.environment and place.standing in _NOT_HERE_ANY_MORE


def _incident(one: IncidentTold) -> str:
    issue = f", issue #{one.issue}" if one.issue is not None else ""
    return f"{one.about} in {one.environment} since {one.day}{issue}: {short(one.problem)}"


def _facts(told: Explanation) -> str:
    """A line a fact, each with its name before it; what is not known has no line."""
    lines = [f"{name:<{_LABEL}}{value}" for name, value in _named_facts(told)]
    return "\n".join(lines)


def _named_facts(told: Explanation) -> Iterator[tuple[str, str]]:
    yield "asked for", f"{short(told.asked.text)}, which is {told.asked.found_as}"
    if told.tag is not None:
        yield from _tag_facts(told.tag)
    yield from _code_facts(told)
    yield from _data_facts(told)
    yield from _image_facts(told)
    for place in told.places:
        for merge in place.merges:
            yield "merged", _merge(merge, place.environment)
    yield from _judged_facts(told)


def _tag_facts(tag: Tagging) -> Iterator[tuple[str, str]]:
    when = f", {moment(tag.at)}" if tag.at else ""
    yield "tag", f"{tag.tag}, object {tag.object_id}"
    yield "tagged", f"by {one_line(tag.by)}{when}{_said(tag.message)}"
    if tag.moved_to is not None:
        yield "", f"the tag was moved since: it names {tag.moved_to} now, and that was never released"


def _code_facts(told: Explanation) -> Iterator[tuple[str, str]]:
    code = told.code
    if code is None:
        return
    yield "commit", f"{code.commit}, {moment(code.committed_at)}"
    yield "tooling", f"{code.tooling or 'a commit that was not recorded'}, Slipway {code.slipway}"
    if code.run_url:
        yield "run", code.run_url


def _data_facts(told: Explanation) -> Iterator[tuple[str, str]]:
    data = told.data
    if data is None:
        return
    yield "source", data.source
    if data.origin is not None:
        yield "fetched from", f"{short(data.origin.resolved)}, {data.origin.sha256}"
        yield from _training_facts(data.origin.training)
    yield "samples", _file(data.samples)
    if data.onnx is not None:
        yield "ONNX file", _file(data.onnx)


def _training_facts(training: Training | None) -> Iterator[tuple[str, str]]:
    """What a tracking server told of the run that made the model."""
    if training is None:
        return
    run = ", ".join(filter(None, (training.run_id, training.experiment, training.tracking_server)))
    if run:
        yield "trained by", f"run {short(run)}"
    if training.commit:
        yield "trained from", f"commit {one_line(training.commit)}"
    for dataset in training.datasets:
        yield "trained on", f"{short(dataset.name)}, {one_line(dataset.digest)}"


def _file(file: File) -> str:
    return f"{one_line(file.name)}, sha256:{file.sha256}, {size(file.size)}"


def _image_facts(told: Explanation) -> Iterator[tuple[str, str]]:
    image, adopted = told.image, told.adopted
    if image is not None:
        yield "image", f"{image.repository}:{image.tag}@{image.digest}"
        yield "runtime", image.runtime_digest
        if image.signed_by:
            yield "signed by", image.signed_by
    elif adopted is not None:
        yield "image", adopted.image or "none was named"
        yield "ONNX file", f"sha256:{adopted.onnx}" if adopted.onnx else "unknown: it is known by its image alone"
        yield "adopted", f"by {one_line(adopted.by)}, {moment(adopted.at)}{_said(adopted.note)}"
    if told.rebased_from is not None:
        yield "built on", f"{told.rebased_from}, put on another runtime image"


def _merge(merge: Merge, environment: str) -> str:
    what = f"{environment}, as a canary" if merge.canary else environment
    return f"{what}: {_who(merge)}, {moment(merge.at)}, commit {merge.commit}{_said(merge.subject)}"


def _who(merge: Merge) -> str:
    if merge.by_slipway:
        return "by `slipway merge`, which keeps no name" if merge.is_merge else "committed by Slipway itself"
    if merge.is_merge:
        return f"by {one_line(merge.by)}"
    return f"written by {one_line(merge.by)} (squashed, rebased or committed directly: git does not know who merged it)"


def _judged_facts(told: Explanation) -> Iterator[tuple[str, str]]:
    judged = told.judged
    if judged is None:
        return
    compared = f", compared with {told.compared_with}" if told.compared_with else ""
    bump = f" ({told.bump})" if told.bump else ""
    yield "verdict", f"{judged.verdict}{bump}{compared}, {moment(judged.at)}"
    if judged.earlier:
        yield "before that", ", ".join(judged.earlier)
    yield "policies", judged.policies_digest
    for waiver in judged.waivers:
        yield "waived", f"{waiver.gate}, by {one_line(waiver.by)} until {waiver.until}: {short(waiver.reason)}"


def _gates(told: Explanation, *, width: int) -> Iterator[str]:
    if told.judged is None:
        return
    rows = [(one.gate, one.title, one.measured, one.allowed, one.in_words) for one in told.judged.findings]
    yield columns(_HEADER, rows, width=width)
    problems = [f"{short(one.problem)}\n  mend: {short(one.mend)}" for one in told.judged.open_findings if one.problem]
    yield "\n".join(problems)


def _incidents(told: Explanation) -> Iterator[str]:
    """What a person asked for stands in the story."""
    found = [one for one in told.incidents if one.about is not IncidentKind.REQUESTED]
    if found:
        yield "\n".join(["Incidents", *(f"  {_incident_line(one)}" for one in found)])


def _incident_line(one: IncidentTold) -> str:
    ending = "open" if one.is_open else "closed"
    outcome = f", {one.outcome}" if one.outcome else ""
    back = f"; back to {one.back_to}{pull_words(one.pull)}" if one.back_to else ""
    return f"{one.name} ({ending}{outcome}): {short(one.problem)}{back}"


def _story(told: Explanation) -> str:
    lines = [f"  {moment(event.at)}  {event_line(event)}" for event in told.story]
    return "\n".join(["What happened", *lines]) if lines else ""


def _sources(told: Explanation) -> str:
    """What it was read from, how old that is, and what nobody could tell."""
    seen = told.ledger
    fetched = f", fetched {moment(seen.fetched_at)}" if seen.fetched_at else ""
    lines = [f"Read from {_ref(seen)}{fetched}"]
    lines += [f"  and from {_ref(told.manifests)}"] if told.manifests is not None else []
    lines += [f"  it may be older than what is so: {sign}" for sign in seen.stale]
    lines += [f"  bring the newest: {seen.mend}"] if seen.stale and seen.mend else []
    lines += [f"  not known: {why}" for why in told.unknown]
    return "\n".join(lines)


def _said(words: str) -> str:
    """A person's own words, who need not have any."""
    return f": {short(words)}" if words else ""


def _numbers(pulls: tuple[int, ...]) -> str:
    return " and ".join(f"#{number}" for number in pulls)


def _ref(seen: RefSeen) -> str:
    return f"{seen.ref} as of {moment(seen.at)} (commit {seen.commit[:12]})"
