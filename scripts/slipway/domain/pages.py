"""The pages of a record: what each step found, written once and read by the steps after it.

A page is keyed by the digest of what its step read. Clock, host and run lie in `circumstances`, outside of
every comparison, so that two runs on two machines write the same page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.domain.cost import Cost
from slipway.errors import BadFile, NewerSchema

SCHEMA = 1


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Body(Frozen):
    """What a page says; `kind` is its name in file names."""

    kind: ClassVar[str]


class Circumstances(Frozen):
    """When, where and by what a page was written: told to people, compared by nobody.

    `isolation` is what kept a model's process apart, in the words of `adapters/processes/isolation.py`; None where none
    ran, and on pages that were written before this was told. `tooling` is the commit whose Slipway wrote the page; None
    outside of a repository, and on pages from before.
    """

    written_at: str
    seconds: float
    host: str
    slipway: str
    run_url: str | None = None
    cost: Cost | None = None
    isolation: tuple[str, ...] | None = None
    tooling: str | None = None


class File(Frozen):
    """Bytes that a page names; they lie in the record under their digest."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # it becomes a path
    size: int = Field(ge=0)


BodyT = TypeVar("BodyT", bound=Body)


class Page(Frozen, Generic[BodyT]):
    """`subject` is the release or the incident, `reads` the digests of all that the step looked at."""

    schema_version: int = SCHEMA
    kind: str
    subject: str
    number: int
    reads: dict[str, str]
    key: str
    body: BodyT
    circumstances: Circumstances

    @property
    def file_name(self) -> str:
        return f"{self.kind}.{self.number}.json"

    def to_json(self) -> bytes:
        text = json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"

    def says_the_same_as(self, other: Self) -> bool:
        """Compare all but the number and the circumstances."""
        return (self.kind, self.subject, self.key, self.body) == (other.kind, other.subject, other.key, other.body)


def key_of(reads: Mapping[str, str]) -> str:
    """The digest of a step's inputs, the same for the same inputs in any order."""
    return digest_of(json.dumps(dict(reads), sort_keys=True).encode())


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parse_page(body: type[BodyT], content: bytes, *, where: str) -> Page[BodyT]:
    """Read a page's JSON.

    Raises:
        NewerSchema: a later Slipway wrote it.
        BadFile: it is no page of this kind.
    """
    try:
        page = _page_of(body).model_validate_json(content)
    except ValidationError:
        page = _explained(body, content, where=where)
    _refuse_later(page.schema_version, where=where)
    if page.kind != body.kind:
        raise BadFile(f"{where} is a page `{page.kind}`, not `{body.kind}`", mend="run the steps in their order")
    return page


def _explained(body: type[BodyT], content: bytes, *, where: str) -> Page[BodyT]:
    """Read it once more, by a way that takes longer and can say what is wrong, also that Slipway is too old for it."""
    raw = _json_object(content, where=where)
    _refuse_later(raw.get("schema_version"), where=where)
    try:
        return _page_of(body).model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadFile(f"{where}: {field}: {first['msg']}", mend="run the step that writes this page again") from error


def _refuse_later(written_by: object, *, where: str) -> None:
    if isinstance(written_by, int) and written_by > SCHEMA:
        raise NewerSchema(
            f"{where} has schema {written_by}; this Slipway reads up to {SCHEMA}",
            mend="update Slipway in this repository (docs/upgrade.md, `cruft update`), then run the step again",
        )


@cache
def _page_of(body: type[BodyT]) -> type[Page[BodyT]]:
    """Pydantic forgets a parametrised class that nobody holds, and takes milliseconds to make it again."""
    return Page[body]  # type: ignore[valid-type]  # a class given as a value


def _json_object(content: bytes, *, where: str) -> dict[str, Any]:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:  # RecursionError: a thousand brackets
        raise BadFile(f"{where} is no JSON: {error}", mend="delete the file and run its step again") from error
    if not isinstance(raw, dict):
        raise BadFile(f"{where} is no page: it holds no JSON object", mend="delete the file and run its step again")
    return raw
