"""How fast the command starts: nothing heavy is loaded before something heavy is asked for."""

from __future__ import annotations

import subprocess
import sys

from slipway.cli import slipway

_HEAVY = (
    *("tensorflow", "onnxruntime", "pyarrow", "pandas", "altair", "onnx", "jinja2", "github", "httpx", "numpy"),
    "sklearn",
)
_ALL_HELP = """
import sys
from slipway.cli import slipway
for words in ([], *([name] for name in slipway.commands)):
    slipway.main(args=[*words, "--help"], standalone_mode=False)
slipway.main(args=["--version"], standalone_mode=False)
print("loaded:", *sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def test_no_help_loads_anything_heavy() -> None:
    """Somebody who looks for an option must not wait for a framework."""
    done = subprocess.run(
        [sys.executable, "-c", _ALL_HELP, *_HEAVY], capture_output=True, text=True, check=True, env={"PATH": ""}
    )

    assert done.stdout.splitlines()[-1] == "loaded:"


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    """The list of commands is the first page of the manual."""
    for name, command in slipway.commands.items():
        assert command.help, name
        assert command.help.splitlines()[0].endswith("."), name


def test_every_command_that_writes_for_others_has_a_dry_run() -> None:
    """Before the first real run, a careful person looks."""
    with_dry_run = {
        name
        for name, command in slipway.commands.items()
        if any("--dry-run" in option.opts for option in command.params)
    }

    writing = {"build-image", "bump-manifest", "merge", "file-issue", "revert-manifest", "rollback", "record-pages"}
    assert with_dry_run >= {*writing, "adopt", "new-model"}
