"""Would the version before do better on the same rows, beyond noise? Only then is going back right."""

from __future__ import annotations

from itertools import takewhile

from slipway.domain import commands
from slipway.domain.incident import PreviousEvidence, Window, WindowEvidence
from slipway.domain.limits import PreviousVersionLimit
from slipway.domain.verdict import Finding, Verdict, metric_title, more_needed
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate, more_to_settle
from slipway.maths.named_metrics import BY_NAME


def judge_window(evidence: WindowEvidence, limit: PreviousVersionLimit) -> tuple[Finding, ...]:
    """Fail when going back would have won by more than `gain` in `windows` windows in a row."""
    name = evidence.back_to or "a version before"
    replayed = evidence.window.previous
    wins = len(list(takewhile(lambda window: _better(window, replayed, limit), _newest_first(evidence))))
    verdict = _verdict(replayed, wins, limit)
    problem, mend = _what_to_do(name, evidence, wins, verdict, looks=limit.windows)
    return (
        Finding(
            gate="previous_version",
            title=f"Would {name} do better, same rows?",
            verdict=verdict,
            measured=_measured(evidence, replayed),
            allowed=f"not by more than {_gain_in_words(replayed, limit)}{_in_a_row(limit)}",
            margin=f"{_asked(replayed, limit) - replayed.gain.low:+.3f}" if replayed and replayed.gain else "–",
            problem=problem,
            mend=mend,
            needed=_needed(evidence, wins, limit) if verdict is Verdict.NOT_ENOUGH_EVIDENCE else "",
            notice=f"there would be no way back: {evidence.in_the_way}" if evidence.in_the_way and not problem else "",
        ),
    )


def _in_a_row(limit: PreviousVersionLimit) -> str:
    """Empty where one look decides."""
    if limit.windows == 1:
        return ""
    return f", {'twice' if limit.windows == 2 else f'{limit.windows} times'} in a row"


def _what_to_do(name: str, evidence: WindowEvidence, wins: int, verdict: Verdict, *, looks: int) -> tuple[str, str]:
    """What is wrong and what mends it; both empty where nothing is asked of anybody."""
    replayed, in_the_way = evidence.window.previous, evidence.in_the_way
    won = _won(name, replayed) if wins and replayed else ""
    won += f", in {wins} windows in a row" if won and looks > 1 else ""
    if in_the_way and (won or replayed is None):
        told = f"there is no way back: {in_the_way}"
        return f"{won}; but {told}" if won else told, _mend(evidence)
    return won, f"go back to {name}" if verdict is Verdict.FAIL else ""


def _needed(evidence: WindowEvidence, wins: int, limit: PreviousVersionLimit) -> str:
    """About how much would settle it, by how the interval of whole days shrinks; empty where nothing was compared."""
    replayed, window = evidence.window.previous, evidence.window
    if replayed is None or replayed.gain is None:
        return ""
    if wins:
        more = limit.windows - wins
        return f"{more} {'window' if more == 1 else 'windows'} more like this"
    gain = MetricEstimate(replayed.gain.value, replayed.gain.low, replayed.gain.high)
    rows = more_to_settle(gain, limit=_asked(replayed, limit), seen=replayed.rows)
    days = (window.end - window.start).days + 1
    return "" if isinstance(rows, Absent) else more_needed(rows, "labelled rows", seen=replayed.rows, days=days)


def _mend(evidence: WindowEvidence) -> str:
    forwards = "release a mended version"
    if evidence.back_to is None:
        return f"{forwards}, or let an owner take an entry out of deploy/quarantine.yaml"
    if evidence.way_back.gone:
        return f"release the tag of {evidence.back_to} again, which restores its image; or {forwards}"
    return (
        f"{forwards}; or, where its clients can be changed back with it, "
        f"{commands.rollback(evidence.model, environment=evidence.environment, to=evidence.back_to)}"
    )


def _newest_first(evidence: WindowEvidence) -> tuple[Window, ...]:
    return (evidence.window, *reversed(evidence.earlier))


def _better(window: Window, newest: PreviousEvidence | None, limit: PreviousVersionLimit) -> bool:
    """Wins of another version, one that was quarantined meanwhile, are none of this one's."""
    replayed = window.previous
    if replayed is None or newest is None or replayed.version != newest.version:
        return False
    return replayed.gain is not None and replayed.gain.low > _asked(replayed, limit)


def _asked(replayed: PreviousEvidence, limit: PreviousVersionLimit) -> float:
    """What going back must win, in the unit of the metric."""
    deployed = replayed.deployed
    return limit.gain * abs(deployed.value) if _is_a_share(replayed) and deployed else limit.gain


def _is_a_share(replayed: PreviousEvidence) -> bool:
    return BY_NAME[replayed.metric].unbounded


def _gain_in_words(replayed: PreviousEvidence | None, limit: PreviousVersionLimit) -> str:
    if replayed is None or not _is_a_share(replayed):
        return f"{limit.gain:.2f}"
    return f"{_asked(replayed, limit):.3g}, {limit.gain:.0%} of its {metric_title(replayed.metric)}"


def _won(name: str, replayed: PreviousEvidence) -> str:
    assert replayed.gain is not None  # it won
    better = "lower" if BY_NAME[replayed.metric].lower_is_better else "higher"
    title = metric_title(replayed.metric)
    return (
        f"{name} would have had {'an' if title[0] in 'AEFIMOR' else 'a'} {title} {replayed.gain.value:.2f} {better} "
        f"on the same {replayed.rows:,} rows"
    )


def _verdict(replayed: PreviousEvidence | None, wins: int, limit: PreviousVersionLimit) -> Verdict:
    if replayed is None or replayed.difference is None:
        return Verdict.NOT_ENOUGH_EVIDENCE
    if wins >= limit.windows:
        return Verdict.FAIL
    if wins or (replayed.gain is not None and replayed.gain.high > _asked(replayed, limit)):
        return Verdict.NOT_ENOUGH_EVIDENCE
    return Verdict.PASS


def _measured(evidence: WindowEvidence, replayed: PreviousEvidence | None) -> str:
    if evidence.back_to is None:
        return "those before are quarantined" if evidence.way_back.held else "there is no version before"
    if replayed is None or replayed.gain is None:
        return evidence.window.why_unlabelled or _why_not_asked(evidence)
    gain = replayed.gain
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def _why_not_asked(evidence: WindowEvidence) -> str:
    found = evidence.way_back
    if found.gone:
        return "its image is gone"
    if found.lacks and evidence.window.labelled:
        return "it cannot answer these rows"
    return f"not asked: {found.not_asked}" if found.not_asked else "no labels for this window yet"
