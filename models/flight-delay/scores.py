"""How good a yes-or-no answer is, and how good it would be without any model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model reaches on some rows, beside the F1 of always answering "late"."""

    rows: int
    f1: float
    precision: float
    recall: float
    auc: float
    always_late_f1: float

    @classmethod
    def of(cls, late: Mask, probability: npt.NDArray[Any], *, threshold: float) -> Self:
        """Compare what was `late` with `probability` >= `threshold`, both of shape (N,)."""
        said_late = probability >= threshold
        right = _count(said_late & late)
        return cls(
            rows=len(late),
            f1=f1(late, said_late),
            precision=right / max(_count(said_late), 1),
            recall=right / max(_count(late), 1),
            auc=auc(late, probability),
            always_late_f1=f1(late, np.ones_like(late)),
        )

    def __str__(self) -> str:
        parts = (f"{name} {getattr(self, name):.3f}" for name in ("f1", "precision", "recall", "auc"))
        return f"{self.rows} rows: {', '.join(parts)}; always saying late: f1 {self.always_late_f1:.3f}"


def best_threshold(late: Mask, probability: npt.NDArray[Any]) -> float:
    """Return the threshold of two decimals with the highest F1, the lowest of equal ones."""
    candidates = [percent / 100 for percent in range(1, 100)]
    return max(candidates, key=lambda threshold: f1(late, probability >= threshold))


def f1(late: Mask, said_late: Mask) -> float:
    """Return the harmonic mean of precision and recall; 0 when nothing is late and nothing was said to be."""
    return 2 * _count(said_late & late) / max(_count(said_late) + _count(late), 1)


def auc(late: Mask, probability: npt.NDArray[Any]) -> float:
    """Return the chance that a late flight got a higher probability than a punctual one, ties counted half.

    This is Mann and Whitney's U, from mean ranks, over the number of pairs; NaN when one side is empty.
    """
    _, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    positives = _count(late)
    pairs = positives * (len(late) - positives)
    wins = float(mean_rank[place[late]].sum()) - positives * (positives + 1) / 2
    return wins / pairs if pairs else float("nan")


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
