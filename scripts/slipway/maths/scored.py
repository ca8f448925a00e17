"""Answers to labelled rows, as metrics ask for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """`labels` and `decisions` have shape (N,): bools, places of classes from 0, or float64. `classes` is how many
    classes there are, 0 of other kinds; a decision for none of them is `classes`. `scores` are what decisions were
    taken from, (N,) or (N, classes), None where the model only tells its decision. `groups` tells which rows belong
    together.
    """

    labels: npt.NDArray[Any]
    decisions: npt.NDArray[Any]
    scores: npt.NDArray[Any] | None
    groups: npt.NDArray[Any]
    classes: int = 0

    def part(self, members: npt.NDArray[np.bool_]) -> Scored:
        """Some of the rows, shape (N,)."""
        return replace(
            self,
            labels=self.labels[members],
            decisions=self.decisions[members],
            scores=None if self.scores is None else self.scores[members],
            groups=self.groups[members],
        )
