"""What came of measuring a release or a window again: what is the same, what differs, what could not be had."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from slipway.domain.incident import Outcome
from slipway.domain.pages import Frozen
from slipway.domain.verdict import Finding, Verdict
from slipway.maths.agreement import SMALLEST_TOLERANCE

_LONGEST = 120  # characters of a value


class Difference(Frozen):
    """`field` names what of the page differs, its parts parted by dots."""

    page: str
    field: str
    recorded: str
    now: str


class Missing(Frozen):
    """What could not be had, why, and what was therefore not measured again but taken as recorded."""

    what: str
    why: str
    taken_as_recorded: str


class Beside(Frozen):
    """A time or a size that depends on the machine: shown, and not judged again; None where it is not known."""

    what: str
    recorded: float | None
    now: float | None


class Replay(Frozen):
    """`same` names the pages that say the same again; `notices` tell what else to know when reading it.

    A release came to a verdict, an incident to what is to be done.
    """

    subject: str
    recorded: Verdict | Outcome
    now: Verdict | Outcome
    same: tuple[str, ...]
    differences: tuple[Difference, ...]
    missing: tuple[Missing, ...]
    notices: tuple[str, ...]
    beside: tuple[Beside, ...]


def differences_between(
    page: str, recorded: Frozen, now: Frozen, *, leave_out: Collection[str] = ()
) -> list[Difference]:
    """Compare what a page said with what it says now.

    Only fields that the recorded page has are compared: one of an older Slipway cannot say what was measured since.
    Numbers with a fraction may differ by 16 steps of float32, as between two processors; all else must be equal.
    """
    then, since = recorded.model_dump(mode="json", exclude_unset=True), now.model_dump(mode="json")
    pairs = ((name, value, since.get(name)) for name, value in then.items() if name not in leave_out)
    return [
        Difference(page=page, field=field, recorded=_shown(old), now=_shown(new))
        for name, value, other in pairs
        for field, old, new in _apart(name, value, other)
    ]


def other_verdicts(recorded: Sequence[Finding], now: Sequence[Finding]) -> list[Difference]:
    """The questions that are answered otherwise, or that only one of the two asks."""
    then, since = _by_question(recorded), _by_question(now)
    return [
        Difference(page="verdicts", field=f"{gate}: {title}", recorded=old, now=new)
        for gate, title in {**then, **since}
        for old, new in [(then.get((gate, title), "not asked"), since.get((gate, title), "not asked"))]
        if old != new
    ]


def _by_question(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    """A gate can answer several times under one title."""
    found: dict[tuple[str, str], str] = {}
    for one in findings:
        key = (one.gate, one.title)
        found[key] = f"{found[key]}, {one.verdict}" if key in found else str(one.verdict)
    return found


def _apart(field: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name, value in old.items():
            yield from _apart(f"{field}.{name}", value, new.get(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _apart(f"{field}.{number}", one, other)
    elif not _agree(old, new):
        yield field, old, new


def _agree(old: Any, new: Any) -> bool:
    numbers = (int, float)
    if isinstance(old, numbers) and isinstance(new, numbers) and float in (type(old), type(new)):
        return math.isclose(old, new, rel_tol=SMALLEST_TOLERANCE, abs_tol=SMALLEST_TOLERANCE)
    return type(old) is type(new) and bool(old == new)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else f"{len(value)} values" if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
