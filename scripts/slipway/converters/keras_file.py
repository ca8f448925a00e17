"""What a `.keras` file holds, read from its archive without Keras, and its export to a SavedModel.

Keras makes the objects that the file's config names, so the config is read first: only layers that compute, of Keras
itself, are let through. Keras is asked to load it in its safe mode on top, which also refuses weights that lie in
other files. From the SavedModel on, everything goes the way of one that came as such.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile

from slipway.converters import saved_model
from slipway.converters.json_parts import dictionaries, read_object
from slipway.converters.sources import refuse_archive
from slipway.errors import ConversionFailed, ModelRefused

_LAYERS = Path(__file__).with_name("keras_layers.txt")
_MOST_BYTES = 1 << 30
_MEND = "save the model again with the version in requirements/tensorflow.txt: model.save('model.keras')"
_CONFIG = "config.json"
_PARTS = {"metadata.json", _CONFIG, "model.weights.h5"}
_MODELS = {
    ("keras", "Sequential"),
    ("keras", "Functional"),
    ("keras", "Model"),
    ("keras.models", "Model"),
    ("keras.models", "Sequential"),
    ("keras.src.models.functional", "Functional"),
    ("keras.src.models.sequential", "Sequential"),
}
# Nothing of these does more than compute; `ops` are what `a * b` and `keras.ops.log(a)` become.
_ROOMS = re.compile(
    r"keras\.(initializers|regularizers|constraints|activations|dtype_policies|optimizers|losses|metrics)"
    r"|keras\.src\.ops\.(numpy|math|nn|linalg)"
)
_PLAIN = {"__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"}
_CLASS = re.compile(r"[A-Za-z]\w*", re.ASCII)


def refuse(file: Path) -> None:
    """Say no to a file that could do more than compute when it is loaded.

    Raises:
        ModelRefused: it is no `.keras`, too large, or its config names anything but layers of Keras that compute.
    """
    config = _config(file)
    config.pop("compile_config", None)  # what the training needed, which is not loaded
    for part in dictionaries(config):
        if "class_name" in part or "module" in part:
            _refuse_class(file, part)
        if isinstance(part.get("vocabulary"), str):
            raise ModelRefused(
                f"{file.name} reads the words of a layer from the file {part['vocabulary'][:80]}",
                mend="give the layer its words as a list, or let it adapt to them",
            )


def _config(file: Path) -> dict[str, Any]:
    refuse_archive(file, what="model that Keras 3 saved", mend=_MEND, most_bytes=_MOST_BYTES)
    try:
        with ZipFile(file) as archive:
            _refuse_parts(file, archive.namelist())
            return read_object(archive.read(_CONFIG))
    except (BadZipFile, OSError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ModelRefused(f"{file.name} is no model that Keras 3 saved: {error}", mend=_MEND) from error


def _refuse_parts(file: Path, names: list[str]) -> None:
    """The three files, and files of words under `assets`."""
    foreign = [name for name in names if name not in _PARTS and PurePosixPath(name).parts[:1] != ("assets",)]
    if foreign:
        raise ModelRefused(f"{file.name} holds more than a model of Keras: {', '.join(foreign[:5])}", mend=_MEND)


def _refuse_class(file: Path, part: Mapping[str, Any]) -> None:
    module, own, registered = (part.get(key) for key in ("module", "class_name", "registered_name"))
    plain = module in (None, "builtins") and own in _PLAIN
    known = isinstance(module, str) and isinstance(own, str) and _is_known(module, own)
    if not plain and (not known or registered not in (None, own)):
        of = f"{module}.{own}" if module else str(own)
        raise ModelRefused(
            f"{file.name} holds `{of[:120]}`, which may do more than compute",
            mend="build the model of layers of Keras alone, without Lambda and classes of your own; a layer "
            f"that only computes may be added to scripts/slipway/converters/{_LAYERS.name} in a reviewed commit",
        )


def _is_known(module: str, own: str) -> bool:
    if module == "keras.layers":
        return own in _known_layers()
    policy = module == "keras" and own.endswith("DTypePolicy")
    return (module, own) in _MODELS or ((policy or bool(_ROOMS.fullmatch(module))) and bool(_CLASS.fullmatch(own)))


@cache
def _known_layers() -> frozenset[str]:
    return frozenset(line for line in _LAYERS.read_text().splitlines() if line and not line.startswith("#"))


@cache
def exported(file: Path) -> Path:
    """The model as a SavedModel, checked as any other, in a folder that goes when the process ends.

    Raises:
        ConversionFailed: Keras cannot load or export it.
        ModelRefused: the SavedModel could do more than compute.
    """
    keras = import_module("keras")
    folder = Path(tempfile.mkdtemp(prefix="exported-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
        model.export(str(folder), format="tf_saved_model", verbose=False)
    except Exception as error:  # whatever a layer raises when it is made
        raise ConversionFailed(f"Keras cannot load {file.name}: {str(error).strip()[:500]}", mend=_MEND) from error
    saved_model.refuse(folder)
    return folder
