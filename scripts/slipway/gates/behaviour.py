"""Does the model behave as its team expects, and is it still held to what the version before was held to?"""

from __future__ import annotations

from slipway.domain.behaviour import BehaviourLimit, Direction, GoldenRequest, Invariance
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import BehaviourEvidence, ChangedEvidence, GoldenEvidence, TeamTest
from slipway.domain.identity import Identity
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate, more_to_settle

_POLICY = "policies/behaviour.yaml"


def judge(case: ReleaseCase, limit: BehaviourLimit) -> tuple[Finding, ...]:
    """Nothing is said of evidence from before behaviour was measured, nor where nothing is expected."""
    identity, measured = case.identity, case.evidence.behaviour
    if measured is None:
        return ()
    expected = limit.for_version(identity.version)
    return (
        *(_as_expected("Invariance", one, measured, identity) for one in expected.invariances),
        *(_as_expected("Direction", one, measured, identity) for one in expected.directions),
        *(_answered(one, measured, identity) for one in expected.golden),
        *_changed_silently(expected, identity),
        *_tests(measured.tests, identity),
    )


def _as_expected(kind: str, one: Invariance | Direction, measured: BehaviourEvidence, identity: Identity) -> Finding:
    title = f"{kind} {one.name}"
    found = next((each for each in measured.changed if (each.name, each.asked) == (one.name, one.sentence)), None)
    if found is None:
        return _unmeasured(title, one.sentence, identity)
    verdict, problem, mend = _verdict(found, one)
    allowed = f"{one.sentence}; {one.violations:.2%} otherwise" if one.violations else one.sentence
    return _finding(title, verdict, _measured(found), allowed, problem=problem, mend=mend)


def _measured(found: ChangedEvidence) -> str:
    if found.share is None:
        return "no sample row is changed by it"
    interval = f" [{found.share.low:.2%}, {found.share.high:.2%}]"
    return f"{found.violations:,} of {found.rows:,} rows otherwise{interval}{_drawn_from(found)}"


def _drawn_from(found: ChangedEvidence) -> str:
    """What the interval takes to belong together; nothing of evidence that took each row for itself."""
    if found.groups is not None:
        return f"; {found.groups:,} whole groups drawn"
    return "" if found.days is None else f"; {found.days:,} whole days drawn"


def _verdict(found: ChangedEvidence, one: Invariance | Direction) -> tuple[Verdict, str, str]:
    """One counterexample disproves that something never happens; a share needs its whole interval below the limit."""
    share = found.share
    if share is not None and (share.low > one.violations or (one.violations == 0 and found.violations)):
        return (
            Verdict.FAIL,
            f"{found.violations:,} of {found.rows:,} rows behave otherwise than `{one.sentence}`: {found.example}",
            f"train it so that it holds, or have {_POLICY} say by a reviewed pull request how often it may not",
        )
    if found.rows < one.rows:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"only {found.rows:,} sample rows are changed by it, and {one.rows:,} are asked for",
            f"add samples that it changes, or lower `rows` of `{one.name}` in {_POLICY}",
        )
    if share is None or one.violations == 0 or share.high <= one.violations:
        return Verdict.PASS, "", ""
    estimate = MetricEstimate(share.value, share.low, share.high)
    more = more_to_settle(estimate, limit=one.violations, seen=found.rows)
    return (
        Verdict.NOT_ENOUGH_EVIDENCE,
        (
            f"the allowed share {one.violations:.2%} lies inside the interval of the rows that behave otherwise than "
            f"`{one.sentence}`"
        ),
        str(more)
        if isinstance(more, Absent)
        else f"about {more:,} sample rows more{_elsewhere(found)} would settle it",
    )


def _elsewhere(found: ChangedEvidence) -> str:
    if found.groups is not None:
        return ", of other groups,"
    return "" if found.days is None else ", of other days,"


