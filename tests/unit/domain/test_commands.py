"""A command that somebody is told to type is one that Slipway has."""

from __future__ import annotations

import shlex

import pytest
from slipway.cli import slipway
from slipway.domain import commands


@pytest.mark.parametrize(
    "text",
    [
        commands.adopt("tip", environment="production", version="v1.2.0", what=f"--image sha256:{'0' * 64}"),
        commands.adopt("tip", environment="production", version="v1.2.0", what="--onnx FILE"),
        commands.rollback("tip", environment="production"),
        commands.rollback("tip", environment="production", to="v1.2.0"),
        commands.rollout("tip", environment="production"),
        commands.verify_rollout("tip", environment="production"),
    ],
)
def test_it_is_read_by_the_command_line(text: str) -> None:
    """Issues and errors end in it; an option that was renamed since would leave their reader alone at night."""
    program, name, *words = shlex.split(text)

    assert program == "slipway"
    with slipway.commands[name].make_context(name, words) as context:
        assert context.params["environment"] == "production"
