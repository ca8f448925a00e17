"""What a converter is asked to do, in the words of model.yaml and of policies/sources.yaml."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from slipway.converters.sources import refuse_strange_files
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed

_EXACT_IN_FLOAT32 = 2**24  # every whole number up to here


@dataclass(frozen=True, slots=True)
class Column:
    """A declared input or output, of shape `[N, *shape]`."""

    name: str
    dtype: str
    shape: tuple[int, ...] = (1,)

    @property
    def width(self) -> int:
        return math.prod(self.shape)

    def only_of(self, classes: int) -> int | None:
        """Which of a classifier's probabilities this is: that of the second of two classes, or None for all.

        Raises:
            ConversionFailed: it is as wide as neither.
        """
        if self.width == 1 and classes == 2:
            return 1
        if self.width == classes:
            return None
        raise ConversionFailed(
            f"the model knows {classes} classes, and the output `{self.name}` has {self.width} values a row",
            mend=f"declare it in model.yaml with `shape: [{classes}]`, one probability a class in their order",
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """What a source may hold besides numbers: pickled objects, types that skops does not trust by itself, and code."""

    pickle: bool = False
    types: tuple[str, ...] = ()
    python: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    source: Path
    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    trust: Trust = Trust()

    @classmethod
    def from_json(cls, job: Mapping[str, Any]) -> Self:
        inputs, outputs = (
            tuple(Column(one["name"], one["dtype"], tuple(one["shape"])) for one in job[kind])
            for kind in ("inputs", "outputs")
        )
        given = job["trust"]
        trust = Trust(pickle=given["pickle"], types=tuple(given["types"]), python=given.get("python", False))
        return cls(Path(job["source"]), inputs, outputs, trust)

    def file(self, *endings: str) -> Path:
        """The source itself or, where it is a folder, the only file in it that ends so.

        Raises:
            ConversionFailed: there is none, or there are several.
            ModelRefused: the source holds a pipe, a device, or a link that leads out of it.
        """
        if self.source.exists():
            refuse_strange_files(self.source)
        if self.source.is_file() and self.source.name.endswith(endings):
            return self.source
        found = [path for path in sorted(self.source.glob("*")) if path.name.endswith(endings) and path.is_file()]
        if len(found) != 1:
            raise ConversionFailed(
                f"{self.source} is no file that ends in {' or '.join(endings)}, nor a folder with exactly one such "
                f"file; it holds: {', '.join(path.name for path in found) or 'none'}",
                mend="save the model there in one of these formats, as the only one",
            )
        return found[0]

    def matrix_columns(self, names: Sequence[str] | None, *, width: int) -> tuple[Column, ...]:
        """The inputs in the order of a source that takes one matrix of `width` columns.

        `names` are those that the source was trained with, None where it knows none.

        Raises:
            ConversionFailed: the source has other columns than declared.
        """
        declared = {column.name: column for column in self.inputs}
        if names is not None and set(names) != set(declared):
            raise ConversionFailed(
                f"the source was trained with the columns {', '.join(names)}; declared are {', '.join(declared)}",
                mend="declare under `inputs` in model.yaml the columns of the training, each by its name",
            )
        columns = self.inputs if names is None else tuple(declared[name] for name in names)
        if sum(column.width for column in columns) != width:
            raise ConversionFailed(
                f"the source takes {width} columns; declared are {sum(column.width for column in columns)}",
                mend="declare under `inputs` in model.yaml the columns of the training, in their order",
            )
        return columns


def matrix(batch: Batch, columns: Sequence[Column]) -> npt.NDArray[Any]:
    """The columns side by side: shape [N, sum of widths], in the widest type that they need."""
    return np.concatenate([batch[column.name].reshape(len(batch[column.name]), -1) for column in columns], axis=1)


def refuse_double(columns: Sequence[Column], *, because: str) -> None:
    """Say no to inputs whose digits ONNX's trees would lose.

    Raises:
        ConversionFailed: a column is declared float64.
    """
    if double := [f"`{column.name}`" for column in columns if column.dtype == "float64"]:
        raise ConversionFailed(
            f"{because}, and ONNX compares in float32: near a split, {', '.join(double)} would fall on the other side",
            mend="declare it float32 in model.yaml; where its values need more digits (seconds since 1970, ids), "
            "subtract an offset before the model, and train on what is left",
        )


def refuse_large_integers(batch: Batch, columns: Sequence[Column]) -> None:
    """Say no to whole numbers that float32 does not have.

    Raises:
        ConversionFailed: a value lies beyond 2^24.
    """
    for column in columns:
        values = batch[column.name]
        if values.dtype.kind in "iu" and (np.abs(values.astype(np.float64)) > _EXACT_IN_FLOAT32).any():
            raise ConversionFailed(
                f"`{column.name}` holds numbers beyond 2^24, which float32, in which ONNX compares, does not all have",
                mend="subtract an offset before the model, and train on what is left",
            )