def _answered(one: GoldenRequest, measured: BehaviourEvidence, identity: Identity) -> Finding:
    title = f"Golden request {one.name}"
    found = next((each for each in measured.golden if each.request == one), None)
    if found is None:
        return _unmeasured(title, one.expected, identity)
    if found.kept:
        return _finding(title, Verdict.PASS, found.answered, one.expected)
    problem, mend = _what_is_wrong(found)
    return _finding(title, Verdict.FAIL, found.answered or "not asked", one.expected, problem=problem, mend=mend)


def _what_is_wrong(found: GoldenEvidence) -> tuple[str, str]:
    one = found.request
    if found.problem:
        return (
            f"the golden request `{one.name}` cannot be asked: {found.problem}",
            (
                f"a client that sends it is refused: let it end `below` a major version in {_POLICY}, and name another "
                "one that sends what is asked for"
            ),
        )
    return (
        f"the golden request `{one.name}` is answered with {found.answered}, and must be with {one.expected}",
        (
            "train it so that it answers as expected; where the world changed, let it end `below` a major version in "
            f"{_POLICY}, with a reviewed answer from there on"
        ),
    )


def _changed_silently(expected: BehaviourLimit, identity: Identity) -> tuple[Finding, ...]:
    """What the highest version that passed was held to, and this one is not."""
    before = identity.compared
    if before is None:
        return ()
    today = {one.name: one for one in expected.golden}
    return tuple(
        _loosened(old, today.get(old.name), identity, version=before.version)
        for old in before.golden_requests or ()
        if old.name not in today or not today[old.name].asks_no_less_than(old)
    )


def _loosened(old: GoldenRequest, new: GoldenRequest | None, identity: Identity, *, version: str) -> Finding:
    title = f"Golden request {old.name} as for {version}"
    measured = "no longer asked" if new is None else f"now {new.expected}"
    if new is not None and new.inputs != old.inputs:
        measured = f"another request, now {new.expected}"
    if identity.bump is Bump.MAJOR:
        return _finding(title, Verdict.PASS, measured, f"{old.expected}; anything, in a major version")
    return _finding(
        title,
        Verdict.FAIL,
        measured,
        old.expected,
        problem=f"{version} was held to the golden request `{old.name}` ({old.expected}), and {identity.version} is "
        f"not: {measured}",
        mend=f"put it back into {_POLICY} as it was for {version}, release a major version, or waive it there with "
        "the reason",
    )


def _tests(tests: tuple[TeamTest, ...] | None, identity: Identity) -> tuple[Finding, ...]:
    if tests is None:
        return ()
    failed = [one for one in tests if not one.passed]
    folder = f"tests/models/{identity.model}"
    mend = f"train it so that they pass, or correct them in {folder} by a reviewed pull request"
    if not tests:
        return (_no_test(folder),)
    return (
        _finding(
            "The team's own tests",
            Verdict.FAIL if failed else Verdict.PASS,
            f"{len(tests) - len(failed)} of {len(tests)} pass",
            "all pass",
            problem="; ".join(f"{one.name}: {one.message}" for one in failed[:5]),
            mend=mend if failed else "",
        ),
    )


def _no_test(folder: str) -> Finding:
    return _finding(
        "The team's own tests",
        Verdict.NOT_ENOUGH_EVIDENCE,
        "none was found",
        "all pass",
        problem=f"{folder} has a file behaviour*.py, and no function in it begins with test_",
        mend="write one, or take the file out",
    )


def _unmeasured(title: str, asked: str, identity: Identity) -> Finding:
    """The policy is newer than the evidence."""
    return _finding(
        title,
        Verdict.NOT_ENOUGH_EVIDENCE,
        "not asked yet",
        asked,
        problem=f"{identity.version} was measured before this was expected of it",
        mend=f"run the release of {identity.tag} again, or say with `since` from which version it holds",
    )


def _finding(
    title: str, verdict: Verdict, measured: str, allowed: str, *, problem: str = "", mend: str = ""
) -> Finding:
    return Finding(
        gate="behaviour", title=title, verdict=verdict, measured=measured, allowed=allowed, problem=problem, mend=mend
    )
