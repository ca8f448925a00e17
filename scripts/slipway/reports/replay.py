"""What `slipway replay` prints: what is the same, what differs, and what could not be had."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.domain.replayed import Beside, Missing, Replay
from slipway.reports.columns import columns
from slipway.reports.numbers import NOTHING


def replay_text(replay: Replay) -> str:
    """Plain text for a terminal, the verdicts first."""
    parts = [_headline(replay), *_differences(replay), *_lines(replay), *_times(replay.beside)]
    return "\n\n".join(parts) + "\n"


def _headline(replay: Replay) -> str:
    if replay.recorded is not replay.now:
        return f"{replay.subject}: was `{replay.recorded}`, and comes to `{replay.now}` now"
    pages = f"same again: {', '.join(replay.same)}" if replay.same else "no page says the same"
    return f"{replay.subject}: {replay.now}, as recorded; {pages}"


def _differences(replay: Replay) -> Iterator[str]:
    if replay.differences:
        rows = [(one.page, one.field, one.recorded, one.now) for one in replay.differences]
        yield columns(("page", "what", "recorded", "now"), rows)


def _lines(replay: Replay) -> Iterator[str]:
    told = [*(_missing(one) for one in replay.missing), *(f"note: {one}" for one in replay.notices)]
    if told:
        yield "\n".join(told)


def _missing(one: Missing) -> str:
    taken = f"; taken as recorded: {one.taken_as_recorded}" if one.taken_as_recorded else ""
    return f"could not be had: {one.what}: {one.why}{taken}"


def _times(beside: tuple[Beside, ...]) -> Iterator[str]:
    """Shown and not judged: no two machines take the same time."""
    if beside:
        rows = [(one.what, _number(one.recorded), _number(one.now)) for one in beside]
        yield columns(("not judged again", "recorded", "now"), rows)


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"
