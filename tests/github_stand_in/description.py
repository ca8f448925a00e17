"""GitHub's OpenAPI description: what a request must be, and what an answer looks like.

`fill` writes an answer from the few fields that matter and gives each other required field a plain value of its
type; `violations` holds an exchange against the description.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

_FILE = Path(__file__).parents[1] / "data" / "github-openapi.json"
_MISSING = object()
_PLAIN = {"string": "", "integer": 0, "number": 0, "boolean": False}
_FORMATS = {"uri": "http://127.0.0.1/", "date-time": "2026-01-01T00:00:00Z", "email": "a@example.org"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what was answered; `query` as it stood in the address."""

    verb: str
    path: str
    query: str
    body: Any
    status: int
    answer: Any


@functools.cache
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_bytes())
    return loaded


def answer_schema(template: str, verb: str, status: int) -> dict[str, Any] | None:
    """The schema of an answer's JSON; None where the description names none."""
    responses = description()["paths"][template][verb.lower()]["responses"]
    response = _resolved(responses.get(str(status), {}))
    schema: dict[str, Any] | None = response.get("content", {}).get("application/json", {}).get("schema")
    return schema


def fill(schema: dict[str, Any], given: Any = _MISSING) -> Any:
    """A value of the schema that holds what is given.

    Raises:
        AssertionError: a given field is not one that GitHub answers with.
    """
    schema = _resolved(schema)
    if given is None or (given is _MISSING and schema.get("nullable")):
        return None
    if "allOf" in schema:
        return _merged([fill(each, _part(each, given)) for each in schema["allOf"]])
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives and "properties" not in schema:
        return fill(_fitting(alternatives, given), given)
    if schema.get("type") == "array":
        return [] if given is _MISSING else [fill(schema["items"], item) for item in given]
    if "properties" in schema:
        return _filled_object(schema, {} if given is _MISSING else given)
    return _plain(schema) if given is _MISSING else given


def violations(exchange: Exchange) -> list[str]:
    """What of an exchange GitHub's description does not allow."""
    template = template_of(exchange.path)
    if template is None:
        return []  # GraphQL
    operation = description()["paths"][template][exchange.verb.lower()]
    return [f"{exchange.verb} {exchange.path}: {problem}" for problem in _problems(exchange, template, operation)]


@functools.cache
def template_of(path: str) -> str | None:
    """The longest template of the description that a path fits."""
    fitting = [template for template in description()["paths"] if _pattern(template).fullmatch(path)]
    return max(fitting, key=lambda template: (template.count("/"), -template.count("{")), default=None)


def _problems(exchange: Exchange, template: str, operation: dict[str, Any]) -> Iterator[str]:
    for name in parse_qs(exchange.query):
        if name not in operation["query"]:
            yield f"there is no parameter `{name}`"
    wanted = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if exchange.body is not None or operation.get("requestBody", {}).get("required"):
        yield from _errors(wanted or {"not": {}}, exchange.body, "request")
    schema = answer_schema(template, exchange.verb, exchange.status)
    if schema is not None:
        yield from _errors(schema, exchange.answer, f"answer {exchange.status}")
    elif str(exchange.status) not in operation["responses"] and exchange.status < 400:
        yield f"GitHub never answers with {exchange.status}"


def _errors(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    for error in _validator(json.dumps(schema)).iter_errors(value):
        yield f"{where} at {'/'.join(map(str, error.path))}: {error.message[:300]}"


@functools.cache
def _validator(schema: str) -> Any:
    whole = {**json.loads(schema), "components": description()["components"]}
    registry: Any = Registry().with_resource("", DRAFT4.create_resource(whole))
    return OAS30Validator(whole, registry=registry)


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    deep = re.sub(r"\{(ref|basehead|path|tag)\}", r".+", template)  # these hold slashes
    return re.compile(re.sub(r"\{[a-z_]+\}", r"[^/]+", deep))


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        schema = description()["components"][kind][name]
    return schema


def _filled_object(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    properties = schema["properties"]
    unknown = set(given) - set(properties)
    assert not unknown, f"GitHub's answer has no {unknown}"
    wanted = dict.fromkeys([*schema.get("required", []), *given])
    return {name: fill(properties[name], given.get(name, _MISSING)) for name in wanted}


def _fitting(schemas: list[dict[str, Any]], given: Any) -> dict[str, Any]:
    """The alternative that has all given fields."""
    resolved = [_resolved(schema) for schema in schemas]
    if isinstance(given, list):
        return next(schema for schema in resolved if schema.get("type") == "array")
    if isinstance(given, dict):
        return next(schema for schema in resolved if _takes(schema.get("properties", {}), given))
    if given is not _MISSING:
        return {}
    return resolved[0]


def _takes(properties: dict[str, Any], given: dict[str, Any]) -> bool:
    """Kinds of rules have the same fields, and are told apart by the one value of their `type`."""
    return set(given) <= set(properties) and all(
        value in _resolved(properties[name]).get("enum", [value]) for name, value in given.items()
    )


def _part(schema: dict[str, Any], given: Any) -> Any:
    properties = _resolved(schema).get("properties", {})
    return {name: value for name, value in given.items() if name in properties} if isinstance(given, dict) else given


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


def _plain(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {}
    return _FORMATS.get(schema.get("format", ""), _PLAIN.get(schema.get("type", ""), ""))
