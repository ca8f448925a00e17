"""The distribution of what the model answers, for a graph that shows a shift before anybody has labels.

Numbers of floating point fall into buckets that are the same for every model: fine between 0 and 1, where
probabilities lie, and coarse beyond. Whole numbers, truth values and texts are counted by value, a few of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.tensors import Array, Batch, TensorSpecification

_BEYOND = [step * 10.0**power for power in range(7) for step in (1, 2, 5)][1:]
EDGES = (*(-edge for edge in reversed(_BEYOND)), -1.0, *(step / 20 for step in range(21)), *_BEYOND)
_EDGES_AND_ALL = np.array([*EDGES, np.inf])
MOST_COLUMNS = 16  # of an output: an embedding is no distribution that anybody looks at
MOST_VALUES = 50  # by name: a model that answers free text must not fill the memory of whoever scrapes us
_LONGEST_VALUE = 60
OTHER = "other"


class Predictions(Collector):
    """Counts what goes out, one output and column at a time."""

    def __init__(self, outputs: Mapping[str, TensorSpecification]) -> None:
        self._distributions = {name: _distribution(specification) for name, specification in outputs.items()}

    def count(self, answer: Batch, *, rows: int) -> None:
        """Count the outputs of one answer; one that has not a row for each row asked is left out."""
        for name, array in answer.items():
            if array.ndim and len(array) == rows and array.size <= rows * MOST_COLUMNS:
                self._distributions[name].count(array, rows)

    def collect(self) -> Iterable[Metric]:
        """As the registry of Prometheus' client asks it."""
        histogram = HistogramMetricFamily(
            "slipway_prediction", "Values of floating point that were answered", labels=["output", "column"]
        )
        absent = CounterMetricFamily(
            "slipway_prediction_not_a_number", "Answers that are not a number", labels=["output", "column"]
        )
        values = CounterMetricFamily(
            "slipway_predicted_values", "Answers by value, of outputs that are no floats", labels=["output", "value"]
        )
        for name, distribution in self._distributions.items():
            distribution.add_to(name, histogram, absent, values)
        return histogram, absent, values


class _Column:
    """Buckets of one column, the last for what is larger than every edge. No sum: Prometheus has none below zero."""

    def __init__(self) -> None:
        self._buckets = np.zeros(len(EDGES) + 1, dtype=np.int64)  # of answers of one row
        self._up_to = np.zeros(len(EDGES) + 1, dtype=np.int64)  # of the others, cumulated
        self.absent = 0

    @property
    def cumulated(self) -> list[int]:
        """How many values lie at or below each edge; the last: how many there are."""
        counts: list[int] = (np.cumsum(self._buckets) + self._up_to).tolist()
        return counts

    def count_one(self, value: float) -> None:
        if value != value:  # noqa: PLR0124 - not a number, in the quickest words
            self.absent += 1
            return
        self._buckets[bisect_left(EDGES, value)] += 1

    def count(self, values: Array) -> None:
        """To look up the edges in sorted values is quicker than values among the edges; NaN is sorted to the end."""
        up_to = np.searchsorted(np.sort(values), _EDGES_AND_ALL, side="right")
        self._up_to += up_to
        self.absent += len(values) - int(up_to[-1])


class _Floats:
    def __init__(self) -> None:
        self._columns: list[_Column] = []

    def count(self, array: Array, rows: int) -> None:
        width = array.size // rows
        while len(self._columns) < width:  # where the model leaves the width free, the widest answer says it
            self._columns.append(_Column())
        if rows == 1:
            for column, value in zip(self._columns, array.ravel().tolist(), strict=False):
                column.count_one(value)
        else:
            for column, values in zip(self._columns, array.reshape(rows, width).T, strict=False):
                column.count(values)

    def add_to(
        self, name: str, histogram: HistogramMetricFamily, absent: CounterMetricFamily, _: CounterMetricFamily
    ) -> None:
        bounds = [*map(str, EDGES), "+Inf"]
        for number, column in enumerate(self._columns):
            labels = [name, str(number)]
            histogram.add_metric(labels, list(zip(bounds, column.cumulated, strict=True)), sum_value=None)
            absent.add_metric(labels, column.absent)


class _Values:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, array: Array, rows: int) -> None:
        if array.size == rows:
            for value, number in Counter(array.ravel().tolist()).items():
                text = str(value)[:_LONGEST_VALUE]
                known = text in self._counts or len(self._counts) < MOST_VALUES
                self._counts[text if known else OTHER] += number

    def add_to(self, name: str, _: HistogramMetricFamily, __: CounterMetricFamily, values: CounterMetricFamily) -> None:
        for value, number in self._counts.items():
            values.add_metric([name, value], number)


def _distribution(specification: TensorSpecification) -> _Floats | _Values:
    return _Floats() if specification.kind.datatype.startswith("FP") else _Values()
