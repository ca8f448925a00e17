"""What `slipway replay` says to the person who doubts a verdict."""

from __future__ import annotations

from typing import Any

from slipway.domain.replayed import Beside, Difference, Missing, Replay
from slipway.domain.verdict import Verdict
from slipway.reports.replay import replay_text


def replay(**changes: Any) -> Replay:
    plain = Replay(
        subject="flight-delay@v1.4.0",
        recorded=Verdict.PASS,
        now=Verdict.PASS,
        same=("identity", "conversion", "evidence", "rehearsal", "verdicts"),
        differences=(),
        missing=(),
        notices=(),
        beside=(),
    )
    return plain.model_copy(update=changes)


def test_what_is_the_same_is_said_in_one_line() -> None:
    """Most replays end here."""
    assert replay_text(replay()) == (
        "flight-delay@v1.4.0: pass, as recorded; same again: identity, conversion, evidence, rehearsal, verdicts\n"
    )


def test_another_verdict_comes_first_and_then_what_differs() -> None:
    """With the page, the field and both values, and times apart from all that is judged."""
    text = replay_text(
        replay(
            now=Verdict.FAIL,
            same=("identity",),
            differences=(Difference(page="verdicts", field="metrics: F1", recorded="pass", now="fail"),),
            missing=(Missing(what="what was served", why="no log has it", taken_as_recorded="traffic"),),
            notices=("onnxruntime 1.22 then, 1.32 now",),
            beside=(Beside(what="p50, s", recorded=4.66e-05, now=None),),
        )
    )

    assert text == (
        "flight-delay@v1.4.0: was `pass`, and comes to `fail` now\n\n"
        "page      what         recorded  now\n"
        "────────  ───────────  ────────  ────\n"
        "verdicts  metrics: F1  pass      fail\n\n"
        "could not be had: what was served: no log has it; taken as recorded: traffic\n"
        "note: onnxruntime 1.22 then, 1.32 now\n\n"
        "not judged again  recorded  now\n"
        "────────────────  ────────  ───\n"
        "p50, s            4.66e-05  –\n"
    )
