"""What the tests of every converter need to know of each: an entry here, and its models are held to all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from slipway.domain.rows import Batch, is_number, rows_in

Rows: TypeAlias = npt.NDArray[np.bool_]
_OPSET, _OF_TREES_AND_WORDS = "opset of ai.onnx", "opset of ai.onnx.ml"
_MATRIX = [f"`x{index}` (float32)" for index in range(13)]
_LATE_IN_ANOTHER_ORDER = [f"`{name}` (float32)" for name in ("dep_delay", "distance", "minute", "hour")]


@dataclass(frozen=True, slots=True)
class Refused:
    """A source that is refused: the error's name, and a part of what it says is wrong and to be done."""

    case: str
    error: str
    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class Family:
    """The models of one framework, by the script that trains and converts them; case by case where none is named.

    - `beside`: scripts whose models the script reads, each with its environment.
    - `declared`: inputs and outputs, as they must stand in the ONNX file.
    - `raises`: which of the edge rows the source refuses to answer.
    - `swapped`: two inputs of one type, or one input whose first two columns are swapped.
    - `doubles`: an input of float64 whose digits beyond those of float32 matter.
    - `splits`: of trees, the parts of the model behind which no number of the inputs decides.
    - `again`: what is converted once more by another process, to the same bytes.
    """

    converter: str
    script: str
    environment: str
    converted: tuple[str, ...]
    declared: Mapping[str, tuple[list[str], list[str]]]
    raises: Mapping[str, Callable[[Batch], Rows]]
    swapped: tuple[str, tuple[str, ...]]
    again: tuple[str, ...]
    tools: tuple[str, set[str]]
    refused: tuple[Refused, ...]
    beside: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    doubles: tuple[str, str] | None = None


def _none(edges: Batch) -> Rows:
    return np.zeros(rows_in(edges), dtype=bool)


def _any_number(holds: Callable[[npt.NDArray[Any]], Rows]) -> Callable[[Batch], Rows]:
    return lambda edges: np.any([holds(column[:, 0]) for column in edges.values() if is_number(column)], axis=0)


def _id(name: str, beyond: Callable[[npt.NDArray[Any]], Rows]) -> Callable[[Batch], Rows]:
    return lambda edges: beyond(edges[name][:, 0])


_infinite = _any_number(np.isinf)
_not_finite = _any_number(lambda column: ~np.isfinite(column))
_beyond_the_table = _id("origin", lambda column: column > 2)
_not_in_the_table = _id("origin", lambda column: (column > 2) | (column < 0))

_FAILED, _REFUSED = "ConversionFailed", "ModelRefused"
_KERAS_TOOLS = {"keras", "onnx", "tensorflow-cpu", "tf2onnx", _OPSET, _OF_TREES_AND_WORDS}
_SKOPS = "skops.io.dump"
_TRUSTED = "`trusted_types` in policies/sources.yaml"
_LIGHTGBM = "none of LightGBM's own files"
_KNOWN_OBJECTIVES = "binary, multiclass, regression"

_OF_LIGHTGBM = ("flights", "breast cancer", "wine", "diabetes", "missing", "neighbours")
_OF_XGBOOST = (
    *("flights", "breast cancer, ubj", "breast cancer, json", "stopped early", "wine", "diabetes"),
    "seconds, double",
)

