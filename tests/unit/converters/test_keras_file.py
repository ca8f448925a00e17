"""Models that Keras saved: which are refused before anything is loaded, and what becomes of the others."""

from __future__ import annotations

import copy
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.job import Job
from slipway.converters.keras_file import refuse
from slipway.converters.tensorflow import refuse as refuse_source
from slipway.errors import ConversionFailed, ModelRefused

from tests.unit.converters.conftest import Models, Trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


# --- what is refused: crafted files need no Keras ---------------------------------------------------------------


_LAYER: dict[str, Any] = {
    "module": "keras.layers",
    "class_name": "Dense",
    "registered_name": None,
    "config": {
        "units": 1,
        "activation": "relu",
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
        "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {}},
    },
    "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [None, 1]}}]}],
}
_WORDS = {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": ["AA", "/etc/hostname"]}}
_PRODUCT = {"module": "keras.src.ops.numpy", "class_name": "Multiply", "registered_name": "Multiply", "config": {}}
_MODEL: dict[str, Any] = {
    "module": "keras.src.models.functional",
    "class_name": "Functional",
    "registered_name": "Functional",
    "config": {"layers": [_LAYER, _WORDS, _PRODUCT]},
    "compile_config": {"loss": {"module": "train", "class_name": "function", "config": "own_loss"}},
}


def write(path: Path, config: Any = _MODEL, **more: bytes) -> Path:
    parts = {"metadata.json": b"{}", "config.json": json.dumps(config).encode(), "model.weights.h5": b"numbers"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, **more}.items():
            archive.writestr(name, content)
    return path


def changed(change: Callable[[Any], object]) -> Any:
    """The model after a change of its first layer."""
    model = copy.deepcopy(_MODEL)
    change(model["config"]["layers"][0])
    return model


def test_a_model_of_keras_own_layers_is_let_through(tmp_path: Path) -> None:
    """With words, arithmetic, and a loss that only the training asked for."""
    refuse(write(tmp_path / "model.keras", **{"assets/layers/string_lookup/vocabulary.txt": b"AA\nB6"}))


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("keras.layers", "Lambda", None),
        ("keras.layers", "TorchModuleWrapper", None),
        ("keras.layers", "TFSMLayer", None),
        ("keras.layers", "JaxLayer", None),
        ("keras.layers", "AnythingNew", None),
        ("keras.src.layers.core.lambda_layer", "Lambda", None),
        ("keras.utils", "get_file", None),
        ("keras.config", "enable_unsafe_deserialization", None),
        ("keras.saving", "load_model", None),
        ("keras.src.ops.core", "Map", "Map"),
        ("keras.initializers", "os.system", None),
        ("builtins", "function", "function"),
        ("builtins", "__lambda__", None),
        ("builtins", "__typespec__", None),
        ("os", "system", None),
        ("train", "Own", "team>Own"),
        ("keras.layers", "Dense", "team>Dense"),
        (None, "Dense", None),
        (["os"], "system", None),
    ],
)
@pytest.mark.parametrize("place", ["layer", "inside"])
def test_a_class_that_is_not_known_to_be_harmless_is_refused_wherever_it_is(
    tmp_path: Path, place: str, module: Any, name: str, registered: str | None
) -> None:
    """Keras imports the module and makes the object; each of these has opened a way to run code."""
    made = {"module": module, "class_name": name, "registered_name": registered, "config": {}}
    config = changed(
        lambda layer: layer.update(made) if place == "layer" else layer["config"].update(kernel_regularizer=made)
    )

    with pytest.raises(ModelRefused, match="may do more than compute"):
        refuse(write(tmp_path / "model.keras", config))


def test_words_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    """They would end in the released file, line by line, and may be anybody's secret."""
    config = changed(lambda layer: layer["config"].update(vocabulary="/etc/passwd"))

    with pytest.raises(ModelRefused, match="from the file /etc/passwd"):
        refuse(write(tmp_path / "model.keras", config))


@pytest.mark.parametrize("name", ["../planted.py", "/planted", "assets/../../planted", "planted.py", r"assets\..\x"])
def test_any_other_part_is_refused(tmp_path: Path, name: str) -> None:
    """Keras unpacks the archive to a folder."""
    with pytest.raises(ModelRefused, match=r"holds more than a model of Keras|lies outside of the archive"):
        refuse(write(tmp_path / "model.keras", **{name: b"x"}))


def test_a_link_in_the_archive_is_refused(tmp_path: Path) -> None:
    """It would point at a file of the machine, and its content be read as words."""
    file = write(tmp_path / "model.keras")
    link = zipfile.ZipInfo("assets/vocabulary.txt")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(ModelRefused, match="is neither a file nor a folder"):
        refuse(file)


def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    """One reader takes the first, another one the last."""
    file = write(tmp_path / "model.keras")
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("config.json", "{}")

    with pytest.raises(ModelRefused, match="is there twice"):
        refuse(file)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """Zeros shrink to a thousandth in an archive."""
    file = write(tmp_path / "model.keras")
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(1 << 20))
        archive.infolist()[-1].file_size = 1 << 31

    with pytest.raises(ModelRefused, match="unpacks to 2,147"):
        refuse(file)


def test_a_folder_with_the_file_is_a_source_and_one_with_two_is_none(tmp_path: Path) -> None:
    """`source` may name either; which of two files is meant, nobody can say."""
    write(tmp_path / "model.keras")
    for source in (tmp_path, tmp_path / "model.keras"):
        refuse_source(Job(source))

    write(tmp_path / "older.keras")
    with pytest.raises(ConversionFailed, match=r"it holds: model\.keras, older\.keras"):
        refuse_source(Job(tmp_path))


@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """The file comes from a pull request: whatever it holds, the answer is a refusal."""
    file = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}.keras"
    file.write_bytes(content)

    with pytest.raises(ModelRefused):
        refuse(file)


# --- what becomes of the others: a real Keras ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def models(models_of: Models) -> Trained:
    return models_of("keras")


def test_words_that_the_file_keeps_beside_its_config_reach_the_model(models: Trained) -> None:
    """Without its words, a table answers each of them alike."""
    samples = models.samples("flights")
    unseen = {**samples, "carrier": np.full_like(samples["carrier"], "never seen")}
    converted = models.onnx("flights")

    assert np.abs(converted.predict(unseen)["p_late"] - converted.predict(samples)["p_late"]).max() > 1000 * _ROUNDING
