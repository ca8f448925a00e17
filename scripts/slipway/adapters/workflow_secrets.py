"""Which secrets the workflows of a checkout pass on; read as text, for an expression may stand anywhere in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from slipway.adapters.yaml_files import read_bounded

_SECRET = re.compile(rb"\bsecrets\.(\w+)", re.ASCII)


def passed(root: Path) -> Mapping[str, frozenset[str]]:
    """By the file's name, the names of secrets; what is commented out does not count."""
    files = sorted((root / ".github" / "workflows").glob("*.yml"))
    return {file.name: frozenset(_named(read_bounded(file))) for file in files}


def _named(content: bytes) -> Iterator[str]:
    for line in content.splitlines():
        yield from (name.decode() for name in _SECRET.findall(line.partition(b"#")[0]))
