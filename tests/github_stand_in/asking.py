"""What a handler is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.github_stand_in.store import Hosted, Says


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the parts of its path, its query, its JSON, and the login that its token stands for."""

    hosted: Hosted
    login: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> int:
        try:
            return int(self.path[name])
        except ValueError:
            raise Says(404, "Not Found") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """`fields` are what matters of the JSON; the rest is filled in by the description."""

    status: int
    fields: Any = None


Handler = Callable[[Ask], Answer]
Routes = dict[tuple[str, str], Handler]
