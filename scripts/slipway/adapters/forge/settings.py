"""What a forge is set to, beside what it holds: read by `doctor`, and mended where a person asked for it.

A forge that is a folder has no settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from slipway.domain.checkup.seen import SeenForge
from slipway.domain.labels import Label


class ForgeSettings(Protocol):
    """A write raises `ForgeRefused` where a right is missing, and `Unreachable` where nobody answers."""

    def look(self, environment: str) -> SeenForge:
        """All of them; secrets and protection are those of this environment.

        Raises:
            ForgeRefused: the token is none, or may not see the repository. A single right that is missing is
                `Unseen` instead.
            Unreachable: the forge does not answer at all.
        """

    def create_label(self, label: Label) -> None:
        """Make a label; one that is there already is left as it is."""

    def create_ruleset(self, content: Mapping[str, Any]) -> None:
        """Make a ruleset; where somebody else just made one of the name, that one is left."""

    def update_ruleset(self, ruleset_id: int, content: Mapping[str, Any]) -> None: ...
