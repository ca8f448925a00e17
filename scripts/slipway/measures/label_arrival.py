"""Of what was served, how much is labelled by now, and how long did labels take?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from slipway.domain.unlabelled import LabelArrival, LabelledDay

_EPOCH = date(1970, 1, 1)
_DIGITS = 3


def measure(
    rows: Mapping[int, int], labelled: npt.NDArray[np.int64], delays: npt.NDArray[np.float64] | None
) -> LabelArrival:
    """Count rows and labels by day.

    Args:
        rows: how many were served on each day, as a number of days since 1970.
        labelled: the day of each labelled row of the same window, shape (N,).
        delays: days from a row to its label, one a label; None where labels do not tell. Known before is known at once.
    """
    of_day = dict(zip(*(part.tolist() for part in np.unique(labelled, return_counts=True)), strict=True))
    days = tuple(
        LabelledDay(day=_EPOCH + timedelta(days=day), rows=number, labelled=of_day.get(day, 0))
        for day, number in sorted(rows.items())
    )
    if delays is None or len(delays) == 0:
        return LabelArrival(days=days)
    median, ninety = np.quantile(np.maximum(delays, 0.0), [0.5, 0.9])
    return LabelArrival(days=days, median_days=round(float(median), _DIGITS), ninety_days=round(float(ninety), _DIGITS))
