"""The base of everything that a person writes in YAML: frozen, and strict about keys and values."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from semver import Version


class Declared(BaseModel):
    """An unknown key is an error: a misspelt limit must never pass as no limit, nor `.nan`, which nothing misses."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


def a_version(text: str) -> str:
    """An entry whose version is misspelt would hold nothing, and nobody would be told."""
    if text[:1] != "v" or not Version.is_valid(text[1:]):
        raise ValueError("must read like v1.4.0")
    return text


VersionName = Annotated[str, AfterValidator(a_version)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
