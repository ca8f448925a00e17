"""What a model asks for and what it answers: names, types and widths."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict


class DataType(StrEnum):
    """The tensor types that a release may have, by their Open Inference Protocol meaning."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT32 = "int32"
    INT64 = "int64"
    BOOL = "bool"
    STRING = "string"


class Tensor(BaseModel):
    """A named tensor of shape `[N, *shape]`; `N`, the batch, is always free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dtype: DataType
    shape: tuple[int, ...] = (1,)

    def __str__(self) -> str:
        return f"`{self.name}` ({self.dtype}{list(self.shape) if self.shape != (1,) else ''})"


class Signature(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def changes_to(self, newer: Self) -> tuple[str, ...]:
        """Say in sentences what a client of `self` would notice in `newer`; empty when nothing."""
        return (
            *_changes("input", self.inputs, newer.inputs),
            *_changes("output", self.outputs, newer.outputs),
        )

    def lacks_of(self, newer: Self) -> tuple[str, ...]:
        """Say why `self` could not answer what `newer` is asked, or answers less; empty where it can.

        A server leaves inputs aside that its model does not know, so what `newer` asks beside is no hindrance; a
        client of `newer` that reads an output which `self` lacks is one.
        """
        given = {tensor.name: tensor for tensor in newer.inputs}
        answered = {tensor.name: tensor for tensor in self.outputs}
        return (
            *(f"it asks for {one}, which is sent no more" for one in self.inputs if one.name not in given),
            *(
                f"it asks for {one}, sent is {given[one.name]}"
                for one in self.inputs
                if given.get(one.name, one) != one
            ),
            *(f"it does not answer {one}" for one in newer.outputs if one.name not in answered),
            *(
                f"it answers {answered[one.name]}, read is {one}"
                for one in newer.outputs
                if answered.get(one.name, one) != one
            ),
        )


def _changes(kind: str, before: tuple[Tensor, ...], after: tuple[Tensor, ...]) -> tuple[str, ...]:
    old = {tensor.name: tensor for tensor in before}
    new = {tensor.name: tensor for tensor in after}
    added = tuple(f"{kind} {new[name]} is new" for name in new if name not in old)
    gone = tuple(f"{kind} {old[name]} is gone" for name in old if name not in new)
    changed = tuple(f"{kind} {old[name]} is now {new[name]}" for name in old if name in new and old[name] != new[name])
    return added + gone + changed
