"""Train scikit-learn models and convert them: runs in the environment of scikit-learn."""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from skl2onnx.sklapi import CastTransformer
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from slipway.converters import scikit_learn
from slipway.domain.rows import Batch, take
from trained_for_tests import Case, convert_all, matrix_of, named_columns

NUMBERS = ["hour", "minute", "distance", "dep_delay"]
WORDS = ["carrier", "origin", "dest"]
TREES = {
    "pickle": False,
    "types": [
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "skl2onnx.sklapi.cast_transformer.CastTransformer",
    ],
}
PROBABILITY = [("p", "float32", [1])]


def saved(model: Any) -> Callable[[Path], None]:
    return lambda folder: skops.io.dump(model, folder / "model.skops")


def of_flights(numbers: Any, words: Any, final: Any, flights: Batch) -> Case:
    """A pipeline with categories, trained on the first half and asked about the second, float64 as pandas reads it."""
    columns = {name: column[:, 0].astype("float64" if name in NUMBERS else object) for name, column in flights.items()}
    frame = pd.DataFrame(columns)
    half = len(frame) // 2
    model = make_pipeline(make_column_transformer((numbers, NUMBERS), (words, WORDS)), final)
    model.fit(frame[[*NUMBERS, *WORDS]][:half], flights["late"][:half, 0])
    asked = take({name: flights[name] for name in (*NUMBERS, *WORDS)}, slice(half, None))
    return {"save": saved(model), "samples": asked, "outputs": PROBABILITY, "trust": TREES}


def linear(flights: Batch) -> Case:
    return of_flights(
        StandardScaler(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=300), flights
    )


def scaler_before_trees(flights: Batch) -> Case:
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return of_flights(StandardScaler(), words, HistGradientBoostingClassifier(random_state=1), flights)


def scaler_between_casts(flights: Batch) -> Case:
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scaler = make_pipeline(CastTransformer(dtype=np.float64), StandardScaler(), CastTransformer(dtype=np.float32))
    return of_flights(scaler, words, HistGradientBoostingClassifier(random_state=1), flights)


def scaler_before_a_forest(flights: Batch) -> Case:
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return of_flights(StandardScaler(), words, RandomForestClassifier(20, max_depth=8, random_state=1), flights)


def ordinal_forest(flights: Batch) -> Case:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return of_flights("passthrough", words, RandomForestClassifier(20, max_depth=8, random_state=1), flights)


def breast_cancer(_: Batch) -> Case:
    """One wide input, and both answers of a classifier."""
    values, labels = datasets.load_breast_cancer(return_X_y=True)
    values = values.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(values, labels)
    outputs = [*PROBABILITY, ("label", "int64", [1])]
    return {"save": saved(model), "samples": {"measured": values}, "outputs": outputs}


def wine(_: Batch) -> Case:
    """Three classes with names, and trees that were trained on thirteen columns."""
    values, labels = datasets.load_wine(return_X_y=True)
    names = np.array(["barolo", "grignolino", "barbera"], dtype=object)[labels]
    samples = named_columns(values)
    model = HistGradientBoostingClassifier(max_iter=20, random_state=1).fit(matrix_of(samples), names)
    outputs = [("probabilities", "float32", [3]), ("label", "string", [1])]
    return {"save": saved(model), "samples": samples, "outputs": outputs, "trust": TREES}


def regression(model: Any, outputs: Any = (("target", "float32", [1]),)) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, target = datasets.load_diabetes(return_X_y=True)
        samples = named_columns(values)
        fitted = model.fit(pd.DataFrame(matrix_of(samples), columns=list(samples)), target)
        shuffled = {name: samples[name] for name in reversed(samples)}  # a source with names is asked by them
        return {"save": saved(fitted), "samples": shuffled, "outputs": list(outputs), "trust": TREES}

    return case


def digits(_: Batch) -> Case:
    values, labels = (part[:500] for part in datasets.load_digits(return_X_y=True))
    values = values.astype(np.float32)
    model = RandomForestClassifier(20, random_state=1).fit(values, labels)
    outputs = [("probabilities", "float32", [10]), ("digit", "int64", [1])]
    return {"save": saved(model), "samples": {"pixels": values}, "outputs": outputs, "trust": TREES}


def seconds(dtype: str, model: Any) -> Callable[[Batch], Case]:
    """Days of a year as seconds since 1970, which float32 knows to about two minutes."""

    def case(_: Batch) -> Case:
        random = np.random.default_rng(3)
        values = 1.7e9 + random.integers(0, 31_536_000, (400, 1)).astype(np.float64)
        late = (values[:, 0] % 86_400 > 40_000) ^ (random.random(400) < 0.1)
        samples = {"time": values.astype(dtype)}
        return {
            "save": saved(model.fit(samples["time"], late)),
            "samples": samples,
            "outputs": PROBABILITY,
            "trust": TREES,
        }

    return case


def held_out(load: Any, model: Any, *outputs: Any) -> Callable[[Batch], Case]:
    """A data set of scikit-learn, column by column."""

    def case(_: Batch) -> Case:
        values, labels = load(return_X_y=True)
        samples = named_columns(values)
        fitted = model.fit(matrix_of(samples), labels)
        return {"save": saved(fitted), "samples": samples, "outputs": list(outputs), "trust": TREES}

    return case


def held_out_flights(flights: Batch) -> Case:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return of_flights("passthrough", words, GradientBoostingClassifier(n_estimators=40, random_state=3), flights)


