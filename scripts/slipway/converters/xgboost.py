"""XGBoost's own files, `.ubj` and `.json`, converted by onnxmltools.

They hold numbers only; a pickled booster is refused. XGBoost compares in float32, as ONNX does.
"""

from __future__ import annotations

import json
from importlib import import_module, metadata
from typing import Any

from onnx import ModelProto

from slipway.converters import boosters, xgboost_file
from slipway.converters.boosters import Loaded
from slipway.converters.framed import framed
from slipway.converters.job import Job, matrix
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed, ModelRefused

name = "xgboost"
requirements = "boosters"
with_threads = boosters.with_threads
_ENDINGS = (".ubj", ".json")
_CLASSES = {"binary:logistic", "multi:softprob"}
_NUMBERS = {"reg:squarederror"}


def refuse(job: Job) -> None:
    """Say no to all but XGBoost's own files, which begin with a brace and whose trees are trees.

    Raises:
        ModelRefused: it is something else, such as a pickle under another name, or a number in it lies.
    """
    file = job.file(*_ENDINGS)
    with file.open("rb") as content:
        first = content.read(1)
    if first != b"{":
        raise ModelRefused(
            f"{file.name} is none of XGBoost's own files", mend="save the model again: booster.save_model('model.ubj')"
        )
    xgboost_file.refuse(file)


def load(job: Job) -> Loaded:
    """Load the booster for asking.

    Raises:
        ConversionFailed: XGBoost cannot load it, or it is not what model.yaml declares.
    """
    xgboost = import_module("xgboost")
    file = job.file(*_ENDINGS)
    booster = xgboost.Booster()
    try:
        booster.load_model(file)
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise ConversionFailed(
            f"XGBoost cannot load {file.name}: {str(error).strip().splitlines()[0]}",
            mend="save the model again: booster.save_model('model.ubj')",
        ) from error
    best = booster.attr("best_iteration")
    if best is not None:  # what stopped early answers with its best trees
        booster = booster[: int(best) + 1]
    classes = _classes(json.loads(booster.save_config())["learner"])
    _refuse_categories(booster)
    return boosters.loaded(
        job, booster, classes=classes, names=booster.feature_names, width=int(booster.num_features())
    )


def _classes(learner: Any) -> int:
    """How many classes the booster tells apart, 0 for a number.

    Raises:
        ConversionFailed: its objective or its kind of trees is none that was compared with its ONNX file.
    """
    objective, kind = learner["learner_train_param"]["objective"], learner["learner_train_param"]["booster"]
    if objective not in _CLASSES | _NUMBERS or kind != "gbtree":
        raise ConversionFailed(
            f"boosters `{kind}` with the objective `{objective}` are not converted",
            mend=f"train a `gbtree` with one of the objectives {', '.join(sorted(_CLASSES | _NUMBERS))}",
        )
    return 0 if objective in _NUMBERS else max(2, int(learner["learner_model_param"]["num_class"]))


def _refuse_categories(booster: Any) -> None:
    if "c" in (booster.feature_types or ()):
        raise ConversionFailed(
            "the trees split by categories, which onnxmltools cannot convert",
            mend="train without `enable_categorical`, on the number of each category",
        )


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself, by its columns' places: their names were compared when it was loaded."""
    rows = import_module("xgboost").DMatrix(matrix(batch, loaded.columns).astype("float32"))
    loaded.booster.set_param({"nthread": loaded.threads})
    return boosters.answered(loaded, loaded.booster.predict(rows, validate_features=False))


def to_onnx(job: Job) -> ModelProto:
    """Convert the booster.

    Raises:
        ConversionFailed: onnxmltools does not know a part of it.
    """
    loaded = load(job)
    loaded.booster.feature_names = None  # onnxmltools asks for f0, f1, …
    convert = import_module("onnxmltools").convert_xgboost
    width = sum(column.width for column in loaded.columns)
    return framed(boosters.converted(convert, loaded.booster, width=width), loaded.answers, matrix=loaded.columns)


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("onnx", "onnxmltools", "xgboost-cpu")}
