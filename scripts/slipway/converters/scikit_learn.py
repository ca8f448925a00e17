"""scikit-learn models, saved by skops and converted by skl2onnx.

scikit-learn computes in float64, and ONNX's operators for it in float32. So scalers are converted between two casts;
where trees compare in float64 what a scaler hands them, that is not enough, and the model is refused.

scikit-learn and its company are imported inside the functions that need them: they are installed in an environment of
their own only, and ship no types, hence `Any`.
"""

from __future__ import annotations

import copy
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from slipway.converters.framed import Answer, framed
from slipway.converters.job import Column, Job, matrix, refuse_double
from slipway.converters.sources import refuse_archive
from slipway.converters.thresholds import rounded_down
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed, ModelRefused

name = "scikit-learn"
requirements = "scikit-learn"
_OPSETS = {"": 18, "ai.onnx.ml": 3}
_PICKLES = (".pkl", ".pickle", ".joblib")
_MEND = "save the model again: skops.io.dump(model, FILE)"
_NO_SKOPS = (
    *(BadZipFile, OSError, KeyError, ValueError, TypeError, AttributeError, ImportError, IndexError),
    *(RecursionError, NotImplementedError, zlib.error),
)
_SCALERS = {"MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler"}
_TYPES = {"float32": "Float", "float64": "Double", "int32": "Int32", "int64": "Int64", "bool": "Boolean"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A fitted model. `columns` are its inputs in its order; `frame` tells whether it asks for them by name.

    `threads` is how many a question may take.
    """

    model: Any
    columns: tuple[Column, ...]
    frame: bool
    answers: tuple[Answer, ...]
    threads: int = 1


def with_threads(loaded: Loaded, threads: int) -> Loaded:
    return replace(loaded, threads=threads)


def refuse(job: Job) -> None:
    """Say no to what runs code when it is loaded.

    Raises:
        ModelRefused: it is pickled, no archive of skops, too large, or holds types that no policy trusts.
    """
    file = _file(job)
    if file.name.endswith(_PICKLES):
        return _refuse_pickle(job, file)
    refuse_archive(file, what="archive of skops", mend=_MEND)
    try:
        untrusted = import_module("skops.io").get_untrusted_types(file=file)
    except _NO_SKOPS as error:
        raise ModelRefused(f"{file.name} is no archive of skops: {error}", mend=_MEND) from error
    if unknown := sorted(set(untrusted) - set(job.trust.types)):
        raise ModelRefused(
            f"{file.name} holds types that nobody trusts: {', '.join(unknown)}",
            mend="build the model of scikit-learn's own parts or, where these are known to do no harm, name them "
            "under `trusted_types` in policies/sources.yaml",
        )
    return None


def _refuse_pickle(job: Job, file: Path) -> None:
    if not job.trust.pickle:
        raise ModelRefused(
            f"{file.name} is pickled, and a pickle runs any code when it is loaded",
            mend="save the model with skops: skops.io.dump(model, 'model.skops'); where that cannot be, "
            "`pickle: true` for this model in policies/sources.yaml, with the reason",
        )


def _file(job: Job) -> Path:
    return job.file(".skops", *_PICKLES)


def load(job: Job) -> Loaded:
    """Load the model for asking; `refuse` comes first.

    Raises:
        ConversionFailed: it cannot be loaded, or is not what model.yaml declares.
    """
    model = _model(job)
    first = model.steps[0][1] if hasattr(model, "steps") else model
    frame = type(first).__name__ == "ColumnTransformer" and hasattr(first, "feature_names_in_")
    names = getattr(first, "feature_names_in_", None)
    width = getattr(first, "n_features_in_", None)
    if width is None:
        raise ConversionFailed(f"{job.source} is not fitted", mend="save the model after its training")
    columns = job.matrix_columns(None if names is None else [str(one) for one in names], width=int(width))
    kinds = {"string" if column.dtype == "string" else "number" for column in columns}
    if not frame and len(kinds) > 1:
        raise ConversionFailed(
            "the model takes words and numbers in one matrix, which ONNX does not have",
            mend="begin the pipeline with a ColumnTransformer, fitted on a DataFrame, that takes columns by name",
        )
    return Loaded(model, columns, frame, tuple(_answer(model, output) for output in job.outputs))


def _model(job: Job) -> Any:
    """A model of another scikit-learn may load and answer differently, so its warning is an error here."""
    file = _file(job)
    other_version = import_module("sklearn.exceptions").InconsistentVersionWarning
    with warnings.catch_warnings():
        warnings.simplefilter("error", other_version)
        try:
            if file.name.endswith(_PICKLES):
                return import_module("joblib").load(file)
            return import_module("skops.io").load(file, trusted=list(job.trust.types))
        except other_version as error:
            raise ConversionFailed(
                f"{file.name} was saved by another version of scikit-learn: {error}",
                mend="train the model with the version in requirements/scikit-learn.txt",
            ) from error
        except Exception as error:
            raise ConversionFailed(
                f"{file.name} cannot be loaded: {error}",
                mend="save the model again, with the versions in requirements/scikit-learn.txt",
            ) from error


def _answer(model: Any, output: Column) -> Answer:
    """A classifier answers float outputs with probabilities, others with its label; a regressor with its number.

    Raises:
        ConversionFailed: the model has no such answer.
    """
    wants_number = output.dtype in ("float32", "float64")
    if hasattr(model, "predict") and not hasattr(model, "classes_"):
        return Answer(output, position=0)
    if hasattr(model, "classes_") and not wants_number:
        return Answer(output, position=0)
    if not hasattr(model, "predict_proba"):
        raise ConversionFailed(
            f"the model has no probabilities, which the output `{output.name}` asks for",
            mend="use a classifier that has predict_proba, or wrap it in CalibratedClassifierCV",
        )
    return Answer(output, position=1, only=output.only_of(len(model.classes_)))


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself, with float64 for all floats, as it was trained.

    Raises:
        ValueError: the source refused a row of the batch.
    """
    rows = _frame(loaded, batch) if loaded.frame else _rows(loaded, batch)
    answers: dict[str, npt.NDArray[Any]] = {}
    for answer in loaded.answers:
        with _threads(loaded.threads):
            found = loaded.model.predict_proba(rows) if answer.position == 1 else loaded.model.predict(rows)
        found = np.asarray(found) if answer.only is None else np.asarray(found)[:, answer.only]
        dtype = object if answer.column.dtype == "string" else answer.column.dtype
        answers[answer.column.name] = found.astype(dtype).reshape(-1, *answer.column.shape)
    return answers


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Forests take joblib's threads, the others those of BLAS and OpenMP; to set them takes longer than a row."""
    if count == 1:
        yield
        return
    limits = import_module("threadpoolctl").threadpool_limits
    with limits(count), import_module("joblib").parallel_config("threading", n_jobs=count):
        yield


def _rows(loaded: Loaded, batch: Batch) -> Any:
    rows = matrix(batch, loaded.columns)
    names = getattr(loaded.model, "feature_names_in_", None)
    rows = rows if rows.dtype.kind == "O" else rows.astype(np.float64)
    return rows if names is None else import_module("pandas").DataFrame(rows, columns=names)


def _frame(loaded: Loaded, batch: Batch) -> Any:
    columns = {column.name: batch[column.name][:, 0] for column in loaded.columns}
    wide = {name: one.astype(np.float64) if one.dtype.kind == "f" else one for name, one in columns.items()}
    pandas = import_module("pandas")
    return pandas.DataFrame({name: pandas.Series(one, dtype=one.dtype) for name, one in wide.items()})


def to_onnx(job: Job) -> ModelProto:
    """Convert the model.

    Raises:
        ConversionFailed: skl2onnx does not know a part of it, or ONNX would lose digits that it compares.
    """
    loaded = load(job)
    final = loaded.model.steps[-1][1] if hasattr(loaded.model, "steps") else loaded.model
    if type(final).__name__.startswith("HistGradientBoosting"):
        refuse_double(loaded.columns, because=f"{type(final).__name__} compares in float64")
        _refuse_scaled(loaded.model)
        _refuse_categories(final)
    options = {"zipmap": False} if hasattr(loaded.model, "classes_") else None
    try:
        converted = import_module("skl2onnx").to_onnx(
            _with_casts(loaded.model),
            initial_types=_initial_types(loaded),
            options=options,
            target_opset=_OPSETS,
        )
    except (RuntimeError, NameError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ConversionFailed(
            f"skl2onnx cannot convert the model: {str(error).strip()}",
            mend="replace the part that it names, or compute it before the model",
        ) from error
    _send_missing_values(converted, final)
    return framed(converted, loaded.answers, matrix=() if loaded.frame else loaded.columns)


def _send_missing_values(converted: ModelProto, final: Any) -> None:
    """Send NaN down the side that the trees send it to; skl2onnx 1.20 sends it right in trees and forests."""
    trees = [one.tree_ for one in getattr(final, "estimators_", [final]) if hasattr(one, "tree_")]
    for node in converted.graph.node if trees else ():
        lists = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_missing_value_tracks_true" in lists:
            places = zip(lists["nodes_treeids"].ints, lists["nodes_nodeids"].ints, strict=True)
            goes_left = [int(trees[tree].missing_go_to_left[place]) for tree, place in places]
            splits = (int(mode != b"LEAF") for mode in lists["nodes_modes"].strings)
            lists["nodes_missing_value_tracks_true"].ints[:] = [
                left * split for left, split in zip(goes_left, splits, strict=True)
            ]


def _refuse_scaled(model: Any) -> None:
    """Say no to float64 scalers before trees that compare in float64: 38 of 30,000 flights were decided otherwise.

    Trees and forests of scikit-learn cast to float32 themselves, so for them the casts of the conversion are enough.
    """
    if _scales(model):
        raise ConversionFailed(
            "a scaler hands float64 to trees that compare in float64, and ONNX compares in float32: rows near a split "
            "would fall on the other side",
            mend="leave the scaler out, since trees need none; or put skl2onnx.sklapi.CastTransformer(dtype="
            "numpy.float64) before it and CastTransformer(dtype=numpy.float32) behind it, and train again",
        )


def _refuse_categories(trees: Any) -> None:
    """skl2onnx 1.20 converts a split by categories as one by size, without an error."""
    if getattr(trees, "is_categorical_", None) is not None:
        raise ConversionFailed(
            "the trees split by categories, which skl2onnx cannot convert",
            mend="train without `categorical_features`, behind an OrdinalEncoder or OneHotEncoder",
        )


def _scales(part: Any) -> bool:
    """Whether what `part` hands on comes from a scaler, and was not cast since."""
    kind = type(part).__name__
    if kind == "ColumnTransformer":
        return any(_scales(one) for _, one, _ in part.transformers_)
    if kind != "Pipeline":
        return kind in _SCALERS
    scaled = False
    for _, step in part.steps:
        scaled = (scaled or _scales(step)) and type(step).__name__ != "CastTransformer"
    return scaled


def _initial_types(loaded: Loaded) -> list[tuple[str, Any]]:
    if loaded.frame:
        return [(column.name, _type(column.dtype, 1)) for column in loaded.columns]
    width = sum(column.width for column in loaded.columns)
    dtypes = {column.dtype for column in loaded.columns}
    widest = next((one for one in ("string", "float64") if one in dtypes), "float32")
    return [("matrix", _type(widest, width))]


def _type(dtype: str, width: int) -> Any:
    types = import_module("skl2onnx.common.data_types")
    return getattr(types, f"{_TYPES.get(dtype, 'String')}TensorType")([None, width])


def _with_casts(part: Any) -> Any:
    """A copy for the conversion: scalers compute in float64, and what a tree is given and compares is float32."""
    kind = type(part).__name__
    if kind.startswith("HistGradientBoosting"):
        return _with_thresholds(part)
    if kind in _SCALERS:
        return _pipeline([_cast(np.float64), part, _cast(np.float32)])
    if kind == "Pipeline":
        steps = [_with_casts(step) for _, step in part.steps]
        return _pipeline([*steps[:-1], _cast(np.float32), steps[-1]] if _splits_rows(steps) else steps)
    if kind == "ColumnTransformer":
        changed = copy.copy(part)
        changed.transformers_ = [(own, _with_casts(one), columns) for own, one, columns in part.transformers_]
        return changed
    return part


def _with_thresholds(trees: Any) -> Any:
    changed = copy.deepcopy(trees)
    for predictor in (one for predictors in changed._predictors for one in predictors):
        predictor.nodes = predictor.nodes.copy()
        predictor.nodes["num_threshold"] = rounded_down(predictor.nodes["num_threshold"])
    return changed


def _splits_rows(steps: Sequence[Any]) -> bool:
    return len(steps) > 1 and any(word in type(steps[-1]).__name__ for word in ("Tree", "Forest", "Boosting"))


def _pipeline(steps: Sequence[Any]) -> Any:
    named = [(f"step_{index}", step) for index, step in enumerate(steps)]
    return import_module("sklearn.pipeline").Pipeline(named)


def _cast(dtype: type[np.floating[Any]]) -> Any:
    return import_module("skl2onnx.sklapi").CastTransformer(dtype=dtype)


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("onnx", "scikit-learn", "skl2onnx", "skops")}