FAMILIES: Mapping[str, Family] = {
    "keras": Family(
        converter="tensorflow",
        script="keras_models_for_tests",
        environment="tensorflow",
        beside={"datasets_for_tests": "scikit-learn"},
        converted=("flights", "digits", "diabetes"),
        declared={
            "flights": (
                ["`hour` (float32)", "`dep_delay` (float32)", "`carrier` (string)", "`origin` (int64)"],
                ["`p_late` (float32)"],
            ),
            "digits": (["`image` (float32[8, 8, 1])"], ["`output_0` (float32[10])"]),
        },
        raises={"flights": _beyond_the_table, "digits": _none},
        swapped=("flights", ("hour", "dep_delay")),
        again=("flights",),  # Keras names what it exports by counters
        tools=("flights", _KERAS_TOOLS),
        refused=(
            Refused("lambda", _REFUSED, "holds `keras.layers.Lambda`", "layers of Keras"),
            Refused("own layer", _REFUSED, "Own`, which may do more than compute", "layers of Keras"),
            # by Keras itself, on whose safe mode this rests
            Refused("weights elsewhere", _FAILED, "external Dataset", ""),
        ),
    ),
    "lightgbm": Family(
        converter="lightgbm",
        script="lightgbm_models_for_tests",
        environment="boosters",
        converted=_OF_LIGHTGBM,
        declared={
            "flights": (_LATE_IN_ANOTHER_ORDER, ["`p` (float32)"]),
            "breast cancer": (["`m` (float32[30])"], ["`p` (float32)", "`label` (int64)"]),
            "wine": (_MATRIX, ["`probabilities` (float32[3])", "`label` (int64)"]),
        },
        # It has a side for NaN and for infinity; a row left out would be a row that nobody compared.
        raises=dict.fromkeys(_OF_LIGHTGBM, _none),
        swapped=("flights", ("hour", "dep_delay")),
        # What it takes for zero differs at splits of `flights`: see test_lightgbm.py.
        splits=dict.fromkeys(_OF_LIGHTGBM[1:], ""),
        again=("flights", "wine"),
        tools=("wine", {"lightgbm", "onnx", "onnxmltools", _OPSET, _OF_TREES_AND_WORDS}),
        refused=(
            Refused("pickle", _REFUSED, _LIGHTGBM, "booster.save_model"),
            Refused("broken", _REFUSED, _LIGHTGBM, "booster.save_model"),
            Refused("seconds, double", _FAILED, "near a split, `time` would fall", "subtract an offset"),
            Refused("seconds, whole", _FAILED, "`time` holds numbers beyond 2^24", "subtract an offset"),
            Refused("poisson", _FAILED, "objective `poisson` are not converted", _KNOWN_OBJECTIVES),
            Refused("square roots", _FAILED, "objective `regression sqrt`", _KNOWN_OBJECTIVES),
            Refused("linear leaves", _FAILED, "leaves that are linear", "train it without"),
            Refused("averaged", _FAILED, "the average of its trees", "train it without"),
            Refused("categories", _FAILED, "splits by categories", "train it without"),
        ),
    ),
    "onnx": Family(
        converter="onnx",
        script="onnx_models_for_tests",
        environment="onnx",
        beside={"scikit_learn_models_for_tests": "scikit-learn"},  # its sources are what those became
        converted=("flights", "wine", "wine, probabilities alone", "trained here", "weights beside"),
        declared={
            "wine, probabilities alone": (_MATRIX, ["`probabilities` (float32[3])"]),  # an output less than it has
            "trained here": (["`origin` (int64)", "`distance` (float32)", "`seconds` (float64)"], ["`p` (float32)"]),
        },
        raises={"trained here": _beyond_the_table, "wine": _none},
        swapped=("flights", ("hour", "dep_delay")),
        doubles=("trained here", "seconds"),
        again=("trained here",),
        tools=("wine", {"onnx", "onnxruntime", _OPSET, _OF_TREES_AND_WORDS}),
        refused=(),  # files are refused in test_onnx_file.py and test_whole_onnx.py, without a process
    ),
    "pytorch": Family(
        converter="pytorch",
        script="pytorch_models_for_tests",
        environment="pytorch",
        beside={"datasets_for_tests": "scikit-learn"},
        converted=("digits", "diabetes", "diabetes, by order", "late"),
        declared={
            "digits": (["`image` (float32[1, 8, 8])"], ["`digit` (float32[10])", "`label` (int64)"]),
            "diabetes, by order": (["`patient` (float32[10])"], ["`target` (float32)"]),
            "late": (["`seconds` (float64)", "`distance` (float32)", "`origin` (int64)"], ["`p` (float32)"]),
        },
        raises={"late": _not_in_the_table, "digits": _none},  # -1 too, which ONNX takes for the last one
        swapped=("diabetes", ("measured",)),
        doubles=("late", "seconds"),
        again=("digits",),
        tools=("late", {"onnx", "onnxscript", "torch", _OPSET}),
        refused=(
            Refused(
                "pickle", _REFUSED, "model.pt is pickled, or TorchScript", "torch.export.save(torch.export.export("
            ),
            Refused("fixed batch", _FAILED, "first axis of `input` is not free", "dynamic_shapes={'input': "),
            Refused("training", _REFUSED, "exported for training", "model.eval()"),
            Refused("some names", _FAILED, "has the outputs p; declared are p, q", "by these names"),
            Refused("other type", _FAILED, "declared is float64[N, 1]", "dtype and shape"),
            Refused("other width", _FAILED, "declared is float32[N, 2]", "dtype and shape"),
            Refused("other answer", _FAILED, "declared is [N, 3]", "declare the rest as `shape`"),
            Refused("answer of another type", _FAILED, "answers `p` as float32; declared is int64", "dtype"),
            Refused("unknown part", _REFUSED, "torch.ops.aten.special_modified_bessel_i1", "pytorch_operators.txt"),
            Refused("broken", _REFUSED, "no exported program of PyTorch", "torch.export.save"),
        ),
    ),
    "scikit-learn": Family(
        converter="scikit-learn",
        script="scikit_learn_models_for_tests",
        environment="scikit-learn",
        converted=(
            "linear",
            "scaler between casts before trees",
            "scaler before a forest",
            "ordinal forest",
            "breast cancer",
            "wine",
            "diabetes",
            "diabetes, binned",
            "diabetes, linear",
            "digits",
            "seconds, double, forest",
            "seconds, scaled",
            "pickle allowed",
            "joblib allowed",
        ),
        declared={
            "ordinal forest": (
                [
                    *(f"`{name}` (float32)" for name in ("hour", "minute", "distance", "dep_delay")),
                    *(f"`{name}` (string)" for name in ("carrier", "origin", "dest")),
                ],
                ["`p` (float32)"],
            ),
            "breast cancer": (["`measured` (float32[30])"], ["`p` (float32)", "`label` (int64)"]),
            "wine": (_MATRIX, ["`probabilities` (float32[3])", "`label` (string)"]),
            "seconds, scaled": (["`time` (float64)"], ["`p` (float32)"]),
        },
        # A linear model raises on NaN, where its ONNX file answers NaN; a forest has a side for it.
        raises={"linear": _not_finite, "ordinal forest": _infinite, "wine": _none},
        swapped=("linear", ("hour", "dep_delay")),
        splits={
            "diabetes": "",
            "diabetes, binned": "",
            "wine": "",
            "digits": "",
            "seconds, double, forest": "",  # behind a scaler in float64
            "scaler before a forest": "OneHotEncoder",
            "ordinal forest": "LabelEncoder",
        },
        again=("linear", "ordinal forest", "wine"),
        tools=("linear", {"onnx", "scikit-learn", "skl2onnx", "skops", _OPSET, _OF_TREES_AND_WORDS}),
        refused=(
            Refused("pickle", _REFUSED, "a pickle runs any code", _SKOPS),
            Refused("harmful pickle", _REFUSED, "a pickle runs any code", _SKOPS),
            Refused("harmful joblib", _REFUSED, "a pickle runs any code", "policies/sources.yaml"),
            Refused("harmful pickle called skops", _REFUSED, "no archive of skops", _SKOPS),
            Refused("harmful skops", _REFUSED, "types that nobody trusts: posix.system", _TRUSTED),
            Refused("untrusted trees", _REFUSED, "types that nobody trusts: sklearn.ensemble", _TRUSTED),
            Refused("bomb", _REFUSED, "unpacks to 8,589,934,588 bytes", "less than 4 GiB"),
            Refused(
                "scaler before trees",
                _FAILED,
                "a scaler hands float64 to trees",
                "CastTransformer(dtype=numpy.float32)",
            ),
            Refused(
                "seconds, double", _FAILED, "near a split, `time` would fall on the other side", "subtract an offset"
            ),
            Refused("no probability", _FAILED, "has no probabilities", "CalibratedClassifierCV"),
            Refused("unknown part", _FAILED, "skl2onnx cannot convert the model", "replace the part"),
            Refused("categories of trees", _FAILED, "the trees split by categories", "OrdinalEncoder"),
            Refused("three values", _FAILED, "knows 2 classes, and the output `p` has 3 values", "shape: [2]"),
            Refused("other columns", _FAILED, "the source takes 2 columns; declared are 1", "in their order"),
            Refused(
                "another version", _FAILED, "saved by another version of scikit-learn", "requirements/scikit-learn.txt"
            ),
            Refused(
                "nothing", _FAILED, "nor a folder with exactly one such file; it holds: none", "save the model there"
            ),
        ),
    ),
    "tensorflow": Family(
        converter="tensorflow",
        script="saved_models_for_tests",
        environment="tensorflow",
        converted=("late flights", "bars", "held out: delay"),
        declared={
            "late flights": (
                [f"`{name}` (float32)" for name in ("hour", "minute", "distance", "dep_delay")],
                ["`p_late` (float32)"],
            ),
            "bars": (["`pixels` (float32[8, 8, 1])"], ["`probabilities` (float32[4])"]),
        },
        raises={"late flights": _none, "held out: delay": _none},  # ids out of range: test_tensorflow.py
        swapped=("late flights", ("hour", "dep_delay")),
        again=("held out: delay",),  # tf2onnx varies names and the order of words at each run
        tools=("held out: delay", _KERAS_TOOLS),
        refused=(),  # what is refused needs no model that was trained: test_tensorflow.py
    ),
    "xgboost": Family(
        converter="xgboost",
        script="xgboost_models_for_tests",
        environment="boosters",
        converted=_OF_XGBOOST,
        declared={
            "flights": (_LATE_IN_ANOTHER_ORDER, ["`p` (float32)"]),
            "breast cancer, ubj": (["`m` (float32[30])"], ["`p` (float32)", "`label` (int64)"]),
            "wine": (_MATRIX, ["`probabilities` (float32[3])", "`label` (int64)"]),
            "seconds, double": (["`time` (float64)", "`gate` (int64)"], ["`p` (float32)"]),
        },
        raises={"flights": _infinite},  # it raises on infinity, and has a side for NaN
        swapped=("flights", ("hour", "dep_delay")),
        splits=dict.fromkeys(_OF_XGBOOST, ""),
        again=("flights", "wine"),
        tools=("wine", {"onnx", "onnxmltools", "xgboost-cpu", _OPSET, _OF_TREES_AND_WORDS}),
        refused=(
            Refused("pickle", _REFUSED, "none of XGBoost's own files", "booster.save_model"),
            Refused("broken", _REFUSED, "model.json is none of XGBoost's own files", "booster.save_model"),
            Refused("labels only", _FAILED, "objective `multi:softmax` are not converted", "multi:softprob"),
            Refused("dart", _FAILED, "boosters `dart`", "train a `gbtree`"),
            Refused("categories", _FAILED, "split by categories", "enable_categorical"),
            Refused("three values", _FAILED, "knows 2 classes", "shape: [2]"),
            Refused("word", _FAILED, "takes numbers only; declared as string: gate", "declare the number"),
        ),
    ),
}
