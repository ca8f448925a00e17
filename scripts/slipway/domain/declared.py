"""The base of everything that a person writes in YAML: frozen, and strict about keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """An unknown key is an error: a misspelt limit must never pass as no limit, nor `.nan`, which nothing misses."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)