def small(final: Any, save: Any = saved, **more: Any) -> Callable[[Batch], Case]:
    """Two columns, for what is refused."""

    def case(_: Batch) -> Case:
        values = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)
        samples = named_columns(values)
        model = final.fit(np.abs(values.round()) if "categorical" in repr(final) else values, values[:, 0] > 0)
        return {"save": save(model), "samples": samples, "outputs": PROBABILITY, **more}

    return case


class _Planted:
    """What a pickle may hold."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch planted",)


def pickled(ending: str, write: Callable[[Any, Any], Any], what: Any = None) -> Callable[[Any], Callable[[Path], None]]:
    def save(model: Any) -> Callable[[Path], None]:
        def into(folder: Path) -> None:
            with (folder / f"model{ending}").open("wb") as file:
                write(what or model, file)

        return into

    return save


def bomb(_: Any) -> Callable[[Path], None]:
    """An archive whose two files say that they unpack to 4 GiB each."""

    def into(folder: Path) -> None:
        path = folder / "model.skops"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("schema.json", "{}")
            archive.writestr("1.npy", "")
        content = bytearray(path.read_bytes())
        at = content.find(b"PK\1\2")
        while at >= 0:
            content[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFFE)
            at = content.find(b"PK\1\2", at + 1)
        path.write_bytes(content)

    return into


def older(model: Any) -> Callable[[Path], None]:
    def into(folder: Path) -> None:
        skops.io.dump(model, folder / "now.skops")
        with zipfile.ZipFile(folder / "now.skops") as now, zipfile.ZipFile(folder / "model.skops", "w") as then:
            for name in now.namelist():
                then.writestr(name, now.read(name).replace(scikit_learn.tools()["scikit-learn"].encode(), b"1.4.0"))
        (folder / "now.skops").unlink()

    return into


CASES: dict[str, Callable[[Batch], Case]] = {
    "linear": linear,
    "scaler before trees": scaler_before_trees,
    "scaler between casts before trees": scaler_between_casts,
    "scaler before a forest": scaler_before_a_forest,
    "ordinal forest": ordinal_forest,
    "breast cancer": breast_cancer,
    "wine": wine,
    "diabetes": regression(GradientBoostingRegressor(n_estimators=30, random_state=1)),
    "diabetes, binned": regression(HistGradientBoostingRegressor(max_iter=30, random_state=1)),
    "diabetes, linear": regression(make_pipeline(StandardScaler(), LinearRegression())),
    "digits": digits,
    "held out: cancer": held_out(
        datasets.load_breast_cancer,
        HistGradientBoostingClassifier(max_iter=60, learning_rate=0.3, max_leaf_nodes=63, random_state=3),
        *PROBABILITY,
    ),
    "held out: wine": held_out(
        datasets.load_wine,
        make_pipeline(MinMaxScaler(), LogisticRegression(C=5.0)),
        ("probabilities", "float32", [3]),
        ("label", "int64", [1]),
    ),
    "held out: diabetes": held_out(
        datasets.load_diabetes,
        make_pipeline(RobustScaler(), ExtraTreesRegressor(20, max_depth=10, random_state=3)),
        ("target", "float32", [1]),
    ),
    "held out: iris": held_out(
        datasets.load_iris, DecisionTreeClassifier(random_state=3), ("probabilities", "float32", [3])
    ),
    "held out: flights": held_out_flights,
    "seconds, double": seconds("float64", HistGradientBoostingClassifier(random_state=1)),
    "seconds, double, forest": seconds("float64", RandomForestClassifier(10, random_state=1)),
    "seconds, scaled": seconds("float64", make_pipeline(StandardScaler(), LogisticRegression())),
    "no probability": small(LinearSVC()),
    "unknown part": small(make_pipeline(RBFSampler(n_components=5), LogisticRegression())),
    "three values": small(LogisticRegression(), outputs=[("p", "float32", [3])]),
    "another version": small(LogisticRegression(), older),
    "pickle": small(LogisticRegression(), pickled(".pkl", pickle.dump)),
    "pickle allowed": small(LogisticRegression(), pickled(".pkl", pickle.dump), trust={"pickle": True, "types": []}),
    "joblib allowed": small(LogisticRegression(), pickled(".joblib", joblib.dump), trust={"pickle": True, "types": []}),
    "harmful pickle": small(LogisticRegression(), pickled(".pkl", pickle.dump, _Planted())),
    "harmful joblib": small(LogisticRegression(), pickled(".joblib", joblib.dump, _Planted())),
    "harmful pickle called skops": small(LogisticRegression(), pickled(".skops", pickle.dump, _Planted())),
    "harmful skops": small(
        LogisticRegression(),
        lambda model: saved(make_pipeline(FunctionTransformer(os.system, kw_args={"command": "touch planted"}), model)),
    ),
    "untrusted trees": small(HistGradientBoostingClassifier(max_iter=3)),
    "bomb": small(LogisticRegression(), bomb),
    "categories of trees": small(
        HistGradientBoostingClassifier(max_iter=3, categorical_features=[1]),
        lambda model: pickled(".pkl", pickle.dump, model)(model),
        trust={"pickle": True, "types": []},
    ),
    "other columns": small(LogisticRegression(), samples={"x0": np.zeros((5, 1), np.float32)}),
    "nothing": small(LogisticRegression(), lambda _: lambda _: None),
}


if __name__ == "__main__":
    convert_all(scikit_learn, CASES, json.loads(Path(sys.argv[1]).read_text()))
