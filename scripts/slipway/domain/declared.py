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
    if text[:1] != "v" or "+" in text or not Version.is_valid(text[1:]):
        raise ValueError("must read like v1.4.0")
    return text


def a_version_or_revision(text: str) -> str:
    """As `a_version`, and the name of a version on another runtime image."""
    version, mark, revision = text.partition("_r")
    if mark and (not revision.isascii() or not revision.isdecimal() or revision[0] == "0" or int(revision) < 2):
        raise ValueError("must read like v1.4.0, or v1.4.0_r2")
    a_version(version)
    return text


RevisionName = Annotated[str, AfterValidator(a_version_or_revision)]
VersionName = Annotated[str, AfterValidator(a_version)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
