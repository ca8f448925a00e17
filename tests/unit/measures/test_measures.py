"""Measures of a release on arrays small enough to count by hand; and no limit in any of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slipway.domain.evidence import TrafficEvidence
from slipway.domain.identity import ServedWindow
from slipway.domain.model import Decision
from slipway.domain.pages import File
from slipway.domain.rows import LabelledRows
from slipway.measures import fidelity, metrics, outputs, previous_version, promise, traffic

from tests import pages

_DECISION = Decision(output="p_late", threshold=0.5)


def scores(*values: float) -> dict[str, np.ndarray]:
    return {"p_late": np.array(values, np.float32).reshape(-1, 1)}


def rows(labels: list[bool], *, days: list[int] | None = None, counts: list[bool] | None = None) -> LabelledRows:
    number = len(labels)
    words = np.array(["a", "b"] * number, object)[:number].reshape(-1, 1)
    return LabelledRows(
        batch={"carrier": words, "origin": words, "dest": words},
        labels=np.array(labels),
        days=np.array(days or range(number), np.int64),
        counts=np.array(counts or [True] * number),
    )


# --- fidelity -----------------------------------------------------------------------------------------------


def test_the_largest_difference_counts_and_not_a_quantile() -> None:
    """A single rare category that went wrong is one row of thousands."""
    found = fidelity.measure(
        source=scores(0.1, 0.6, 0.9),
        onnx=scores(0.1, 0.4, 0.9),
        source_edges=scores(2.0),
        onnx_edges=scores(2.0),
        noise_floor={"p_late": 1e-7},
        decision=_DECISION,
    )

    assert found.largest_difference == pytest.approx(0.2)
    assert (found.rows, found.edge_rows, found.flips, found.worst_rows) == (3, 1, 1, (1,))
    assert found.flip_margins == pytest.approx((0.1,), abs=1e-6)
    assert found.largest_output == pytest.approx(0.9)


def test_a_number_against_nan_is_a_row_apart() -> None:
    """It has no size, so it is counted."""
    found = fidelity.measure(
        source=scores(0.1, np.nan),
        onnx=scores(np.nan, np.nan),
        source_edges=scores(1.0),
        onnx_edges=scores(np.inf),
        noise_floor={},
        decision=_DECISION,
    )

    assert (found.unlike_rows, found.largest_difference, found.noise_floor) == (2, 0.0, 0.0)


def test_an_output_of_words_is_compared_as_words() -> None:
    """A model may answer with a label beside its score."""
    words = {**scores(0.1, 0.9), "airline": np.array([["AA"], ["HA"]], object)}
    others = {**scores(0.1, 0.9), "airline": np.array([["AA"], ["UA"]], object)}

    found = fidelity.measure(
        source=words, onnx=others, source_edges=words, onnx_edges=words, noise_floor={}, decision=_DECISION
    )

    assert found.unlike_rows == 1
    assert found.largest_output == pytest.approx(0.9)


# --- metrics ------------------------------------------------------------------------------------------------


def test_only_rows_that_count_are_scored() -> None:
    """Rows that were trained on would flatter the model."""
    measured = metrics.measure(
        rows([True, False, True, True], days=[1, 1, 2, 2], counts=[True, True, True, False]),
        scores(0.9, 0.1, 0.9, 0.1),
        _DECISION,
    )

    assert (measured.rows, measured.positives, measured.days) == (3, 2, 2)
    assert measured.metrics["f1"] is not None
    assert measured.metrics["f1"].value == 1.0
    assert measured.auc == 1.0


def test_one_day_has_no_interval() -> None:
    """Nothing shows how days differ."""
    measured = metrics.measure(rows([True, False], days=[1, 1]), scores(0.9, 0.1), _DECISION)

    assert set(measured.metrics.values()) == {None}


def test_nan_is_scored_as_a_no() -> None:
    """As it is served; that it is NaN is told by another gate."""
    measured = metrics.measure(rows([True, True, True], days=[1, 2, 3]), scores(np.nan, 0.9, 0.9), _DECISION)

    recall = measured.metrics["recall"]
    assert recall is not None
    assert recall.value == pytest.approx(2 / 3, abs=1e-6)


# --- outputs ------------------------------------------------------------------------------------------------


def test_rows_that_are_not_finite_are_counted_once() -> None:
    """However many outputs of a row are NaN."""
    found = outputs.measure(pages.model(), scores(0.1, np.nan, np.inf), rows=3)

    assert (found.rows, found.not_finite, found.wrong_shapes) == (3, {"p_late": 2}, ())


def test_answers_of_a_log_are_counted_by_output_without_a_release() -> None:
    """A canary has no samples: what it answered is in pieces, and an output that a piece lacks has nothing wrong."""
    found = outputs.not_finite(scores(0.1, np.nan, -np.inf), pages.model().outputs)

    assert found == {"p_late": 2}
    assert outputs.not_finite({}, pages.model().outputs) == {"p_late": 0}


def test_another_shape_is_told_with_the_declared_one() -> None:
    """[N] and [N, 1] look alike in a notebook and not at a client."""
    found = outputs.measure(pages.model(), {"p_late": np.zeros(3, np.float32)}, rows=3)

    assert found.wrong_shapes == ("output `p_late` has shape [3], declared is [3, 1]",)


# --- promise, traffic and the version before ----------------------------------------------------------------


def test_each_version_decides_by_its_own_output_and_threshold() -> None:
    """A major version may rename its output; its users still get one decision a row."""
    model = pages.model().model_copy(update={"decision": _DECISION})
    before = {"p_delay": np.array([[0.3], [0.3], [0.1]], np.float32)}

    found = promise.measure(
        model=model,
        version="v1.0.0",
        before=model.signature,
        rows=rows([True, False, False]),
        outputs_before=before,
        outputs=scores(0.9, 0.1, 0.9),
        noise_floor=1e-7,
        decision_before=Decision(output="p_delay", threshold=0.2),
    )

    assert (found.now_positive, found.now_negative, found.rows) == (1, 1, 3)
    assert [(one.column, one.value, one.flips) for one in found.slices][:2] == [
        ("carrier", "a", 1),
        ("carrier", "b", 1),
    ]


def test_without_answers_only_signatures_are_compared() -> None:
    """Zero rows say nothing, and must not be taken for agreement."""
    found = promise.measure(
        model=pages.model(),
        version="v1.0.0",
        before=pages.model().signature,
        rows=rows([True, False]),
        outputs_before=None,
        outputs=scores(0.9, 0.1),
        noise_floor=1e-7,
        decision_before=_DECISION,
    )

    assert (found.rows, set(found.differences.values())) == (0, {None})


_SERVED = ServedWindow(
    file=File(name="served", sha256="0" * 64, size=1), since="2026-01-01", until="2026-01-07", rows=3
)


def replayed(before: list[float], after: list[float], **asked: list[object]) -> TrafficEvidence:
    return traffic.measure(
        served=_SERVED,
        version="v1.0.0",
        asked={name: np.array(column, object).reshape(-1, 1) for name, column in asked.items()},
        deployed={"p_delay": np.array(before, np.float32).reshape(-1, 1)},
        candidate=scores(*after),
        decision=_DECISION,
        deployed_decision=Decision(output="p_delay", threshold=0.2),
    )


def test_traffic_counts_decisions_and_each_version_has_its_own() -> None:
    """A threshold that moves with the version is what users notice, not the score."""
    found = replayed([0.3, 0.1, 0.3], [0.9, 0.9, 0.1])

    assert (found.rows, found.flips, found.version) == (3, 2, "v1.0.0")


def test_flips_are_counted_by_value_where_somebody_asks_by_what() -> None:
    """Of a canary it is told where it decides otherwise; a release is shown that on its samples."""
    carrier = next(one for one in pages.model().inputs if one.name == "carrier")
    told: dict[str, Any] = {
        "served": _SERVED,
        "version": "v1.0.0",
        "asked": {"carrier": np.array([["AA"], ["HA"], ["HA"]], object)},
        "deployed": scores(0.1, 0.1, 0.9),
        "candidate": scores(0.1, 0.9, 0.9),
        "decision": _DECISION,
        "deployed_decision": _DECISION,
    }

    (found,) = traffic.measure(**told, by=[carrier]).slices
    assert (found.column, found.value, found.rows, found.flips) == ("carrier", "HA", 2, 1)
    assert traffic.measure(**told).slices == ()


def test_the_ten_rows_that_move_most_are_told_with_what_was_asked() -> None:
    """A reviewer who knows the field sees in ten rows what a share never says."""
    before = [number / 100 for number in range(30)]

    found = replayed(before, [score * 2 for score in before], hour=[float(number) for number in range(30)])

    assert [row.inputs["hour"] for row in found.moved] == [str(hour) for hour in range(29, 19, -1)]
    assert (found.moved[0].before, found.moved[0].after) == (0.29, 0.58)
    assert [row.flips for row in found.moved[:6]] == [False] * 5 + [True]


def test_a_row_that_does_not_move_is_not_listed() -> None:
    """An empty list says more than ten rows of nothing."""
    assert replayed([0.3, np.nan], [0.3, np.nan], carrier=["AA", "HA"]).moved == ()


def test_a_score_that_becomes_no_number_moves_most() -> None:
    """And a page can hold it: JSON knows no NaN."""
    first, second = replayed([0.1, 0.3], [0.9, np.nan], carrier=["AA", "HA"]).moved

    assert (first.inputs, first.after) == ({"carrier": "HA"}, None)
    assert (second.inputs, second.after) == ({"carrier": "AA"}, 0.9)


def test_of_a_row_only_so_much_is_kept_as_a_reader_needs() -> None:
    """The log is deleted some day; a record is kept."""
    wide: dict[str, list[object]] = {f"column {number:02}": ["v" * 5_000] for number in range(60)}

    [row] = replayed([0.1], [0.9], **wide).moved

    assert len(row.inputs) == 20
    assert {len(text) for text in row.inputs.values()} == {40}


def test_the_version_before_is_scored_on_the_same_rows() -> None:
    """The difference is previous minus deployed: above zero, going back would help."""
    labels = [True, False] * 10
    days = [number // 4 for number in range(20)]

    found = previous_version.measure(
        rows(labels, days=days),
        version="v1.0.0",
        deployed=scores(*[0.1] * 20),
        previous=scores(*[0.9, 0.1] * 10),
        decision=_DECISION,
        previous_decision=_DECISION,
    )

    assert (found.version, found.rows) == ("v1.0.0", 20)
    assert found.difference is not None
    assert found.difference.value == 1.0
