"""Follow a guide: its blocks, one after the other, in one shell of a home in which there is nothing.

Of the machine come only the addresses and caches of packages, so that what was fetched once is not fetched again, and
what is installed is compiled when it is used: three environments take a minute of CPU otherwise.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tests.guides.blocks import Block, blocks_of, first_missing
from tests.template.bench import ROOT

_TAKEN = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
_OF_PACKAGES = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_MARK = "@@@ block {line} @@@"


@dataclass(frozen=True, slots=True)
class Followed:
    """What each block printed, by the order of the blocks, and where the shell stood at the end."""

    blocks: tuple[Block, ...]
    printed: tuple[str, ...]
    exit_code: int
    folder: Path

    @property
    def whole(self) -> str:
        return "".join(self.printed)

    def said_otherwise(self) -> list[str]:
        """The lines that a guide shows and that were not printed."""
        return [
            f"line {block.line}: nothing printed is `{missing}`, but:\n{printed}"
            for block, printed in zip(self.blocks, self.printed, strict=True)
            if (missing := first_missing(block.prints, printed)) is not None
        ]


def environment(home: Path) -> dict[str, str]:
    """A home of its own; no name, no settings of git, no token."""
    taken = {name: value for name, value in os.environ.items() if name in _TAKEN or name.startswith(_OF_PACKAGES)}
    caches = {
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", platformdirs.user_cache_dir("uv")),
        "SLIPWAY_CACHE": os.environ.get("SLIPWAY_CACHE", platformdirs.user_cache_dir("slipway")),
    }
    return {**taken, **caches, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "COMPILED": ""}


def follow(pages: Sequence[str], *, home: Path, start: Path) -> Followed:
    """Run the blocks of pages of docs/ as a person pastes them: the first that fails ends it."""
    blocks = tuple(block for page in pages for block in blocks_of(ROOT / "docs" / page))
    script = "set -euo pipefail\n" + "".join(
        f"echo '{_marked(number)}'\n{b.commands}" for number, b in enumerate(blocks)
    )
    script += f"echo '{_marked(len(blocks))}'\npwd\n"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=start,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    parts = re.split(r"^@@@ block \d+ @@@\n", done.stdout, flags=re.MULTILINE)[1:]
    printed = (*parts, *[""] * (len(blocks) + 1 - len(parts)))
    return Followed(blocks, printed[: len(blocks)], done.returncode, Path(printed[len(blocks)].strip() or start))


def _marked(number: int) -> str:
    return _MARK.format(line=number)
