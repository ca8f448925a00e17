"""LightGBM's own files, `.txt`, converted by onnxmltools.

They hold numbers only; a pickled booster is refused. LightGBM compares in float64, so its splits are rounded down to
float32 before the conversion, and inputs that need more digits are refused.
"""

from __future__ import annotations

import re
from importlib import import_module, metadata
from typing import Any

import numpy as np
from onnx import ModelProto

from slipway.converters import boosters, lightgbm_file
from slipway.converters.boosters import Loaded
from slipway.converters.framed import framed
from slipway.converters.job import Job, matrix, refuse_double, refuse_large_integers
from slipway.converters.thresholds import rounded_down
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed, ModelRefused

name = "lightgbm"
requirements = "boosters"
with_threads = boosters.with_threads
_ENDING = ".txt"
_FIRST = b"tree\n"
_OBJECTIVE = re.compile(r"binary sigmoid:1|multiclass num_class:\d+|regression")
_UNKNOWN = {
    "num_cat=[1-9]": "splits by categories",
    "is_linear=1": "leaves that are linear",
    "average_output": "the average of its trees",
}


def refuse(job: Job) -> None:
    """Say no to all but LightGBM's own files, which begin with the word `tree` and whose trees are trees.

    Raises:
        ModelRefused: it is something else, such as a pickle under another name, or a number in it lies.
    """
    file = job.file(_ENDING)
    with file.open("rb") as content:
        first = content.read(len(_FIRST))
    if first != _FIRST:
        raise ModelRefused(
            f"{file.name} is none of LightGBM's own files", mend="save the model again: booster.save_model('model.txt')"
        )
    lightgbm_file.refuse(file)


def load(job: Job) -> Loaded:
    """Load the booster for asking.

    Raises:
        ConversionFailed: LightGBM cannot load it, or it is not what model.yaml declares.
    """
    text = job.file(_ENDING).read_text(encoding="utf-8", errors="replace")
    classes = _classes(text)
    booster = _booster(text)
    names = booster.feature_name()
    named = None if names == [f"Column_{index}" for index in range(len(names))] else names
    return boosters.loaded(job, booster, classes=classes, names=named, width=len(names))


def _booster(text: str) -> Any:
    lightgbm = import_module("lightgbm")
    try:
        return lightgbm.Booster(model_str=text, params={"verbosity": -1})
    except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
        raise ConversionFailed(
            f"LightGBM cannot load the model: {error}", mend="save the model again: booster.save_model('model.txt')"
        ) from error


def _classes(text: str) -> int:
    """How many classes the booster tells apart, 0 for a number.

    Raises:
        ConversionFailed: it holds something that was not compared with its ONNX file.
    """
    stated = re.search(r"^objective=(.*)$", text, re.MULTILINE)
    objective = stated[1].strip() if stated else "none"
    if _OBJECTIVE.fullmatch(objective) is None:
        raise ConversionFailed(
            f"boosters with the objective `{objective}` are not converted",
            mend="train with one of the objectives binary, multiclass, regression",
        )
    for sign, what in _UNKNOWN.items():
        if re.search(rf"^{sign}\s*$", text, re.MULTILINE):
            raise ConversionFailed(
                f"the booster has {what}, which onnxmltools does not convert truly", mend="train it without them"
            )
    if objective.startswith("multiclass"):
        return int(objective.split(":")[1])
    return 2 if objective.startswith("binary") else 0


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself, in float64.

    Raises:
        ConversionFailed: a whole number is beyond what float32 has.
    """
    refuse_large_integers(batch, loaded.columns)
    rows = matrix(batch, loaded.columns).astype(np.float64)
    return boosters.answered(loaded, loaded.booster.predict(rows, num_threads=loaded.threads))


def to_onnx(job: Job) -> ModelProto:
    """Convert the booster.

    Raises:
        ConversionFailed: onnxmltools does not know a part of it, or ONNX would lose digits that it compares.
    """
    loaded = load(job)
    refuse_double(loaded.columns, because="LightGBM compares in float64")
    convert = import_module("onnxmltools").convert_lightgbm
    width = sum(column.width for column in loaded.columns)
    booster = _booster(_with_thresholds(loaded.booster.model_to_string()))
    return framed(
        boosters.converted(convert, booster, width=width, zipmap=False), loaded.answers, matrix=loaded.columns
    )


def _with_thresholds(text: str) -> str:
    """The same trees with splits that float32 has; what counts their characters goes, since these change."""
    without_sizes = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"^threshold=(.+)$", _rounded, without_sizes, flags=re.MULTILINE)


def _rounded(line: re.Match[str]) -> str:
    thresholds = np.array([float(one) for one in line[1].split()])
    return "threshold=" + " ".join(repr(float(one)) for one in rounded_down(thresholds))


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("lightgbm", "onnx", "onnxmltools")}
