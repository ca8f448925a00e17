"""Would the version before do better on the same rows, beyond noise? Only then is going back right."""

from __future__ import annotations

from itertools import takewhile

from slipway.domain.incident import PreviousEvidence, Window, WindowEvidence
from slipway.domain.policy import PreviousVersionLimit
from slipway.domain.verdict import Finding, Verdict


def judge_window(evidence: WindowEvidence, limit: PreviousVersionLimit) -> tuple[Finding, ...]:
    """Fail when going back would have won by more than `gain` in `windows` windows in a row."""
    name = evidence.back_to or "a version before"
    replayed = evidence.window.previous
    wins = len(list(takewhile(lambda window: _better(window, replayed, limit), _newest_first(evidence))))
    verdict = _verdict(replayed, wins, limit)
    return (
        Finding(
            gate="previous_version",
            title=f"Would {name} do better, same rows?",
            verdict=verdict,
            measured=_measured(evidence, replayed),
            allowed=f"not by more than {limit.gain:.2f}, twice in a row"
            if limit.windows == 2
            else f"not by more than {limit.gain:.2f}, {limit.windows} times in a row",
            margin=f"{limit.gain - replayed.difference.low:+.3f}" if replayed and replayed.difference else "–",
            problem=f"{name} would have had an F1 {replayed.difference.value:.2f} higher on the same "
            f"{replayed.rows:,} rows, in {wins} windows in a row"
            if wins and replayed and replayed.difference
            else "",
            mend=f"go back to {name}" if verdict is Verdict.FAIL else "",
        ),
    )


def _newest_first(evidence: WindowEvidence) -> tuple[Window, ...]:
    return (evidence.window, *reversed(evidence.earlier))


def _better(window: Window, newest: PreviousEvidence | None, limit: PreviousVersionLimit) -> bool:
    """Wins of another version, one that was quarantined meanwhile, are none of this one's."""
    replayed = window.previous
    if replayed is None or newest is None or replayed.version != newest.version:
        return False
    return replayed.difference is not None and replayed.difference.low > limit.gain


def _verdict(replayed: PreviousEvidence | None, wins: int, limit: PreviousVersionLimit) -> Verdict:
    if replayed is None or replayed.difference is None:
        return Verdict.NOT_ENOUGH_EVIDENCE
    if wins >= limit.windows:
        return Verdict.FAIL
    if wins or replayed.difference.high > limit.gain:
        return Verdict.NOT_ENOUGH_EVIDENCE
    return Verdict.PASS


def _measured(evidence: WindowEvidence, replayed: PreviousEvidence | None) -> str:
    if evidence.back_to is None:
        return "there is no version before"
    if replayed is None or replayed.difference is None:
        return "no labels for this window yet"
    difference = replayed.difference
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
