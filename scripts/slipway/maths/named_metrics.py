"""The metrics that a policy may name: what they are called, what they ask for, and which way is better.

Built in are f1, precision, recall, accuracy, auc, f1_macro and mae; the others are functions of `sklearn.metrics`, by
their names with or without the ending `_score`. This table is read where policies are, so it imports neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class DecisionKind(StrEnum):
    """What an answer is turned into; its words are those of a sentence about the model."""

    YES_OR_NO = "yes or no"
    ONE_OF_SEVERAL = "one of several classes"
    NUMBER = "a number"


_BINARY = frozenset({DecisionKind.YES_OR_NO})
_SEVERAL = frozenset({DecisionKind.ONE_OF_SEVERAL})
_CLASSES = _BINARY | _SEVERAL
_NUMBERS = frozenset({DecisionKind.NUMBER})


@dataclass(frozen=True, slots=True)
class Metric:
    """`function` is the one of `sklearn.metrics` that has the same value, called with `arguments`.

    It is asked about decisions, or about the numbers that they were taken from where `of_scores`. Where it is
    `unbounded`, a difference of it says something only beside its size. `weighted` tells whether the function takes
    `sample_weight`.
    """

    name: str
    function: str
    kinds: frozenset[DecisionKind]
    lower_is_better: bool = False
    of_scores: bool = False
    unbounded: bool = False
    lowest: float | None = 0.0
    counts_positives: bool = False
    weighted: bool = True
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def title(self) -> str:
        return _TITLES.get(self.name, self.name.replace("_", " ").capitalize())


_TITLES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "f1": "F1",
    "f1_macro": "Macro F1",
    "f1_micro": "Micro F1",
    "f1_weighted": "Weighted F1",
    "mae": "MAE",
    "positive_rate": "Share decided yes",
    "r2": "R²",
    "roc_auc_ovo": "AUC, one against one",
    "roc_auc_ovr": "AUC, one against the rest",
}


def _averaged(name: str) -> tuple[Metric, ...]:
    """One of each class, made one number."""
    return tuple(
        Metric(f"{name}_{how}", f"{name}_score", _CLASSES, arguments=(("average", how),))
        for how in ("macro", "micro", "weighted")
    )


def _error(name: str, **more: Any) -> Metric:
    return Metric(name, name, _NUMBERS, lower_is_better=True, unbounded=True, **more)


_ALL = (
    Metric("f1", "f1_score", _BINARY, counts_positives=True),
    Metric("precision", "precision_score", _BINARY, counts_positives=True),
    Metric("recall", "recall_score", _BINARY, counts_positives=True),
    Metric("jaccard", "jaccard_score", _BINARY, counts_positives=True),
    *_averaged("f1"),
    *_averaged("precision"),
    *_averaged("recall"),
    *_averaged("jaccard"),
    Metric("accuracy", "accuracy_score", _CLASSES),
    Metric("balanced_accuracy", "balanced_accuracy_score", _CLASSES),
    Metric("cohen_kappa", "cohen_kappa_score", _CLASSES, lowest=-1.0),
    Metric("matthews_corrcoef", "matthews_corrcoef", _CLASSES, lowest=-1.0),
    Metric("hamming_loss", "hamming_loss", _CLASSES, lower_is_better=True),
    Metric("zero_one_loss", "zero_one_loss", _CLASSES, lower_is_better=True),
    Metric("auc", "roc_auc_score", _BINARY, of_scores=True, counts_positives=True),
    Metric("average_precision", "average_precision_score", _CLASSES, of_scores=True, counts_positives=True),
    Metric("roc_auc_ovr", "roc_auc_score", _SEVERAL, of_scores=True, arguments=(("multi_class", "ovr"),)),
    Metric(
        "roc_auc_ovo", "roc_auc_score", _SEVERAL, of_scores=True, weighted=False, arguments=(("multi_class", "ovo"),)
    ),
    Metric("top_k_accuracy", "top_k_accuracy_score", _SEVERAL, of_scores=True),
    Metric("log_loss", "log_loss", _CLASSES, lower_is_better=True, of_scores=True, unbounded=True),
    Metric("brier_score_loss", "brier_score_loss", _CLASSES, lower_is_better=True, of_scores=True),
    Metric("hinge_loss", "hinge_loss", _BINARY, lower_is_better=True, of_scores=True, unbounded=True),
    Metric("d2_log_loss", "d2_log_loss_score", _CLASSES, of_scores=True, lowest=None),
    Metric("d2_brier", "d2_brier_score", _CLASSES, of_scores=True, lowest=None),
    Metric("mae", "mean_absolute_error", _NUMBERS, lower_is_better=True, unbounded=True),
    _error("mean_squared_error"),
    _error("root_mean_squared_error"),
    _error("mean_squared_log_error"),
    _error("root_mean_squared_log_error"),
    _error("median_absolute_error"),
    _error("mean_absolute_percentage_error"),
    _error("max_error", weighted=False),
    _error("mean_pinball_loss"),
    _error("mean_poisson_deviance"),
    _error("mean_gamma_deviance"),
    _error("mean_tweedie_deviance"),
    Metric("r2", "r2_score", _NUMBERS, lowest=None),
    Metric("explained_variance", "explained_variance_score", _NUMBERS, lowest=None),
    Metric("d2_absolute_error", "d2_absolute_error_score", _NUMBERS, lowest=None),
    Metric("d2_pinball", "d2_pinball_score", _NUMBERS, lowest=None),
    Metric("d2_tweedie", "d2_tweedie_score", _NUMBERS, lowest=None),
)
BY_NAME: Mapping[str, Metric] = MappingProxyType({one.name: one for one in _ALL})
POSITIVE_RATE = Metric("positive_rate", "", _BINARY)  # of the rows, those decided yes; labels play no part
FAIRNESS: Mapping[str, Metric] = MappingProxyType(
    {"demographic_parity": POSITIVE_RATE, "equal_opportunity": BY_NAME["recall"]}
)  # what groups are compared by, a criterion
_ALSO_CALLED = {"roc_auc": "auc", "roc_auc_score": "auc", "mean_absolute_error": "mae", "macro_f1": "f1_macro"}
_BUILT_IN = {
    DecisionKind.YES_OR_NO: ("accuracy", "auc", "f1", "precision", "recall"),
    DecisionKind.ONE_OF_SEVERAL: ("accuracy", "f1_macro"),
    DecisionKind.NUMBER: ("mae", "r2"),
}
_FOREMOST = {
    DecisionKind.YES_OR_NO: "f1",
    DecisionKind.ONE_OF_SEVERAL: "f1_macro",
    DecisionKind.NUMBER: "mae",
}
_COMPARED = {
    DecisionKind.YES_OR_NO: ("f1", "precision", "recall"),
    DecisionKind.ONE_OF_SEVERAL: ("accuracy", "f1_macro"),
    DecisionKind.NUMBER: ("mae",),
}


def metric_called(name: str) -> Metric | None:
    """The metric of that name, or of a name that scikit-learn has for it; None of an unknown one."""
    known = name if name in BY_NAME else name.removesuffix("_score")
    return BY_NAME.get(_ALSO_CALLED.get(known, known))


def known_names() -> set[str]:
    """All names that `metric_called` knows."""
    functions = {f"{name}_score" for name in BY_NAME if BY_NAME[name].function == f"{name}_score"}
    return {*BY_NAME, *_ALSO_CALLED, *functions}


def built_in(kind: DecisionKind) -> tuple[str, ...]:
    """What is measured of each model of a kind, whether a policy asks for it or not."""
    return _BUILT_IN[kind]


def foremost(kind: DecisionKind) -> Metric:
    """What tells two versions apart where no policy says by what."""
    return BY_NAME[_FOREMOST[kind]]


def compared_by(kind: DecisionKind) -> tuple[str, ...]:
    """What a minor version must not be worse in, beside what the policy on metrics names."""
    return _COMPARED[kind]
