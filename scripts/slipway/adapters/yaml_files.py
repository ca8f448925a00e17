"""Read what people write in YAML, and answer with the file, the line and the nearest valid key.

Aliases are refused: nothing in these files needs them, and with them a kilobyte can stand for a gigabyte.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import SafeConstructor

from slipway.errors import BadFile

LARGEST_FILE = 1_000_000  # bytes; a hundred times the largest policy that a person would write
_DEEPEST = 40
_WORD = "tag:yaml.org,2002:str"

DocumentT = TypeVar("DocumentT", bound=BaseModel)


def read_yaml(path: Path, into: type[DocumentT]) -> DocumentT:
    """Read `path` as `into`.

    Raises:
        BadFile: it is missing, too large, not UTF-8, no YAML, or does not say what `into` needs.
    """
    return parse_yaml(read_bounded(path), into, where=str(path))


def parse_yaml(content: bytes, into: type[DocumentT], *, where: str) -> DocumentT:
    """Read YAML that is already in memory; `where` names it in errors."""
    root = _compose(_decode(content, where=where), where=where)
    _refuse_traps(root, where=where)
    try:
        return into.model_validate(_Constructor().construct_document(root))
    except ValidationError as error:
        # A misspelt key is also a missing one: told as unknown, with the nearest, it can be mended.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise _explained(first, root, into, where=where) from error
    except (ValueError, yaml.YAMLError) as error:  # for example the date 2013-02-30
        raise BadFile(f"{where}: {error}", mend=f"correct the value in {where}") from error


def read_bounded(path: Path) -> bytes:
    """Read a file that should be small.

    Raises:
        BadFile: it is missing, unreadable or larger than `LARGEST_FILE`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}", mend=f"create {path}, or correct its name") from error
    if len(content) > LARGEST_FILE:
        raise BadFile(
            f"{path} is larger than {LARGEST_FILE:,} bytes, too large for a file that people write",
            mend=f"keep data out of {path}",
        )
    return content


class _Loader(yaml.CSafeLoader):
    """libyaml's: a tenth of the time, and hundreds of manifests are read where all that is deployed is looked at."""


class _Constructor(SafeConstructor):
    """Most values are words, and what is made of a word is the word: no need to look for more."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.tag == _WORD:
            return node.value
        return super().construct_object(node, deep=deep)


def _decode(content: bytes, *, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFile(
            f"{where}, line {line}: byte {error.start} is not UTF-8", mend=f"save {where} with the encoding UTF-8"
        ) from error


def _compose(text: str, *, where: str) -> yaml.Node:
    try:
        if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
            raise BadFile(f"{where} uses a YAML alias (`*name`)", mend="write the value out at each place")
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise BadFile(f"{where}{line}: {problem}", mend=f"correct the YAML of {where}") from error
    if not isinstance(root, yaml.MappingNode):
        raise BadFile(f"{where} holds no `key: value` lines", mend=f"fill {where}; the docs show an example")
    return root


def _refuse_traps(node: yaml.Node, *, where: str, depth: int = 1) -> None:
    if depth > _DEEPEST:
        raise BadFile(f"{where} is nested deeper than {_DEEPEST} levels", mend=f"flatten {where}")
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_traps(item, where=where, depth=depth + 1)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise BadFile(f"{where}, line {line}: a key must be a word", mend="write `word: value`")
        if key.value in seen:
            raise BadFile(f"{where}, line {line}: `{key.value}` is there twice", mend="keep one of the two")
        seen.add(key.value)
        if not isinstance(value, yaml.ScalarNode):
            _refuse_traps(value, where=where, depth=depth + 1)


def _explained(error: ErrorDetails, root: yaml.Node, into: type[BaseModel], *, where: str) -> BadFile:
    location = error["loc"]
    line = _line_of(root, location)
    field = ".".join(str(part) for part in location) or "the file"
    if error["type"] == "extra_forbidden":
        near = _nearest(str(location[-1]), _valid_keys(into, location))
        return BadFile(
            f"{where}, line {line}: unknown key `{field}`",
            mend=f"did you mean `{near}`?" if near else f"remove `{location[-1]}`",
        )
    if error["type"] == "missing":
        return BadFile(f"{where}, line {line}: `{field}` is missing", mend=f"add `{location[-1]}:` to {where}")
    message = error["msg"].removeprefix("Value error, ")
    return BadFile(f"{where}, line {line}: {field}: {message}", mend=f"correct `{field}` in {where}")


def _valid_keys(into: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    at: type[BaseModel] | None = into
    for part in location[:-1]:
        if at is None or isinstance(part, int):
            continue
        field = at.model_fields.get(part)
        at = _model_in(field.annotation) if field else _more_keys(at).get(part, at)
    return [*at.model_fields, *_more_keys(at)] if at else []


def _more_keys(declared: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """Keys that are no fields, with what stands below them: there are too many metrics for that."""
    found: Mapping[str, type[BaseModel]] = getattr(declared, "more_keys", {})
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The declared class inside of `X | None`, `tuple[X, ...]` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _nearest(word: str, valid: Sequence[str]) -> str | None:
    matches = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    return matches[0] if matches else None


def _line_of(node: yaml.Node, location: Sequence[int | str]) -> int:
    line = node.start_mark.line + 1
    for part in location:
        child = _child(node, part)
        if child is None:
            return line
        key, node = child
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    return None
