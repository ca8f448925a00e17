"""Train models of Keras, save them as `.keras` and convert them: runs in the environment of TensorFlow.

The folder of the data sets must lie beside the one of this script.
"""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from slipway.converters import tensorflow
from slipway.domain.rows import Batch
from trained_for_tests import Case, convert_all, edges_around

PROBABILITY = [("p_late", "float32", [1])]


def saved(model: Any) -> Callable[[Path], None]:
    return lambda folder: model.save(folder / "model.keras")


def flights(rows: Batch) -> Case:
    """Words that a layer learned and keeps in the file, numbers, and an id."""
    keras.utils.set_random_seed(3)
    origins = np.unique(rows["origin"].astype(str), return_inverse=True)[1].reshape(-1, 1).astype(np.int64)
    samples = {**{name: rows[name] for name in ("hour", "dep_delay", "carrier")}, "origin": origins}
    asked = {
        "hour": keras.Input((1,), name="hour"),
        "dep_delay": keras.Input((1,), name="dep_delay"),
        "carrier": keras.Input((1,), name="carrier", dtype="string"),
        "origin": keras.Input((1,), name="origin", dtype="int64"),
    }
    words = layers.StringLookup()
    words.adapt(samples["carrier"].astype(str))
    scaled = layers.Normalization()
    scaled.adapt(np.concatenate([samples["hour"], samples["dep_delay"]], axis=1))
    parts = [
        scaled(layers.Concatenate()([asked["hour"], asked["dep_delay"]])),
        layers.Flatten()(layers.Embedding(words.vocabulary_size(), 4)(words(asked["carrier"]))),
        layers.Flatten()(layers.Embedding(3, 2)(asked["origin"])),
    ]
    hidden = layers.Dense(16, activation="relu")(layers.Concatenate()(parts)) * 2.0
    model = keras.Model(asked, {"p_late": layers.Dense(1, activation="sigmoid")(hidden)})
    asked_rows = {name: tf.constant(column) for name, column in samples.items()}  # numpy's words are none of Keras
    _fit(model, asked_rows, rows["late"].astype(np.float32), loss="binary_crossentropy")
    edges = edges_around(samples)
    beyond = {name: np.repeat(column[:1], 2, axis=0) for name, column in samples.items()}
    beyond["origin"][:, 0] = (3, 2**24 + 1)
    edges = {name: np.concatenate([edges[name], beyond[name]]) for name in edges}
    return {"save": saved(model), "samples": samples, "edges": edges, "outputs": PROBABILITY}


def digits(_: Batch) -> Case:
    """Images, several classes, and layers that behave otherwise in training."""
    keras.utils.set_random_seed(3)
    values, labels = data_set("digits")
    images = values.reshape(-1, 8, 8, 1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Rescaling(1 / 16),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    _fit(model, images[:1000], labels[:1000], loss="sparse_categorical_crossentropy")
    return {"save": saved(model), "samples": {"image": images[1000:]}, "outputs": [("output_0", "float32", [10])]}


def diabetes(_: Batch) -> Case:
    """A number; a loss of the team's own is for the training alone, and is not asked for."""
    keras.utils.set_random_seed(3)
    values, target = data_set("diabetes")

    def own_loss(wanted: Any, found: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(wanted - found))

    measured = keras.Input((10,), name="measured")
    target_output = layers.Dense(1)(layers.Dense(16, activation="tanh")(measured * 20.0))
    model = keras.Model({"measured": measured}, {"target": target_output})
    _fit(model, {"measured": values}, target.astype(np.float32)[:, None], loss=own_loss)
    return {"save": saved(model), "samples": {"measured": values}, "outputs": [("target", "float32", [1])]}


def _fit(model: Any, values: Any, wanted: Any, *, loss: Any) -> None:
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(values, wanted, epochs=2, batch_size=64, verbose=0)


def data_set(name: str) -> tuple[Any, Any]:
    with np.load(Path.cwd().parents[2] / "datasets_for_tests" / f"{name}.npz") as stored:
        return stored["values"].astype(np.float32), stored["labels"]


def small(*middle: Any, save: Callable[[Any], Callable[[Path], None]] = saved) -> Callable[[Batch], Case]:
    model = keras.Sequential([keras.Input((1,), name="x"), *middle, layers.Dense(1)])
    samples = {"x": np.zeros((3, 1), np.float32)}
    return lambda _: {"save": save(model), "samples": samples, "outputs": [("output_0", "float32", [1])]}


@keras.saving.register_keras_serializable("team")
class Own(layers.Layer):  # type: ignore[misc]  # Keras is not there where types are checked
    def call(self, inputs: Any) -> Any:
        os.system("touch planted")
        return inputs


def _planted(value: Any) -> Any:
    os.system("touch planted")
    return value


def with_weights_elsewhere(model: Any) -> Callable[[Path], None]:
    """A file of HDF5 may say that its numbers lie in any other file."""

    def save(folder: Path) -> None:
        model.save(folder / "model.keras")
        with zipfile.ZipFile(folder / "model.keras") as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        weights = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(weights, "a") as stored:
            del stored["layers/dense/vars/0"]
            stored["layers/dense/vars"].create_dataset("0", (1, 1), "f4", external=[("/etc/hostname", 0, 4)])
        parts["model.weights.h5"] = weights.getvalue()
        with zipfile.ZipFile(folder / "model.keras", "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return save


CASES: dict[str, Callable[[Batch], Case]] = {
    "flights": flights,
    "digits": digits,
    "diabetes": diabetes,
    "lambda": small(layers.Lambda(_planted, output_shape=(1,))),
    "own layer": small(Own()),
    "weights elsewhere": small(save=with_weights_elsewhere),
}


if __name__ == "__main__":
    convert_all(tensorflow, CASES, json.loads(Path(sys.argv[1]).read_text()))
