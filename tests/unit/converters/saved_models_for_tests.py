"""Write the SavedModels of the tests, and say what is refused: runs in the environment of TensorFlow.

- `good`: floats, strings and an integer id; an id above 5 is out of range, which TensorFlow refuses.
- `writes-a-file`: its signature writes a file when it is asked.
- `writes-when-loaded`: it writes a file when its table is filled.
- `calls-python`: its signature calls Python.
- `unknown-operation`: it is harmless, but tf2onnx does not know its operation.

Beside them, models that were trained are converted and asked here, since another start of TensorFlow takes seconds:
each gets a folder, and what the worker said of them stands in told.json.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from slipway.converters import tensorflow
from slipway.converters.__main__ import check
from slipway.converters.job import Job
from slipway.domain.rows import Batch, take
from slipway.errors import SlipwayError
from trained_for_tests import Case, convert_all, matrix_of


def good() -> Any:
    keras.utils.set_random_seed(3)
    asked = {
        "hour": keras.Input((1,), name="hour", dtype="float32"),
        "minute": keras.Input((1,), name="minute", dtype="float32"),
        "carrier": keras.Input((1,), name="carrier", dtype="string"),
        "gate": keras.Input((1,), name="gate", dtype="int64"),
    }
    carrier = keras.layers.StringLookup(vocabulary=["AA", "B6", "DL", "UA", "WN", "é"])(asked["carrier"])
    numbers = keras.layers.Concatenate()([asked["hour"], asked["minute"]])
    parts = [
        keras.layers.Normalization(mean=[12.0, 30.0], variance=[20.0, 300.0])(numbers),
        keras.layers.Flatten()(keras.layers.Embedding(7, 4, embeddings_initializer="normal")(carrier)),
        keras.layers.Flatten()(keras.layers.Embedding(6, 4, embeddings_initializer="normal")(asked["gate"])),
    ]
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()(parts))
    return keras.Model(asked, {"p_late": keras.layers.Dense(1, activation="sigmoid")(hidden)})


class WritesAFile(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.float32, name="hour")])  # type: ignore[untyped-decorator]  # same
    def answer(self, hour: Any) -> Any:
        tf.io.write_file("planted", "written")
        return {"p_late": hour * 2}


class CallsPython(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.float32, name="hour")])  # type: ignore[untyped-decorator]  # same
    def answer(self, hour: Any) -> Any:
        return {"p_late": tf.py_function(lambda value: value * 2, [hour], tf.float32)}


class _WritingInitializer(tf.lookup.KeyValueTensorInitializer):  # type: ignore[misc]  # TensorFlow ships no types
    def initialize(self, table: Any) -> Any:
        tf.io.write_file("planted", "written")
        return super().initialize(table)


class WritesWhenLoaded(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    def __init__(self) -> None:
        self.table = tf.lookup.StaticHashTable(_WritingInitializer(["AA"], [1.0]), 0.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.string, name="carrier")])  # type: ignore[untyped-decorator]  # same
    def answer(self, carrier: Any) -> Any:
        return {"p_late": self.table.lookup(carrier)}


class Unknown(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    @tf.function(input_signature=[tf.TensorSpec((None, 1), tf.float32, name="hour")])  # type: ignore[untyped-decorator]  # same
    def answer(self, hour: Any) -> Any:
        return {"p_late": tf.math.xlogy(hour, hour)}


def write(folder: Path) -> None:
    good().export(str(folder / "good"), verbose=False)
    modules: dict[str, Any] = {
        "writes-a-file": WritesAFile(),
        "writes-when-loaded": WritesWhenLoaded(),
        "calls-python": CallsPython(),
        "unknown-operation": Unknown(),
    }
    for name, module in modules.items():
        tf.saved_model.save(module, str(folder / name), signatures=module.answer)
    other = Unknown()
    tf.saved_model.save(other, str(folder / "no-signature"), signatures={"other": other.answer})
    shutil.copytree(folder / "good", folder / "no-variables", ignore=shutil.ignore_patterns("variables.data*"))


def refusals(folder: Path) -> dict[str, str]:
    """What the converter says to sources and rows that it cannot take."""
    loaded = tensorflow.load(Job(folder / "good"))
    hours = np.zeros((2, 1), np.float32)
    batch = {"hour": hours, "minute": hours, "carrier": np.array([["AA"], ["B6"]], dtype=object)}
    attempts: dict[str, Callable[[], object]] = {
        "no such folder": lambda: tensorflow.load(Job(folder / "nowhere")),
        "no signature": lambda: tensorflow.load(Job(folder / "no-signature")),
        "no variables": lambda: tensorflow.load(Job(folder / "no-variables")),
        "input not declared": lambda: tensorflow.predict(loaded, batch),
        "input of another type": lambda: tensorflow.predict(loaded, {**batch, "gate": hours}),
        "unknown operation": lambda: check(tensorflow.to_onnx(Job(folder / "unknown-operation"))),
    }
    return {name: _said(attempt) for name, attempt in attempts.items()}


def _said(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except SlipwayError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def _normalised() -> Any:
    """Without learned weights, so that what is multiplied and added tells mean and variance."""
    return keras.layers.BatchNormalization(center=False, scale=False)


def exported(model: Any) -> Callable[[Path], None]:
    return lambda folder: model.export(str(folder), verbose=False)


def late_flights(flights: Batch) -> Case:
    """Numbers, normalised twice: by what was adapted to the data, and by what was learned on the way."""
    keras.utils.set_random_seed(4)
    samples = {name: flights[name] for name in ("hour", "minute", "distance", "dep_delay")}
    half = len(flights["late"]) // 2
    seen = take(samples, slice(0, half))
    asked = {name: keras.Input((1,), name=name) for name in samples}
    scaled = keras.layers.Normalization()
    scaled.adapt(matrix_of(seen))
    hidden = keras.layers.Dense(24)(scaled(keras.layers.Concatenate()(list(asked.values()))))
    hidden = keras.layers.Activation("relu")(_normalised()(hidden))
    model = keras.Model(asked, {"p_late": keras.layers.Dense(1, activation="sigmoid")(hidden)})
    model.compile("adam", "binary_crossentropy")
    model.fit(dict(seen), flights["late"][:half].astype(np.float32), epochs=5, batch_size=64, verbose=0)
    return {"save": exported(model), "samples": take(samples, slice(half, None)), "outputs": _OUT}


def bars(filters: int, *, activation: str = "relu", seed: int = 5) -> Callable[[Batch], Case]:
    """Which way a bar in a noisy image lies: convolutions, normalised between them, and four classes."""

    def case(_: Batch) -> Case:
        keras.utils.set_random_seed(seed)
        images, classes = _images(np.random.default_rng(seed))
        pixels = keras.Input((8, 8, 1), name="pixels")
        hidden = keras.layers.Conv2D(filters, 3, activation=activation, padding="same")(pixels)
        hidden = _normalised()(hidden)
        hidden = keras.layers.Flatten()(keras.layers.Conv2D(filters, 3, activation=activation)(hidden))
        model = keras.Model({"pixels": pixels}, {"probabilities": keras.layers.Dense(4, activation="softmax")(hidden)})
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit({"pixels": images}, classes, epochs=3, batch_size=32, verbose=0)
        return {"save": exported(model), "samples": {"pixels": images}, "outputs": [("probabilities", "float32", [4])]}

    return case


def delay(flights: Batch) -> Case:
    """A number of minutes from two words and two numbers, by an activation of another kind."""
    keras.utils.set_random_seed(6)
    samples = {name: flights[name] for name in ("dep_delay", "distance", "origin", "carrier")}
    tables = {name: keras.layers.StringLookup(vocabulary=sorted(set(flights[name][:, 0]))) for name in _WORDS}
    asked = {name: keras.Input((1,), name=name, dtype="string" if name in tables else "float32") for name in samples}
    parts = [keras.layers.Rescaling(1 / 60)(asked["dep_delay"]), keras.layers.Rescaling(1e-3)(asked["distance"])]
    for name, table in tables.items():
        parts.append(keras.layers.Flatten()(keras.layers.Embedding(table.vocabulary_size(), 3)(table(asked[name]))))
    hidden = keras.layers.Dense(16, activation="tanh")(keras.layers.Concatenate()(parts))
    model = keras.Model(asked, {"minutes": keras.layers.Dense(1)(hidden)})
    model.compile("adam", "mse")
    given = {name: tf.constant(column) for name, column in samples.items()}
    model.fit(given, flights["dep_delay"] * 0.9, epochs=3, batch_size=64, verbose=0)
    return {"save": exported(model), "samples": samples, "outputs": [("minutes", "float32", [1])]}


def _images(random: np.random.Generator) -> tuple[Any, Any]:
    """600 images of a row, a column or one of two diagonals."""
    classes = random.integers(0, 4, 600)
    images = random.normal(0, 0.4, (600, 8, 8, 1)).astype(np.float32)
    places = np.arange(8)
    for image, kind, at in zip(images, classes, random.integers(0, 8, 600), strict=True):
        rows = (np.full(8, at), places, places, 7 - places)[kind]
        columns = (places, np.full(8, at), places, places)[kind]
        image[rows, columns, 0] += 1.0
    return images, classes


_WORDS = ("origin", "carrier")
_OUT = [("p_late", "float32", [1])]
CASES: dict[str, Callable[[Batch], Case]] = {
    "late flights": late_flights,
    "bars": bars(8),
    "held out: bars": bars(12, activation="elu", seed=9),
    "held out: delay": delay,
}


def main(job: dict[str, str]) -> None:
    folder = Path(job["folder"])
    write(folder)
    convert_all(tensorflow, CASES, job)
    (folder / "refusals.json").write_text(json.dumps(refusals(folder)))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
