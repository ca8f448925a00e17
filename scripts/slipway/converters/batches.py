"""Rows on their way between two processes: a name to an array, in a file that can hold no code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt

from slipway.domain.rows import Batch, rows_in, take
from slipway.errors import BadFile


def write_batch(path: Path, batch: Batch) -> None:
    """Write an uncompressed npz; strings travel as fixed-width text, since objects would be pickled."""
    columns = {f"column {name}": _as_fixed_width(column) for name, column in batch.items()}
    np.savez(path, allow_pickle=False, **columns)


def read_batch(path: Path) -> Batch:
    """Read what `write_batch` wrote.

    Raises:
        BadFile: the file is no npz, or holds pickled objects.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            _refuse_packed(stored.zip)
            return {name.removeprefix("column "): _as_objects(stored[name]) for name in stored.files}
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, BadZipFile, MemoryError) as error:
        raise BadFile(f"{path} holds no batch of rows: {error}", mend="run the step that writes it again") from error


def _refuse_packed(archive: ZipFile) -> None:
    """The file comes from a process that ran a model: packed, a small one could fill our memory."""
    if any(entry.compress_type != ZIP_STORED for entry in archive.infolist()):
        raise ValueError("it is packed")


def chunks(batch: Batch, *, rows_at_once: int) -> Iterator[Batch]:
    """The rows in their order, at least one chunk, the last one shorter."""
    for start in range(0, max(1, rows_in(batch)), rows_at_once):
        yield take(batch, slice(start, start + rows_at_once))


def joined(parts: Sequence[Batch]) -> dict[str, npt.NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _as_fixed_width(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(np.str_) if column.dtype.kind == "O" else column


def _as_objects(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(object) if column.dtype.kind == "U" else column
