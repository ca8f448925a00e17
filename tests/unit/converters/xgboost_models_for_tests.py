"""Train XGBoost models and convert them: runs in the environment of the boosters."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn import datasets
from slipway.converters import xgboost as converter
from slipway.domain.rows import Batch, take
from trained_for_tests import Case, convert_all, matrix_of, named_columns

NUMBERS = ("hour", "minute", "distance", "dep_delay")
PROBABILITY = [("p", "float32", [1])]
BINARY = {"objective": "binary:logistic", "max_depth": 4, "seed": 1, "nthread": 1}


def saved(booster: Any, ending: str = ".ubj") -> Callable[[Path], None]:
    return lambda folder: booster.save_model(folder / f"model{ending}")


def of_flights(flights: Batch) -> Case:
    """Named columns, declared in another order than that of the training."""
    samples = {name: flights[name] for name in NUMBERS}
    half = len(flights["late"]) // 2
    rows = xgboost.DMatrix(matrix_of(take(samples, slice(0, half))), flights["late"][:half], feature_names=NUMBERS)
    booster = xgboost.train(BINARY, rows, num_boost_round=50)
    asked = take({name: samples[name] for name in reversed(NUMBERS)}, slice(half, None))
    return {"save": saved(booster), "samples": asked, "outputs": PROBABILITY}


def cancer(ending: str, **stopped: Any) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, labels = datasets.load_breast_cancer(return_X_y=True)
        rows = xgboost.DMatrix(values.astype(np.float32), labels)
        watched = {"evals": [(xgboost.DMatrix(values, 1 - labels), "v")], "verbose_eval": False} if stopped else {}
        booster = xgboost.train(BINARY, rows, num_boost_round=15, **stopped, **watched)
        outputs = [*PROBABILITY, ("label", "int64", [1])]
        return {"save": saved(booster, ending), "samples": {"m": values.astype(np.float32)}, "outputs": outputs}

    return case


def wine(objective: str) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, labels = datasets.load_wine(return_X_y=True)
        samples = named_columns(values)
        parameters = {**BINARY, "objective": objective, "num_class": 3}
        booster = xgboost.train(parameters, xgboost.DMatrix(matrix_of(samples), labels), num_boost_round=10)
        outputs = [("probabilities", "float32", [3]), ("label", "int64", [1])]
        return {"save": saved(booster), "samples": samples, "outputs": outputs}

    return case


def diabetes(**parameters: Any) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, target = datasets.load_diabetes(return_X_y=True)
        samples = named_columns(values)
        objective = {**BINARY, "objective": "reg:squarederror", **parameters}
        booster = xgboost.train(objective, xgboost.DMatrix(matrix_of(samples), target), num_boost_round=20)
        return {"save": saved(booster, ".json"), "samples": samples, "outputs": [("target", "float32", [1])]}

    return case


def held_out_digits(_: Batch) -> Case:
    values, labels = datasets.load_digits(return_X_y=True)
    pixels = values.astype(np.float32)
    parameters = {**BINARY, "objective": "multi:softprob", "num_class": 10, "max_depth": 6, "subsample": 0.8}
    booster = xgboost.train(parameters, xgboost.DMatrix(pixels, labels), num_boost_round=8)
    outputs = [("digit", "float32", [10]), ("label", "int64", [1])]
    return {"save": saved(booster), "samples": {"pixels": pixels}, "outputs": outputs}


def held_out_cancer(_: Batch) -> Case:
    """Deep trees, columns one by one, and holes in the training."""
    values, labels = datasets.load_breast_cancer(return_X_y=True)
    values[np.random.default_rng(8).random(values.shape) < 0.1] = np.nan
    samples = named_columns(values)
    parameters = {**BINARY, "max_depth": 9, "eta": 0.6, "tree_method": "exact"}
    booster = xgboost.train(parameters, xgboost.DMatrix(matrix_of(samples), labels), num_boost_round=40)
    return {"save": saved(booster), "samples": samples, "outputs": PROBABILITY}


def small(
    save: Callable[[Any], Callable[[Path], None]] = saved, *, kind: str = "q", **more: Any
) -> Callable[[Batch], Case]:
    """Two columns, one of them large, whole and of another type."""

    def case(_: Batch) -> Case:
        random = np.random.default_rng(4)
        time = 1_700_000_000 + random.integers(0, 31_536_000, (400, 1))
        gate = random.integers(0, 6, (400, 1))
        samples = {"time": time.astype(np.float64), "gate": gate.astype(np.int64)}
        rows = xgboost.DMatrix(
            matrix_of(samples), time[:, 0] % 86_400 > 40_000, feature_types=["q", kind], enable_categorical=True
        )
        return {"save": save(xgboost.train(BINARY, rows, 10)), "samples": samples, "outputs": PROBABILITY, **more}

    return case


def pickled(booster: Any) -> Callable[[Path], None]:
    return written("model.ubj", pickle.dumps(booster))


def written(name: str, content: bytes) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return save


CASES: dict[str, Callable[[Batch], Case]] = {
    "flights": of_flights,
    "breast cancer, ubj": cancer(".ubj"),
    "breast cancer, json": cancer(".json"),
    "stopped early": cancer(".ubj", early_stopping_rounds=2),
    "wine": wine("multi:softprob"),
    "diabetes": diabetes(),
    "seconds, double": small(),
    "held out: digits": held_out_digits,
    "held out: cancer": held_out_cancer,
    "held out: diabetes": diabetes(max_depth=7, eta=0.5, reg_lambda=0.1),
    "labels only": wine("multi:softmax"),
    "dart": diabetes(booster="dart"),
    "categories": small(kind="c"),
    "pickle": small(pickled),
    "broken": small(lambda _: written("model.json", b'{"learner": {')),
    "three values": small(outputs=[("p", "float32", [3])]),
    "word": small(samples={"time": np.zeros((3, 1)), "gate": np.array([["A"]] * 3, dtype=object)}),
}


if __name__ == "__main__":
    convert_all(converter, CASES, json.loads(Path(sys.argv[1]).read_text()))
