"""Universal Binary JSON, as XGBoost writes it, read without trusting any length that it states.

Format: https://ubjson.org/type-reference, of which XGBoost uses typed and counted arrays, and strings, keys and counts
of 64 bits. Anything else is refused, so that no two readers read one file differently.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_WORDS = {"T": True, "F": False, "Z": None}
_DEEPEST = 64


def parse(content: bytes) -> Any:
    """Dicts, lists, arrays of numbers, strings, numbers, bools and None.

    Raises:
        ValueError: it is no such file; a length beyond its end is found before anything is made for it.
    """
    reader = _Reader(content)
    found = reader.value(reader.marker(), depth=0)
    if reader.position != len(content):
        raise ValueError(f"{len(content) - reader.position:,} bytes follow its end")
    return found


class _Reader:
    """`position` is that of the next byte."""

    def __init__(self, content: bytes) -> None:
        self.content, self.position = content, 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.content) - self.position:
            raise ValueError(f"it states a length of {count:,} at byte {self.position:,}")
        self.position += count
        return self.content[self.position - count : self.position]

    def marker(self) -> str:
        return self.take(1).decode("latin-1")

    def count(self) -> int:
        if self.marker() != "L":
            raise ValueError(f"no length of 64 bits at byte {self.position - 1:,}")
        return int(struct.unpack(">q", self.take(8))[0])

    def value(self, marker: str, *, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST}")
        if marker == "{":
            return self._object(depth)
        if marker == "[":
            return self._array(depth)
        if marker == "S":
            return self.take(self.count()).decode()
        if marker in _NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker in _WORDS:
            return _WORDS[marker]
        raise ValueError(f"`{marker}` at byte {self.position - 1:,} is no type that XGBoost writes")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.content[self.position : self.position + 1] != b"}":
            key = self.take(self.count()).decode()
            if key in found:
                raise ValueError(f"`{key}` is there twice")
            found[key] = self.value(self.marker(), depth=depth + 1)
        self.position += 1
        return found

    def _array(self, depth: int) -> Any:
        marker = self.marker()
        if marker == "$":
            kind, marker = self.marker(), self.marker()
            if kind not in _NUMBERS or marker != "#":
                raise ValueError(f"an array of `{kind}` at byte {self.position - 1:,}")
            return self._numbers(kind, self.count())
        if marker != "#":
            raise ValueError(f"an array without a length at byte {self.position - 1:,}")
        count = self.count()
        if count > len(self.content) - self.position:
            raise ValueError(f"it states a length of {count:,} at byte {self.position:,}")
        return [self.value(self.marker(), depth=depth + 1) for _ in range(count)]

    def _numbers(self, kind: str, count: int) -> Any:
        dtype = np.dtype(_NUMBERS[kind])
        return np.frombuffer(self.take(count * dtype.itemsize), dtype)
