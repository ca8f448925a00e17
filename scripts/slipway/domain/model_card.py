"""What a model card says, as far as a release asks."""

from __future__ import annotations

import re


def states_break(card: str, version: str) -> bool:
    """Whether it has `### v2.0.0` under `## Breaking changes`, with a sentence below it."""
    section = re.search(r"(?ms)^## Breaking changes\s*$(.*?)(?=^## |\Z)", card)
    if section is None:
        return False
    return re.search(rf"(?m)^### {re.escape(version)}\s*$\s+^[^#\s]", section[1]) is not None
