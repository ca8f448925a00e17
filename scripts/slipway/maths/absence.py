"""A number that does not exist, and why: the caller cannot mistake it for a 0."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absent:
    """What a function returns in place of a number that nobody can know from these rows."""

    reason: str

    def __str__(self) -> str:
        return self.reason
