"""What `slipway doctor` prints: a line a finding, the gravest first, and under it what mends it."""

from __future__ import annotations

from collections import Counter

from slipway.domain.checkup import Checkup, Finding, State
from slipway.reports.plain import one_line

_WORDS = {
    State.PROBLEM: "to mend",
    State.UNKNOWN: "not seen",
    State.UNAVAILABLE: "not to be had here",
    State.OK: "well",
}
_WIDTH = max(map(len, _WORDS.values()))


def checkup_text(checkup: Checkup) -> str:
    """Plain text; the last line counts."""
    counted = Counter(finding.state for finding in checkup.findings)
    counts = ", ".join(f"{counted[state]} {words}" for state, words in _WORDS.items() if counted[state])
    return "\n".join([*(line for finding in checkup.findings for line in _lines(finding)), counts])


def _lines(finding: Finding) -> list[str]:
    told = [f"{_WORDS[finding.state]:<{_WIDTH}}  {one_line(f'{finding.name}: {finding.text}')}"]
    return [*told, f"{'':<{_WIDTH}}  mend: {one_line(finding.mend)}"] if finding.mend else told
