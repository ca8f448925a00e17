"""When labels came, and of how many rows."""

from __future__ import annotations

from datetime import date

import numpy as np
from slipway.domain.unlabelled import LabelledDay
from slipway.measures import label_arrival

_FIRST = 16_000  # 2013-10-22


def test_rows_and_labels_are_counted_by_day() -> None:
    """Also a day of which no label came, and none where labels do not tell when they did."""
    arrival = label_arrival.measure({_FIRST + 1: 50, _FIRST: 100}, np.repeat(_FIRST, 90), None)

    assert arrival.days == (
        LabelledDay(day=date(2013, 10, 22), rows=100, labelled=90),
        LabelledDay(day=date(2013, 10, 23), rows=50, labelled=0),
    )
    assert (arrival.median_days, arrival.delay_in_words) == (None, "")


def test_half_and_nine_of_ten_labels_came_within_days() -> None:
    """A label that was known before its row was logged is there at once, and none is of tomorrow."""
    delays = np.array([-0.5, 0.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 8.0, 8.0])
    arrival = label_arrival.measure({_FIRST: 11}, np.repeat(_FIRST, 11), delays)

    assert (arrival.median_days, arrival.ninety_days) == (2.0, 8.0)
    assert arrival.delay_in_words == "half of the labels came within 2.0 days, nine of ten within 8.0"


def test_days_whose_labels_are_to_come_are_behind_the_best() -> None:
    """By more than chance: of eight rows, six labels are no sign of anything."""
    labelled = np.concatenate([np.repeat(_FIRST, 97), np.repeat(_FIRST + 1, 61), np.repeat(_FIRST + 2, 6)])
    arrival = label_arrival.measure({_FIRST: 100, _FIRST + 1: 100, _FIRST + 2: 8}, labelled, None)

    assert [one.day for one in arrival.behind(share=0.9)] == [date(2013, 10, 23)]
    assert arrival.incomplete_in_words(share=0.9) == (
        "the labels of 1 day are not complete yet (2013-10-23 has 61% of 100 rows, the best day 97%): what is measured "
        "leans to labels that come fast"
    )


def test_where_all_days_are_labelled_alike_nothing_is_behind() -> None:
    """A team that labels one row in three has no labels to wait for."""
    labelled = np.repeat([_FIRST, _FIRST + 1], [33, 31])
    arrival = label_arrival.measure({_FIRST: 100, _FIRST + 1: 100}, labelled, None)

    assert arrival.incomplete_in_words(share=0.9) == ""
