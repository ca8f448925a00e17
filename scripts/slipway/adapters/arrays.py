"""Batches as npz files on their way to and from a framework's process; they can hold no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.rows import Batch
from slipway.errors import BadFile


def write_batch(path: Path, batch: Batch) -> None:
    """Strings travel as fixed-width text, since objects would be pickled."""
    np.savez(path, allow_pickle=False, **{name: _storable(column) for name, column in batch.items()})


def read_batch(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what `write_batch`, or a framework's process, wrote.

    Raises:
        BadFile: the file is no npz, or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: _as_objects(stored[name]) for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadFile(f"{path} holds no batch of rows: {error}", mend="run `slipway convert-to-onnx` again") from error


def _storable(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(np.str_) if column.dtype.kind == "O" else column


def _as_objects(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(object) if column.dtype.kind == "U" else column
