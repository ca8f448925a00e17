"""What the clients send: rows of every datatype, with the values that are easily bent. For their environment."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

MODEL = "echo"
_ROWS = 3
_NUMPY = {"BOOL": "bool", "FP16": "float16", "FP32": "float32", "FP64": "float64"}
Array = Any


def of(datatype: str, shape: list[int]) -> Array:
    """Three rows; the dimension that the model leaves free is the first."""
    size = [_ROWS, *shape[1:]]
    count = int(np.prod(size))
    if datatype == "BYTES":
        return np.array(["", "Ü\n", "x" * 300] * count, dtype=object)[:count].reshape(size)
    dtype = np.dtype(_NUMPY.get(datatype, datatype.lower()))
    if dtype.kind == "b":
        return np.arange(count).reshape(size) % 2 == 0
    if dtype.kind == "f":
        limits = [np.finfo(dtype).max, np.finfo(dtype).tiny, -0.0]
        return np.array(limits * count, dtype=dtype)[:count].reshape(size)
    limits = [np.iinfo(dtype).max, np.iinfo(dtype).min, 1]
    return np.array(limits * count, dtype=dtype)[:count].reshape(size)


def same(sent: Array, came: Array) -> None:
    """The values and the shape, bit by bit; a client may give texts back as bytes."""
    assert list(came.shape) == list(sent.shape), (came.shape, sent.shape)
    if sent.dtype == object:
        texts = [value.decode() if isinstance(value, bytes) else value for value in came.ravel().tolist()]
        assert texts == sent.ravel().tolist(), texts
    else:
        assert came.dtype == sent.dtype, (came.dtype, sent.dtype)
        assert came.tobytes() == sent.tobytes(), (came, sent)


def report(checks: dict[str, Callable[[], None]]) -> None:
    """Run each check, and print what went wrong, or null, as one line of JSON."""
    outcomes: dict[str, str | None] = {}
    for name, check in checks.items():
        try:
            check()
            outcomes[name] = None
        except Exception:
            outcomes[name] = traceback.format_exc()
    sys.stdout.write(json.dumps(outcomes) + "\n")
