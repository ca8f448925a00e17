"""Write the JSON Schemas that let an editor complete and check what people write in YAML.

The classes of `slipway.domain` are the only source. They lie in one folder, and none of them under models/ or
deploy/, since those are a team's own and no update of the template may touch them.

    python scripts/generate_schemas.py            # write
    python scripts/generate_schemas.py --check    # exit 1 when a schema on disk is not what the classes say
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from slipway.domain.declared import Declared
from slipway.domain.model import Model
from slipway.domain.policy import Policies, QuarantineEntry
from slipway.domain.settings import Settings

FOLDER = Path("policies") / "schemas"


class Quarantine(Declared):
    """The file deploy/quarantine.yaml."""

    entries: tuple[QuarantineEntry, ...] = ()


def documents() -> dict[str, TypeAdapter[Any]]:
    """The class of each file that people write, by the name of its schema."""
    fields = Policies.model_fields.items()
    classes: dict[str, Any] = {name.replace("_", "-"): field.annotation for name, field in fields}
    classes |= {"model": Model, "slipway": Settings, "quarantine": Quarantine}
    return {name: TypeAdapter(one) for name, one in classes.items()}


def schema_of(name: str, document: TypeAdapter[Any]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document.json_schema(), "title": name}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale(root: Path) -> list[Path]:
    """Schemas under `root` that are missing, not what the classes say, or of no class at all."""
    expected = {root / FOLDER / f"{name}.json": schema_of(name, one) for name, one in documents().items()}
    found = {path: path.read_text(encoding="utf-8") for path in (root / FOLDER).glob("*.json")}
    return sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))


def write(root: Path) -> None:
    for path in stale(root):
        path.unlink(missing_ok=True)
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (root / FOLDER / f"{name}.json").write_text(schema_of(name, document), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate policies/schemas/ from the classes of slipway.domain")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a schema is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.root)
        return 0
    old = stale(options.root)
    if old:
        names = ", ".join(str(path) for path in old)
        sys.stderr.write(f"schemas that do not say what the classes say: {names}\n  mend: make generated\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
