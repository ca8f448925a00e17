"""Write docs/policies.md: all that may be written in the files of policies/, from the classes that read them.

    python scripts/generate_policies.py            # write
    python scripts/generate_policies.py --check    # exit 1 when the file does not say what the classes say

A file's own question, motivation and remedy are a team's to edit, so they stand in the file alone.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from slipway.domain.policy import Override, Policies, Policy, Waiver

FILE = Path("docs") / "policies.md"
_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}

_HEAD = """\
# Policies
Generated from the classes that read the files: `python scripts/generate_policies.py`.

What must hold for a release and in production stands in `policies/`, one file a gate. Each file says its question, why
that is asked, its limit, and what to do about a model that misses it; an unknown or misspelt key is refused with file
and line, and an editor that reads `policies/schemas/` completes them. Whoever may change a policy is not who trains the
model: see `CODEOWNERS`.

## In every file
"""
_EXAMPLE = """\
```yaml
limit: {rows: 20000}
enforce: audit              # tells what it would refuse; `slipway status` counts it until this line goes
models:
  churn:
    reason: Its market is small; 5,000 rows are all of a year
    limit: {rows: 5000}     # whole: nothing is taken over from above
waivers:
  - {model: churn, version: v1.4.0, reason: "Needed for the campaign of May", by: "@ada", until: 2026-06-01}
```
A waiver lets one version through until its day, which must lie within `longest_waiver` days; one that is over lets
nothing through, and the pull request says so. A change of a policy judges every deployed version again, on its own pull
request.
"""


def policies_page() -> str:
    """The whole text."""
    parts = [_HEAD, _table(Policy), "\nUnder `models`, by the name of a model:\n", _table(Override)]
    parts += ["\nUnder `waivers`:\n", _table(Waiver), "", _EXAMPLE]
    for name, field in Policies.model_fields.items():
        parts.append(f"## {name.replace('_', '-')}.yaml\n")
        policy: Any = field.annotation
        parts.append(_limit(policy.model_fields["limit"].annotation))
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate docs/policies.md from the classes of slipway.domain")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(arguments)
    file, wanted = options.root / FILE, policies_page()
    if not options.check:
        file.write_text(wanted, encoding="utf-8")
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{file} does not say what the classes say\n  mend: python scripts/generate_policies.py\n")
    return 1


def _limit(limit: type[BaseModel]) -> str:
    told = inspect.cleandoc(limit.__doc__ or "")
    if not limit.model_fields:
        return f"{told} `limit: {{}}`.\n"
    tables = [f"{told}\n", _table(limit)]
    for kind, below in _below(limit):
        tables += [f"\n{kind}: {inspect.cleandoc(below.__doc__ or '')}\n", _table(below)]
    return "\n".join([*tables, ""])


def _below(limit: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The classes of what stands one level deeper, each once, by the first key that holds one."""
    seen: set[Any] = set()
    for name, field in limit.model_fields.items():
        for one in _classes_in(field.annotation):
            if one not in seen:
                seen.add(one)
                yield f"Under `{name}`", one


def _classes_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _classes_in(part)


def _table(declared: type[BaseModel]) -> str:
    schema = declared.model_json_schema()
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name in declared.model_fields:
        told = schema["properties"][name]
        default = "required" if name in schema.get("required", ()) else _shown(told.get("default"))
        rows.append(f"| `{name}` | {_value(told, schema)} | {default} | {told.get('description', '')} |")
    names = schema["properties"].keys() - declared.model_fields
    if more := sorted(name for name in names if name.removesuffix("_score") not in names - {name}):
        told_names = ", ".join(f"`{name}`" for name in more)
        rows.append(f"| a metric's name | see below | – | any of {told_names}, most also with `_score` |")
    return "\n".join(rows)


def _value(told: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in told:
        there = schema["$defs"][told["$ref"].rpartition("/")[2]]
        return "see below" if there.get("type") == "object" else _value(there, schema)
    if "anyOf" in told:
        kinds = [_value(one, schema) for one in told["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in told:
        return ", ".join(f"`{one}`" for one in told["enum"])
    if told.get("type") == "array":
        return f"a list of {_value(told['items'], schema)}".replace("of see", "– see")
    bounds = [text.format(f"{told[key]:g}") for key, text in _BOUNDS.items() if key in told]
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
    kind = "date" if told.get("format") == "date" else words.get(told.get("type", ""), "names and values")
    return " ".join([kind, *([", ".join(bounds)] if bounds else [])])


def _shown(default: Any) -> str:
    if default is None or default in ([], {}):
        return "–"
    if isinstance(default, dict):
        given = ", ".join(f"{name}: {value}" for name, value in default.items() if value is not None)
        return f"`{{{given}}}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`"


if __name__ == "__main__":
    sys.exit(main())
