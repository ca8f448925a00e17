"""Take out of GitHub's published OpenAPI description what the stand-in and its tests need.

    npm pack @octokit/openapi && tar -xzf octokit-openapi-*.tgz package/generated/api.github.com.json
    python tests/github_stand_in/extract_openapi.py package/generated/api.github.com.json

The description is GitHub's own work under the MIT licence; version 23.0.2 of the package was read. Two things are
changed: a request may hold no unknown field (GitHub ignores those, so that a misspelt one would pass), and what may
be null says so in the way that validators of OpenAPI 3.0 understand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTO = Path(__file__).parents[1] / "data" / "github-openapi.json"

_REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = {
    "": ("get",),
    "/actions/organization-secrets": ("get",),
    "/actions/organization-variables": ("get",),
    "/actions/permissions/workflow": ("get",),
    "/actions/runs/{run_id}/rerun": ("post",),
    "/actions/secrets": ("get",),
    "/actions/variables": ("get",),
    "/actions/workflows": ("get",),
    "/actions/workflows/{workflow_id}": ("get",),
    "/actions/workflows/{workflow_id}/dispatches": ("post",),
    "/actions/workflows/{workflow_id}/runs": ("get",),
    "/commits/{ref}": ("get",),
    "/commits/{ref}/status": ("get",),
    "/commits/{ref}/statuses": ("get",),
    "/compare/{basehead}": ("get",),
    "/contents/{path}": ("get",),
    "/deployments": ("get", "post"),
    "/deployments/{deployment_id}/statuses": ("get", "post"),
    "/dispatches": ("post",),
    "/environments": ("get",),
    "/environments/{environment_name}/deployment-branch-policies": ("get",),
    "/environments/{environment_name}/secrets": ("get",),
    "/environments/{environment_name}/variables": ("get",),
    "/git/blobs": ("post",),
    "/git/blobs/{file_sha}": ("get",),
    "/git/commits": ("post",),
    "/git/commits/{commit_sha}": ("get",),
    "/git/matching-refs/{ref}": ("get",),
    "/git/ref/{ref}": ("get",),
    "/git/refs": ("post",),
    "/git/refs/{ref}": ("patch", "delete"),
    "/git/tags/{tag_sha}": ("get",),
    "/git/trees": ("post",),
    "/git/trees/{tree_sha}": ("get",),
    "/issues": ("get", "post"),
    "/issues/{issue_number}": ("get", "patch"),
    "/issues/{issue_number}/assignees": ("post",),
    "/issues/{issue_number}/comments": ("get", "post"),
    "/issues/{issue_number}/events": ("get",),
    "/issues/{issue_number}/labels": ("get", "post"),
    "/issues/{issue_number}/labels/{name}": ("delete",),
    "/labels": ("get", "post"),
    "/pulls": ("get", "post"),
    "/pulls/{pull_number}": ("get", "patch"),
    "/pulls/{pull_number}/files": ("get",),
    "/pulls/{pull_number}/merge": ("put",),
    "/pulls/{pull_number}/requested_reviewers": ("post",),
    "/releases": ("get", "post"),
    "/releases/tags/{tag}": ("get",),
    "/releases/{release_id}": ("patch",),
    "/rulesets": ("get", "post"),
    "/rulesets/{ruleset_id}": ("get", "put"),
    "/statuses/{sha}": ("post",),
}
_NOT_NEEDED = {
    "description",
    "discriminator",
    "example",
    "examples",
    "x-github",
    "externalDocs",
    "title",
    "deprecated",
    "tags",
}


def extract(description: dict[str, Any]) -> dict[str, Any]:
    """The operations of `OPERATIONS` and all components that they name."""
    paths = {
        _REPOSITORY + path: {verb: _operation(description["paths"][_REPOSITORY + path][verb]) for verb in verbs}
        for path, verbs in OPERATIONS.items()
    }
    _resolve_parameters(paths, description)
    components: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        reference = waiting.pop()
        _, _, kind, name = reference.split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _lean(description["components"][kind][name])
            waiting.extend(_references(components[kind][name]))
    return {"openapi": description["openapi"], "paths": paths, "components": components}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parts = [name for name in ("parameters", "requestBody", "responses") if name in operation]
    kept: dict[str, Any] = {name: _lean(operation[name]) for name in parts}
    if "requestBody" in kept:
        kept["requestBody"] = _strict(kept["requestBody"])
    return kept


def _resolve_parameters(paths: dict[str, Any], description: dict[str, Any]) -> None:
    """Keep of the parameters of a query its name; those of the path are in the path."""
    for verbs in paths.values():
        for operation in verbs.values():
            named = operation.pop("parameters", [])
            whole = [_at(description, each["$ref"]) if "$ref" in each else each for each in named]
            operation["query"] = sorted(each["name"] for each in whole if each["in"] == "query")


def _at(description: dict[str, Any], reference: str) -> Any:
    found: Any = description
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found


def _lean(node: Any, *, named: bool = False) -> Any:
    """Without texts and examples; under `properties`, such a word is the name of a field."""
    if isinstance(node, list):
        return [_lean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _lean(value, named=key in {"properties", "schemas"} and not named)
        for key, value in node.items()
        if named or (key not in _NOT_NEEDED and not key.startswith("x-") and key not in {"headers", "links"})
    }
    return kept if named else _with_null(kept)


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 lets `nullable` work beside a `type` only; GitHub means it beside an `enum` and alternatives too."""
    if not schema.get("nullable"):
        return schema
    several: dict[str, Any] = {name: [*schema[name], {"enum": [None]}] for name in ("oneOf", "anyOf") if name in schema}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {}
    return {**schema, **several, **choices}


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _strict(value) for key, value in node.items()}
    alternatives = [each for key in ("allOf", "anyOf", "oneOf") for each in node.get(key, [])]
    if isinstance(node.get("properties"), dict) and not any("properties" in each for each in alternatives):
        closed.setdefault("additionalProperties", False)
    return closed


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)


if __name__ == "__main__":
    extracted = extract(json.loads(Path(sys.argv[1]).read_bytes()))
    INTO.write_text(json.dumps(extracted, separators=(",", ":"), sort_keys=True) + "\n")
