"""The guides name commands, options and files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from slipway.cli import slipway

ROOT = Path(__file__).resolve().parents[2]
GUIDES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
_COMMAND = re.compile(r"(?:^|`|bin/)slipway ([a-z][a-z-]*)([^`\n#&|;]*)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)")


def _options(command: str) -> set[str]:
    return {name for one in slipway.commands[command].params if isinstance(one, click.Option) for name in one.opts}


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_and_option_that_a_guide_names_is_there(guide: str) -> None:
    """A reader pastes them at night, and has no second source."""
    for command, rest in _COMMAND.findall(GUIDES[guide]):
        assert command in slipway.commands, command
        given = set(re.findall(r"--[a-z][a-z-]*", rest))
        assert given <= _options(command) | {"--help"}, f"{command}: {given}"


def test_the_guides_name_every_command_that_a_person_asks_for() -> None:
    """A command that only the reference knows is found by nobody who needs it."""
    told = {command for name, text in GUIDES.items() if name != "reference.md" for command, _ in _COMMAND.findall(text)}
    asked_for = {
        "adopt",
        "check",
        "explain",
        "flow",
        "tag",
        "release",
        "merge",
        "rollout",
        "watch",
        "rollback",
        "status",
        "status-page",
        "reconcile",
        "new-model",
    }
    assert asked_for <= told


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_of_a_guide_leads_to_a_file_and_a_heading(guide: str) -> None:
    """A guide that sends its reader nowhere ends there."""
    for target, heading in _LINK.findall(GUIDES[guide]):
        path = (ROOT / "docs" / target) if target else ROOT / "docs" / guide
        assert path.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}
