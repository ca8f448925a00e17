"""Write docs/reference.md: every command as its own `--help` tells it, and the table of the actions.

python scripts/generate_reference.py            # write
python scripts/generate_reference.py --check    # exit 1 when the file does not say what commands and actions say
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml
from slipway.cli import slipway

FILE = Path("docs") / "reference.md"
_WIDTH = 100

_HEAD = """\
# Reference
Generated from the commands' own help and from the actions' own files: `python scripts/generate_reference.py`.
"""


def reference(root: Path) -> str:
    """The whole text, for the actions under `root`."""
    parts = [_HEAD, "## Commands\n", _fenced("slipway", slipway)]
    for name, command in slipway.commands.items():
        parts += [f"### `slipway {name}`\n", _fenced(f"slipway {name}", command)]
    return "\n".join([*parts, "## Actions\n", actions_table(root)])


def actions_table(root: Path) -> str:
    """A row an action; an input in bold is required."""
    rows = ["| action | does | inputs, **required** in bold | outputs |", "|---|---|---|---|"]
    for path in sorted((root / "actions").glob("*/action.yml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        cells = (f"`{path.parent.name}`", told["description"], _inputs(told), _listed(told.get("outputs", {})))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate docs/reference.md from the commands and the actions")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(arguments)
    file, wanted = options.root / FILE, reference(options.root)
    if not options.check:
        file.write_text(wanted, encoding="utf-8")
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{file} does not say what the commands say\n  mend: python scripts/generate_reference.py\n")
    return 1


def _fenced(called: str, command: click.Command) -> str:
    """The help at a fixed width, whatever terminal this runs in."""
    context = click.Context(
        command, info_name=called, terminal_width=_WIDTH, max_content_width=_WIDTH, help_option_names=["-h", "--help"]
    )
    return f"```\n{command.get_help(context).rstrip()}\n```\n"


def _inputs(told: dict[str, Any]) -> str:
    return ", ".join(_marked(told.get("inputs", {}))) or "–"


def _marked(inputs: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, one in inputs.items():
        yield f"**`{name}`**" if one.get("required") else f"`{name}`"


def _listed(outputs: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in outputs) or "–"


if __name__ == "__main__":
    sys.exit(main())
