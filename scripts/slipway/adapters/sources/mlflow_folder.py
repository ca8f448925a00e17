"""Which files of an MLflow model folder are the model, as a converter of ours reads them.

The format is that of the file `MLmodel`: https://mlflow.org/docs/latest/ml/model/ (flavors and their keys).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from slipway.errors import SourceRefused

MLMODEL = "MLmodel"
_KEYS = {  # flavor → the keys that name its file or folder
    "onnx": ("data",),
    "sklearn": ("pickled_model",),
    "xgboost": ("data",),
    "lightgbm": ("data",),
    "keras": ("data",),
    "tensorflow": ("data", "saved_model_dir"),
    "pytorch": ("model_data",),
}
_ENDINGS = {
    "onnx": (".onnx", ".data"),
    "sklearn": (".skops",),
    "xgboost": (".ubj", ".json"),
    "lightgbm": (".lgb", ".txt"),
    "keras": (".keras",),
    "tensorflow": (".keras",),
    "pytorch": (".pt2",),
}
_MENDS = {
    "onnx": "log it with mlflow.onnx.log_model",
    "sklearn": 'log it again with mlflow.sklearn.log_model(model, serialization_format="skops")',
    "xgboost": 'log it again with mlflow.xgboost.log_model(model, model_format="ubj")',
    "lightgbm": "log the booster itself: mlflow.lightgbm.log_model(model.booster_)",
    "keras": "log it again with mlflow.keras.log_model, without `save_exported_model`",
    "tensorflow": "log it again with mlflow.tensorflow.log_model",
    "pytorch": 'log it again with mlflow.pytorch.log_model(model, serialization_format="pt2", input_example=…)',
}
_RENAMED = {".lgb": ".txt"}  # the text of a booster, by the name that LightGBM's own command line gives it


def files_of(mlmodel: bytes, names: Sequence[str]) -> dict[str, str]:
    """Path in the model's folder → name in our source, of `names`, all files that lie there.

    Raises:
        SourceRefused: it is no MLmodel, of no flavor that a converter reads, or saved so that it would have to be run
            to be read.
    """
    flavors = _flavors(mlmodel)
    flavor = next((one for one in _KEYS if one in flavors), None)
    if flavor is None:
        raise SourceRefused(
            f"the model has the flavors {', '.join(sorted(flavors)) or 'none'}, which no converter reads",
            mend=f"log it by one of mlflow.{', mlflow.'.join(_KEYS)}",
        )
    options = flavors[flavor]
    places = [str(options[key]).strip("/") for key in _KEYS[flavor] if options.get(key)]
    found = [name for name in names if _is_of(name, places)]
    if "saved_model_dir" in options:
        return {name: _below(name, places) for name in found}
    kept = [name for name in found if name.endswith(_ENDINGS[flavor])]
    if not kept:
        raise _refused(flavor, found)
    beside = [name for name in names if flavor == "onnx" and name.endswith(".data")]
    return {name: _renamed(_below(name, places)) for name in dict.fromkeys([*kept, *beside])}


def _flavors(mlmodel: bytes) -> Mapping[str, Mapping[str, Any]]:
    try:
        told = yaml.safe_load(mlmodel)
        return {str(name): dict(options or {}) for name, options in told["flavors"].items()}
    except (
        yaml.YAMLError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise SourceRefused(
            f"the file {MLMODEL} there is none of MLflow's: it lists no flavors",
            mend="log the model again, by one of mlflow's log_model functions",
        ) from error


def _is_of(name: str, places: Sequence[str]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


def _below(name: str, places: Sequence[str]) -> str:
    for place in places:
        if name.startswith(f"{place}/"):
            return name.removeprefix(f"{place}/")
    return name.rpartition("/")[2]


def _renamed(name: str) -> str:
    ending = next((one for one in _RENAMED if name.endswith(one)), None)
    return name if ending is None else name.removesuffix(ending) + _RENAMED[ending]


def _refused(flavor: str, found: Sequence[str]) -> SourceRefused:
    what = f"is saved as {', '.join(found[:3])}" if found else "names a file that is not there"
    return SourceRefused(
        f"the model, of MLflow's flavor {flavor}, {what}, which no converter reads without running code of it",
        mend=_MENDS[flavor],
    )
