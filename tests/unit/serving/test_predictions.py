"""The distribution of answers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from serving.inference import Model
from serving.predictions import MOST_VALUES, Predictions


def text(predictions: Predictions) -> str:
    registry = CollectorRegistry()
    registry.register(predictions)
    return generate_latest(registry).decode()


def test_probabilities_fall_into_buckets_and_labels_are_counted_by_value(late: Model) -> None:
    """A graph of both shows on the first day what a metric with labels shows a month later."""
    predictions = Predictions(late.outputs)
    predictions.count(
        {"p_late": np.array([[0.07], [0.3], [np.nan]]), "airline": np.array([["AA"], ["HA"], ["AA"]])}, rows=3
    )
    page = text(predictions)

    assert 'slipway_prediction_bucket{column="0",le="0.05",output="p_late"} 0.0' in page
    assert 'slipway_prediction_bucket{column="0",le="0.1",output="p_late"} 1.0' in page
    assert 'slipway_prediction_bucket{column="0",le="+Inf",output="p_late"} 2.0' in page
    assert 'slipway_prediction_not_a_number_total{column="0",output="p_late"} 1.0' in page
    assert 'slipway_predicted_values_total{output="airline",value="AA"} 2.0' in page


@given(values=st.lists(st.floats(width=32), min_size=2, max_size=20))
def test_a_batch_counts_as_its_rows_one_by_one(late: Model, values: list[float]) -> None:
    """One row takes a quicker way through the code, and must end in the same bucket."""
    column = np.array(values, dtype=np.float32).reshape(-1, 1)
    at_once, one_by_one = Predictions(late.outputs), Predictions(late.outputs)
    at_once.count({"p_late": column}, rows=len(column))
    for row in column:
        one_by_one.count({"p_late": row.reshape(1, 1)}, rows=1)

    assert text(at_once) == text(one_by_one)


def test_free_text_does_not_fill_the_memory(late: Model) -> None:
    """A model that echoes what it was asked would give each client a time series of its own."""
    predictions = Predictions(late.outputs)
    for number in range(1000):
        predictions.count({"airline": np.array([[f"text {number}"]])}, rows=1)
    page = text(predictions)

    assert page.count("slipway_predicted_values_total{") == MOST_VALUES + 1
    assert f'value="other"}} {1000 - MOST_VALUES}.0' in page


def test_an_answer_without_a_row_for_each_row_is_left_out(late: Model) -> None:
    """It is no distribution over rows, and no reason to fail the request."""
    predictions = Predictions(late.outputs)
    predictions.count({"p_late": np.array(0.5), "airline": np.array(["a", "b"])}, rows=3)

    assert "{" not in text(predictions)
