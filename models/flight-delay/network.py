"""The network of flight-delay: codes and numbers as people write them in, the probability of being late out.

The only module here that loads TensorFlow.
"""

from __future__ import annotations

from typing import Any

import keras  # type: ignore[import-not-found, unused-ignore]  # lives in the converter's environment
import numpy as np
import numpy.typing as npt
import tensorflow as tf  # type: ignore[import-untyped, unused-ignore]  # lives in the converter's environment
from flights import STRINGS, Columns

OUTPUT = "p_late"
EMBEDDING_WIDTH = 8
HIDDEN_WIDTHS = (64, 32)
EPOCHS = 5
BATCH = 1024
LEARNING_RATE = 2e-3


def fit(training: Columns, *, inputs: tuple[str, ...], seed: int) -> keras.Model:
    """Return the network after five passes over `training`."""
    keras.utils.set_random_seed(seed)
    network = build(training, inputs)
    network.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss="binary_crossentropy")
    late = training["late"].astype(np.float32)
    network.fit(_features(training, inputs), late, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return network


def build(training: Columns, inputs: tuple[str, ...]) -> keras.Model:
    """Return the untrained network: one named input `[N, 1]` a feature, one output `p_late` `[N, 1]`.

    Scale and vocabularies come from `training` and lie inside, so that whoever asks sends minutes and airport
    codes as they are. All codes that `training` did not hold share one embedding, which is never trained.
    """
    entries = {name: keras.Input((1,), name=name, dtype=_dtype(name)) for name in inputs}
    numbers = [name for name in inputs if name not in STRINGS]
    codes = [_embedded(entries[name], training[name]) for name in inputs if name in STRINGS]
    hidden = keras.layers.Concatenate()([_scaled(entries, training, numbers), *codes])
    for width in HIDDEN_WIDTHS:
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
    return keras.Model(entries, {OUTPUT: keras.layers.Dense(1, activation="sigmoid", name=OUTPUT)(hidden)})


def predict(network: keras.Model, flights: Columns, inputs: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Return the probability of being late, one a flight, shape (N,)."""
    answers = network.predict(_features(flights, inputs), batch_size=8 * BATCH, verbose=0)
    return np.asarray(answers[OUTPUT][:, 0])


def _dtype(name: str) -> str:
    return "string" if name in STRINGS else "float32"


def _scaled(entries: dict[str, Any], training: Columns, numbers: list[str]) -> Any:
    mean = [training[name].mean() for name in numbers]
    variance = [training[name].var() for name in numbers]
    together = keras.layers.Concatenate()([entries[name] for name in numbers])
    return keras.layers.Normalization(mean=mean, variance=variance)(together)


def _embedded(entry: Any, seen: npt.NDArray[Any]) -> Any:
    vocabulary = sorted(set(seen.tolist()))
    number = keras.layers.StringLookup(vocabulary=vocabulary, num_oov_indices=1)(entry)
    return keras.layers.Flatten()(keras.layers.Embedding(len(vocabulary) + 1, EMBEDDING_WIDTH)(number))


def _features(flights: Columns, inputs: tuple[str, ...]) -> dict[str, Any]:
    return {name: tf.constant(flights[name].reshape(-1, 1)) for name in inputs}
