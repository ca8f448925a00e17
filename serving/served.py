"""What the served log passes on: an answered request, and a file made of many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, Self

import numpy as np

from serving.tensors import FREE, Array, Batch, TensorSpecification

_BYTES_A_REQUEST = 1_000  # measured: its id, its times, and the dictionary of its arrays
_BYTES_AN_ARRAY = 160
_BYTES_A_TEXT = 60


@dataclass(frozen=True, slots=True)
class Served:
    """One answered request; `times` are microseconds since 1970 in UTC, one a row.

    `body_bytes` is what the arrays keep in memory beside themselves: those of a binary request are windows on its body.
    """

    request_id: str
    times: Sequence[int]
    values: Batch
    body_bytes: int = 0

    @property
    def rows(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Weight:
    """About what a request takes in memory while it waits, known beforehand as far as it can be: a path is hot here."""

    bytes_a_request: int
    bytes_a_row: int
    measured: tuple[str, ...]  # tensors whose size only their values tell

    @classmethod
    def of(cls, inputs: Mapping[str, TensorSpecification], outputs: Mapping[str, TensorSpecification]) -> Self:
        known = [one for one in inputs.values() if _has_one_size(one)]
        measured = [*(name for name, one in inputs.items() if not _has_one_size(one)), *outputs]
        return cls(
            bytes_a_request=_BYTES_A_REQUEST + _BYTES_AN_ARRAY * (len(inputs) + len(outputs)),
            bytes_a_row=8 + sum(np.dtype(one.kind.numpy).itemsize * math.prod(one.shape[1:]) for one in known),
            measured=tuple(measured),
        )

    def __call__(self, served: Served) -> int:
        fixed = self.bytes_a_request + self.bytes_a_row * served.rows + served.body_bytes
        return fixed + sum(_bytes_of(served.values[name]) for name in self.measured if name in served.values)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that is ready to be stored under its day."""

    day: date
    ending: str
    content: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """The files of a batch, and what of it has to wait for more."""

    files: list[LogFile]
    kept_back: list[Served]


class Encoding(Protocol):
    """Makes files of requests; what it raises loses that batch."""

    def encode(self, batch: Sequence[Served]) -> Encoded: ...


def _has_one_size(tensor: TensorSpecification) -> bool:
    return tensor.kind.datatype != "BYTES" and FREE not in tensor.shape[1:]


def _bytes_of(array: Array) -> int:
    texts = array.ravel().tolist() if array.dtype.kind == "O" else []
    return int(array.nbytes) + len(texts) * _BYTES_A_TEXT + sum(map(len, texts))
