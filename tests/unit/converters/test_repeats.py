"""The noise of a source against itself."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
from slipway.converters.repeats import noise_floor
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed

_ROWS = {"x": np.linspace(0, 1, 600, dtype=np.float32).reshape(-1, 1)}


def _floor(predict: object, batch: Batch = _ROWS) -> dict[str, float]:
    return noise_floor(predict, batch, predict(batch))  # type: ignore[operator,arg-type]  # a predict of each test


def test_a_model_that_looks_at_one_row_at_a_time_has_no_noise() -> None:
    """Trees are such models; their floor is exactly 0, and the gate must know that."""
    assert _floor(lambda batch: {"y": batch["x"] * 3}) == {"y": 0.0}


def test_the_floor_is_the_largest_difference_over_all_repeats() -> None:
    """A mean or a quantile would call the one row that moves most a defect of the conversion."""

    def depends_on_the_size_of_the_batch(batch: Batch) -> Batch:
        return {"y": batch["x"] + (0.25 if len(batch["x"]) == 1 else 0.0)}

    assert _floor(depends_on_the_size_of_the_batch)["y"] == pytest.approx(0.25)


def test_a_model_that_depends_on_the_order_of_rows_is_noticed() -> None:
    """Recurrent state or sorting over the batch shows in no repeat that keeps the order."""

    def depends_on_the_first_row(batch: Batch) -> Batch:
        return {"y": batch["x"] - batch["x"][0]}

    assert _floor(depends_on_the_first_row)["y"] > 0.5


def test_other_ways_to_ask_count_as_well() -> None:
    """Two threads add in another order than one."""

    def with_two_threads(batch: Batch) -> Batch:
        return {"y": batch["x"] + np.float32(0.125)}

    floor = noise_floor(lambda batch: {"y": batch["x"]}, _ROWS, {"y": _ROWS["x"]}, otherwise=[with_two_threads])

    assert floor == {"y": pytest.approx(0.125)}


def test_float64_answers_are_compared_in_float64() -> None:
    """A source that answers in float64 has a floor far below a step of float32."""
    rows = {"x": _ROWS["x"].astype(np.float64)}

    def depends_on_the_size_of_the_batch(batch: Batch) -> Batch:
        return {"y": batch["x"] + (1e-12 if len(batch["x"]) == 1 else 0.0)}

    assert _floor(depends_on_the_size_of_the_batch, rows)["y"] == pytest.approx(1e-12, rel=1e-3)


def test_equal_infinities_and_nans_are_no_difference() -> None:
    """A model may answer NaN to NaN; that is no noise."""

    def answers_none(batch: Batch) -> Batch:
        return {"y": np.where(batch["x"] > 0.5, np.inf, np.nan)}

    assert _floor(answers_none) == {"y": 0.0}


def test_a_number_here_and_none_there_is_an_error() -> None:
    """As an infinite floor it would let every conversion pass."""

    def answers_none_to_one_row(batch: Batch) -> Batch:
        return {"y": batch["x"] * (np.nan if len(batch["x"]) == 1 else 1.0)}

    with pytest.raises(ConversionFailed, match="`y` of one row"):
        _floor(answers_none_to_one_row)


def test_words_are_equal_or_not() -> None:
    """An output of words has no distance, but it can change."""
    assert _floor(lambda batch: {"y": np.array(["late"] * len(batch["x"]), dtype=object)}) == {"y": 0.0}


def test_answers_of_another_shape_in_another_batch_are_refused() -> None:
    """One answer for 256 rows would be compared with each of them, and differ from none."""
    with pytest.raises(ConversionFailed, match=r"`y` in the shape \[256, 1\] in one batch and \[1, 1\] in another"):
        noise_floor(lambda batch: {"y": batch["x"][:1]}, _ROWS, {"y": _ROWS["x"]})


def test_no_repeat_is_kept_longer_than_it_is_compared() -> None:
    """The answers of a model with an image a row fill the memory once; four times, they would end the process."""
    kept: list[weakref.ref[np.ndarray]] = []
    most = 0

    def predict(batch: Batch) -> Batch:
        nonlocal most
        answer = batch["x"] * 2
        kept.append(weakref.ref(answer))
        most = max(most, sum(one() is not None for one in kept))
        return {"y": answer}

    noise_floor(predict, _ROWS, {"y": _ROWS["x"] * 2}, otherwise=[predict])

    assert most <= 2
