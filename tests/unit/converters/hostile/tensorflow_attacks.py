"""Hostile SavedModels and `.keras` files; runs in the environment of TensorFlow."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from attempts_for_tests import Case, Exec, Payload, attempt_parts, main
from slipway.converters import tensorflow
from slipway.converters.job import Column

COLUMNS = (Column("x", "float32", (3,)),)
SPEC = [tf.TensorSpec((None, 3), tf.float32, name="x")]
KERAS = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(1, name="p")])


def answers(compute: Callable[[Any], Any], *, tracked: Any = None) -> Any:
    """A module whose signature computes; it carries a variable, as a model does."""
    module = tf.Module()
    module.weight, module.tracked = tf.Variable(2.0), tracked
    module.answer = tf.function(lambda x: {"p": compute(x) * module.weight}, input_signature=SPEC)
    return module


def exported(make: Callable[[Payload], Any]) -> Callable[[Path, Payload], None]:
    def write(folder: Path, payload: Payload) -> None:
        module = make(payload)
        tf.saved_model.save(module, str(folder), signatures=module.answer)

    return write


def column(x: Any) -> Any:
    return x[:, :1]


def first(action: Callable[[], Any], x: Any) -> Any:
    with tf.control_dependencies([action()]):
        return tf.identity(column(x))


def writing(payload: Payload) -> Any:
    return answers(lambda x: first(lambda: tf.io.write_file(str(payload.canary), "x"), x))


def writing_in_a_loop(payload: Payload) -> Any:
    def body(step: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(str(payload.canary), "x")]):
            return step + 1

    return answers(lambda x: first(lambda: tf.while_loop(lambda step: step < 1, body, [tf.constant(0)])[0], x))


def calling_python(payload: Payload) -> Any:
    return answers(lambda x: tf.py_function(column, [x], tf.float32))


def reading(payload: Payload) -> Any:
    return answers(lambda x: first(lambda: tf.io.read_file("/etc/passwd"), x))


def reading_records(payload: Payload) -> Any:
    return answers(lambda x: column(x) + tf.cast(tf.size(tf.io.matching_files("/etc/*")), tf.float32))


class _Initializer(tf.lookup.KeyValueTensorInitializer):  # type: ignore[misc]  # TensorFlow ships no types
    def __init__(self, canary: Path) -> None:
        super().__init__(["a"], [1.0])
        self._canary = str(canary)

    def initialize(self, table: Any) -> Any:
        tf.io.write_file(self._canary, "x")
        return super().initialize(table)


def writing_when_loaded(payload: Payload) -> Any:
    table = tf.lookup.StaticHashTable(_Initializer(payload.canary), 0.0)
    payload.canary.unlink(missing_ok=True)  # it was written while the table was made
    return answers(lambda x: column(x) + table.lookup(tf.constant("a")), tracked=table)


def words_of_the_machine(payload: Payload) -> Any:
    words = tf.lookup.TextFileInitializer(
        "/etc/hostname", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    table = tf.lookup.StaticHashTable(words, -1)
    return answers(lambda x: column(x) + tf.cast(table.lookup(tf.constant("a")), tf.float32), tracked=table)


def good(folder: Path) -> None:
    module = answers(column)
    tf.saved_model.save(module, str(folder), signatures=module.answer)


def good_and(change: Callable[[Path, Payload], object]) -> Callable[[Path, Payload], None]:
    def write(folder: Path, payload: Payload) -> None:
        good(folder)
        change(folder, payload)

    return write


def link_out(folder: Path, _: Payload) -> None:
    shutil.move(folder / "variables", folder.parent / "variables")
    (folder / "variables").symlink_to(folder.parent / "variables")


def pipe(folder: Path, _: Payload) -> None:
    os.mkfifo(folder / "words")


def nested(folder: Path, _: Payload) -> None:
    content = b""
    for _step in range(20_000):
        size, length = len(content), bytearray()
        while size > 127:
            length.append(size & 127 | 128)
            size >>= 7
        content = b"\x12" + bytes([*length, size]) + content
    (folder / "saved_model.pb").write_bytes(content)


def asked(folder: Path) -> object:
    return tf.saved_model.load(str(folder)).signatures["serving_default"](x=tf.zeros((1, 3)))


OF_SAVED_MODELS: dict[str, Case] = {
    "writes a file": Case(exported(writing), control=asked, twin=good),
    "writes a file in a loop": Case(exported(writing_in_a_loop), control=asked, twin=good),
    "writes a file when loaded": Case(exported(writing_when_loaded), control=asked, twin=good),
    "calls Python": Case(exported(calling_python), twin=good),
    "reads a file": Case(exported(reading), twin=good),
    "lists a folder": Case(exported(reading_records), twin=good),
    "words of the machine": Case(exported(words_of_the_machine), twin=good),
    "a second form": Case(good_and(lambda folder, _: (folder / "saved_model.pbtxt").write_text("")), twin=good),
    "a link out": Case(good_and(link_out), twin=good),
    "a pipe": Case(good_and(pipe), twin=good),
    "nested without end": Case(nested, twin=good),
    "a pickle": Case(
        lambda folder, payload: (folder / "saved_model.pb").write_bytes(pickle.dumps(Exec(payload.code))),
        control=lambda folder: pickle.loads((folder / "saved_model.pb").read_bytes()),
        twin=good,
    ),
}


def keras_good(folder: Path) -> None:
    KERAS.save(folder / "model.keras")


def keras_link_out(folder: Path, _: Payload) -> None:
    keras_good(folder.parent)
    (folder / "model.keras").symlink_to(folder.parent / "model.keras")


def with_a_lambda(folder: Path, payload: Payload) -> None:
    layer = keras.layers.Lambda(eval(f"lambda x: (exec({payload.code!r}), x)[1]"), output_shape=(3,))
    built = keras.Sequential([keras.Input((3,), name="x"), layer, keras.layers.Dense(1, name="p")])
    built.save(folder / "model.keras")
    payload.canary.unlink(missing_ok=True)  # it ran while the model was built


def rewritten(change: Callable[[dict[str, Any], Payload], object]) -> Callable[[Path, Payload], None]:
    """The file with another config."""

    def write(folder: Path, payload: Payload) -> None:
        keras_good(folder)
        with zipfile.ZipFile(folder / "model.keras") as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(entries["config.json"])
        change(config, payload)
        with zipfile.ZipFile(folder / "model.keras", "w") as archive:
            for name, content in {**entries, "config.json": json.dumps(config).encode()}.items():
                archive.writestr(name, content)

    return write


def other_layer(config: dict[str, Any], payload: Payload) -> None:
    config["config"]["layers"][1].update(module="os", class_name="system", registered_name=None)
    config["config"]["layers"][1]["config"] = {"command": f"touch {payload.canary}"}


def other_model(config: dict[str, Any], _: Payload) -> None:
    config.update(module="builtins", class_name="function", config="system")


def file_of_words(config: dict[str, Any], _: Payload) -> None:
    config["config"]["layers"][1].update(module="keras.layers", class_name="StringLookup", registered_name=None)
    config["config"]["layers"][1]["config"] = {"vocabulary": "/etc/hostname"}


def appended(name: str, content: bytes = b"x", **attributes: int) -> Callable[[Path, Payload], None]:
    def write(folder: Path, _: Payload) -> None:
        keras_good(folder)
        with zipfile.ZipFile(folder / "model.keras", "a") as archive:
            archive.writestr(name, content)
            for attribute, value in attributes.items():
                setattr(archive.filelist[-1], attribute, value)

    return write


def unsafe(folder: Path) -> object:
    keras.config.enable_unsafe_deserialization()
    model = keras.saving.load_model(folder / "model.keras", safe_mode=False)
    return model(np.zeros((1, 3), np.float32))


OF_KERAS: dict[str, Case] = {
    "a lambda": Case(with_a_lambda, control=unsafe, twin=keras_good),
    "a layer of os": Case(rewritten(other_layer), twin=keras_good),
    "a function for a model": Case(rewritten(other_model), twin=keras_good),
    "words of the machine": Case(rewritten(file_of_words), twin=keras_good),
    "a way out": Case(appended("assets/../../planted"), twin=keras_good),
    "a second config": Case(appended("config.json", b"{}"), twin=keras_good),
    "a bomb": Case(appended("assets/zeros", file_size=5 << 30), twin=keras_good),
    "a pickle inside": Case(appended("model.pkl"), twin=keras_good),
    "a pickle": Case(
        lambda folder, payload: (folder / "model.keras").write_bytes(pickle.dumps(Exec(payload.code))),
        control=lambda folder: pickle.loads((folder / "model.keras").read_bytes()),
        twin=keras_good,
    ),
    "a link out": Case(
        keras_link_out,
        twin=keras_good,
    ),
    "a pipe": Case(lambda folder, _: os.mkfifo(folder / "model.keras"), twin=keras_good),
}


def attempts(job: Mapping[str, Any]) -> dict[str, Any]:
    parts = {"SavedModel": (tensorflow, OF_SAVED_MODELS), "keras": (tensorflow, OF_KERAS)}
    said: dict[str, Any] = attempt_parts(parts, job, columns=COLUMNS)
    return said


if __name__ == "__main__":
    main(attempts)
