"""What is known before labels come: when they come, and what the model's own probabilities let expect."""

from __future__ import annotations

import math
from datetime import date

from slipway.domain.pages import Frozen
from slipway.domain.verdict import Estimate, metric_title

ASSUMPTION = "the model's scores mean today what they meant at release"
_STANDARD_ERRORS = 3  # a day of few rows has fewer labels by chance, too
_NEAR = 0.05  # of a metric: what an estimate may be off, and still be worth a line


class LabelledDay(Frozen):
    day: date
    rows: int
    labelled: int


class LabelArrival(Frozen):
    """Rows and labels of each day of a window, oldest first.

    Of the labels of the longest time that was looked at, half came within `median_days` and nine of ten within
    `ninety_days` after their rows; both are None where labels do not tell when they came (`labelled_at`). What is to
    come yet is not among them, so that they rather are too short.
    """

    days: tuple[LabelledDay, ...]
    median_days: float | None = None
    ninety_days: float | None = None

    @property
    def delay_in_words(self) -> str:
        """`half of the labels came within 2.0 days, nine of ten within 5.1`; empty where they do not tell."""
        if self.median_days is None or self.ninety_days is None:
            return ""
        return f"half of the labels came within {self.median_days:.1f} days, nine of ten within {self.ninety_days:.1f}"

    def incomplete_in_words(self, *, share: float) -> str:
        """Which days are `behind`, and what that does to a metric; empty where none is."""
        late = self.behind(share=share)
        if not late:
            return ""
        worst = min(late, key=lambda one: one.labelled / one.rows)
        best = max(one.labelled / one.rows for one in self.days if one.rows)
        days = "1 day" if len(late) == 1 else f"{len(late)} days"
        of_it = f"{worst.day} has {worst.labelled / worst.rows:.0%} of {worst.rows:,} rows, the best day {best:.0%}"
        return f"the labels of {days} are not complete yet ({of_it}): what is measured leans to labels that come fast"

    def behind(self, *, share: float) -> tuple[LabelledDay, ...]:
        """The days whose labelled share is less than `share` of that of the best day, beyond chance."""
        best = max((one.labelled / one.rows for one in self.days if one.rows), default=0.0)
        expected = share * best
        return tuple(
            one
            for one in self.days
            if one.rows
            and expected - one.labelled / one.rows > _STANDARD_ERRORS * math.sqrt(expected * (1 - expected) / one.rows)
        )


class UnlabelledCheck(Frozen):
    """The estimate without labels beside what was measured on labelled rows, at release.

    `largest_error` is that of `blocks` of as many days as a window of the watch has.
    """

    rows: int
    blocks: int
    estimated: dict[str, float | None]
    measured: dict[str, float | None]
    largest_error: dict[str, float | None]

    def is_calibrated(self, metric: str) -> bool:
        """Whether the estimate was near enough to say something: of all rows together."""
        estimated, measured = self.estimated.get(metric), self.measured.get(metric)
        return estimated is not None and measured is not None and abs(estimated - measured) <= _NEAR


class UnlabelledEstimate(Frozen):
    """Metrics as the scores of a window let expect them, never measured: it holds as far as `ASSUMPTION` does.

    The interval says how days differ. `error` is how far the same estimate was off at release, at most, in `blocks` of
    the samples. `left_out` rows were answered with no number.
    """

    rows: int
    days: int
    metrics: dict[str, Estimate | None]
    error: dict[str, float | None]
    blocks: int
    left_out: int = 0

    def in_words(self, metric: str) -> str:
        """One of its metrics with what it assumes, and how well that held at release; empty where there is none."""
        estimate, error = self.metrics.get(metric), self.error.get(metric)
        if estimate is None or error is None:
            return ""
        told = f"{metric_title(metric)} {estimate} on {self.rows:,} rows"
        parts = "all samples" if self.blocks == 1 else f"{self.blocks} parts of the samples"
        return (
            f"estimate without labels: {told}; assumes that {ASSUMPTION}, "
            f"where it was off by at most {error:.3f} on {parts}"
        )
