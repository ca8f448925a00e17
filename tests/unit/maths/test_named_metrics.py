"""The table of metrics against scikit-learn itself: whatever it has must be there, and mean the same."""

from __future__ import annotations

import inspect

import pytest
from sklearn import metrics
from slipway.maths.named_metrics import (
    BY_NAME,
    DecisionKind,
    built_in,
    compared_by,
    foremost,
    known_names,
    metric_called,
)

_ASKED_OTHERWISE = {  # of a function that compares labels with answers, why it is no name of a policy
    "auc": "the area under any curve",
    "class_likelihood_ratios": "two numbers",
    "classification_report": "a text",
    "confusion_matrix": "a matrix",
    "confusion_matrix_at_thresholds": "many numbers",
    "consensus_score": "of biclusters",
    "coverage_error": "of many labels a row",
    "dcg_score": "of rankings",
    "det_curve": "a curve",
    "fbeta_score": "asks for a number of its own",
    "label_ranking_average_precision_score": "of many labels a row",
    "label_ranking_loss": "of many labels a row",
    "metric_at_thresholds": "many numbers",
    "multilabel_confusion_matrix": "matrices",
    "ndcg_score": "of rankings",
    "precision_recall_curve": "a curve",
    "precision_recall_fscore_support": "many numbers",
    "roc_curve": "a curve",
}


def _takes_labels_and_answers(name: str) -> bool:
    parameters = list(inspect.signature(getattr(metrics, name)).parameters)
    return parameters[:1] in (["y_true"], ["y1"])


def test_every_metric_of_scikit_learn_has_its_name() -> None:
    """`any scikit-learn metric` is a promise, and a new version of it must not break that unseen."""
    functions = [name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))]
    offered = {name for name in functions if _takes_labels_and_answers(name)} - set(_ASKED_OTHERWISE)

    assert offered == {one.function for one in BY_NAME.values()}


def test_every_function_is_there_and_takes_what_the_table_says() -> None:
    """A misspelt function would be told on the first release that asks for it."""
    for one in BY_NAME.values():
        parameters = inspect.signature(getattr(metrics, one.function)).parameters
        assert one.weighted <= ("sample_weight" in parameters), one.name
        assert {name for name, _ in one.arguments} <= set(parameters), one.name


def test_which_way_is_better_is_what_scikit_learns_scorers_say() -> None:
    """An error that had to stay above a floor would let only bad models pass."""
    for name in metrics.get_scorer_names():
        scorer = metrics.get_scorer(name)
        metric = metric_called(name.removeprefix("neg_"))
        if metric is not None and metric.function == scorer._score_func.__name__:
            assert metric.lower_is_better == (scorer._sign == -1), name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("roc_auc_score", "auc"),
        ("roc_auc", "auc"),
        ("f1_score", "f1"),
        ("macro_f1", "f1_macro"),
        ("mean_absolute_error", "mae"),
        ("r2_score", "r2"),
        ("brier_score_loss", "brier_score_loss"),
    ],
)
def test_a_metric_answers_to_its_name_in_scikit_learn(name: str, called: str) -> None:
    """People copy it from their notebook."""
    metric = metric_called(name)

    assert metric is not None
    assert (metric.name, name in known_names()) == (called, True)
    assert metric_called("accurracy") is None


def test_what_is_built_in_applies_to_its_kind() -> None:
    """It is measured without being asked for."""
    for kind in DecisionKind:
        for name in (*built_in(kind), *compared_by(kind), foremost(kind).name):
            assert kind in BY_NAME[name].kinds
