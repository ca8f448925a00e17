"""Train LightGBM models and convert them: runs in the environment of the boosters."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from sklearn import datasets
from slipway.converters import lightgbm as converter
from slipway.domain.rows import Batch, take
from trained_for_tests import Case, convert_all, matrix_of, named_columns

NUMBERS = ["hour", "minute", "distance", "dep_delay"]
PROBABILITY = [("p", "float32", [1])]
BINARY = {"objective": "binary", "num_leaves": 15, "seed": 1, "num_threads": 1, "verbosity": -1, "deterministic": True}


def train(values: Any, labels: Any, *, rounds: int = 15, names: Any = "auto", **parameters: Any) -> Any:
    rows = lightgbm.Dataset(values.astype(np.float64), labels, feature_name=names)
    return lightgbm.train({**BINARY, **parameters}, rows, num_boost_round=rounds)


def saved(booster: Any) -> Callable[[Path], None]:
    return lambda folder: booster.save_model(folder / "model.txt")


def of_flights(flights: Batch) -> Case:
    """Named columns, declared in another order than that of the training."""
    samples = {name: flights[name] for name in NUMBERS}
    half = len(flights["late"]) // 2
    booster = train(matrix_of(take(samples, slice(0, half))), flights["late"][:half, 0], rounds=50, names=NUMBERS)
    asked = take({name: samples[name] for name in reversed(NUMBERS)}, slice(half, None))
    return {"save": saved(booster), "samples": asked, "outputs": PROBABILITY}


def cancer(_: Batch) -> Case:
    values, labels = datasets.load_breast_cancer(return_X_y=True)
    values = values.astype(np.float32)
    outputs = [*PROBABILITY, ("label", "int64", [1])]
    return {"save": saved(train(values, labels)), "samples": {"m": values}, "outputs": outputs}


def wine(_: Batch) -> Case:
    values, labels = datasets.load_wine(return_X_y=True)
    samples = named_columns(values)
    booster = train(matrix_of(samples), labels, objective="multiclass", num_class=3)
    outputs = [("probabilities", "float32", [3]), ("label", "int64", [1])]
    return {"save": saved(booster), "samples": samples, "outputs": outputs}


def diabetes(**parameters: Any) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, target = datasets.load_diabetes(return_X_y=True)
        samples = named_columns(values)
        booster = train(matrix_of(samples), target, **{"objective": "regression", **parameters})
        return {"save": saved(booster), "samples": samples, "outputs": [("target", "float32", [1])]}

    return case


def missing(_: Batch) -> Case:
    """Trained on rows with holes, so that NaN has a side of its own."""
    random = np.random.default_rng(5)
    values = random.normal(size=(600, 3)).astype(np.float32)
    values[random.random((600, 3)) < 0.2] = np.nan
    booster = train(values, np.nan_to_num(values[:, 0], nan=1.0) > 0.2)
    return {"save": saved(booster), "samples": named_columns(values), "outputs": PROBABILITY}


def neighbours(_: Batch) -> Case:
    """Large numbers that float32 can just tell apart: each split lies in the middle between two neighbours."""
    values = (2.0**24 + 2 * np.random.default_rng(6).integers(0, 200, (1500, 1))).astype(np.float32)
    booster = train(values, values[:, 0] % 8 > 3, min_data_in_leaf=1, min_data_in_bin=1, max_bin=400, rounds=30)
    return {"save": saved(booster), "samples": {"x": values}, "outputs": PROBABILITY}


def seconds(dtype: str) -> Callable[[Batch], Case]:
    """Seconds since 1970, which float32 knows to about two minutes."""

    def case(_: Batch) -> Case:
        values = 1_700_000_000 + np.random.default_rng(3).integers(0, 31_536_000, (400, 1))
        booster = train(values, values[:, 0] % 86_400 > 40_000)
        return {"save": saved(booster), "samples": {"time": values.astype(dtype)}, "outputs": PROBABILITY}

    return case


def categories(_: Batch) -> Case:
    values = np.random.default_rng(7).integers(0, 9, (400, 1))
    rows = lightgbm.Dataset(values.astype(np.float64), values[:, 0] % 3 == 0, categorical_feature=[0])
    booster = lightgbm.train({**BINARY, "min_data_per_group": 1}, rows, num_boost_round=5)
    return {"save": saved(booster), "samples": {"x": values}, "outputs": PROBABILITY}


def written(content: bytes) -> Callable[[Batch], Case]:
    def save(folder: Path) -> None:
        (folder / "model.txt").write_bytes(content)

    return lambda _: {"save": save, "samples": {"x": np.zeros((3, 1), np.float32)}, "outputs": PROBABILITY}


def held_out_cancer(_: Batch) -> Case:
    """Deep trees, columns one by one."""
    values, labels = datasets.load_breast_cancer(return_X_y=True)
    samples = named_columns(values)
    booster = train(matrix_of(samples), labels, rounds=60, num_leaves=63, min_data_in_leaf=3, learning_rate=0.3)
    return {"save": saved(booster), "samples": samples, "outputs": PROBABILITY}


def held_out_digits(_: Batch) -> Case:
    values, labels = datasets.load_digits(return_X_y=True)
    pixels = values.astype(np.float32)
    booster = train(pixels, labels, objective="multiclass", num_class=10, num_leaves=7)
    return {"save": saved(booster), "samples": {"pixels": pixels}, "outputs": [("digit", "float32", [10])]}


CASES: dict[str, Callable[[Batch], Case]] = {
    "flights": of_flights,
    "breast cancer": cancer,
    "wine": wine,
    "diabetes": diabetes(),
    "missing": missing,
    "neighbours": neighbours,
    "seconds, double": seconds("float64"),
    "seconds, whole": seconds("int64"),
    "poisson": diabetes(objective="poisson"),
    "square roots": diabetes(reg_sqrt=True),
    "linear leaves": diabetes(linear_tree=True),
    "averaged": diabetes(boosting="rf", bagging_freq=1, bagging_fraction=0.7),
    "categories": categories,
    "held out: cancer": held_out_cancer,
    "held out: digits": held_out_digits,
    "held out: diabetes": diabetes(num_leaves=31, min_data_in_leaf=5, learning_rate=0.3, lambda_l2=2.0),
    "pickle": written(pickle.dumps({"tree": 1})),
    "broken": written(b"tree\nversion=v4\nobjective=binary sigmoid:1\n"),
}


if __name__ == "__main__":
    convert_all(converter, CASES, json.loads(Path(sys.argv[1]).read_text()))
