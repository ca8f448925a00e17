"""The command line: parse, call one step, print. What a result means is decided elsewhere.

Steps are imported by the command that runs them, so that `slipway --help` loads no framework.
"""

from __future__ import annotations

import sys

import click

from slipway import __version__
from slipway.cli import (
    adoption,
    canaries,
    doctor,
    explain,
    flows,
    pull_requests,
    rebase,
    release,
    replay,
    rollouts,
    runs,
    runtime,
    status,
    tags,
    upkeep,
    verdicts,
    watch,
    write_back,
)
from slipway.cli.failures import told
from slipway.cli.logs import log_to_stderr


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="slipway")
@click.option("-q", "--quiet", is_flag=True, help="Say only what goes wrong.")
def slipway(quiet: bool) -> None:
    """A git tag releases a machine-learning model.

    On a laptop: `slipway check MODEL`, then the two lines that it prints. The other commands are the steps that a
    release and a watch are made of, in their order; each reads the pages of the steps before it.

    Exit codes: 0 pass, 2 you can mend it in the repository, 10 fail, 11 not enough evidence, 12 something outside
    did not answer (run again), 1 a defect of Slipway.
    """
    log_to_stderr(quiet=quiet)


_ROOMS = (
    verdicts,
    tags,
    flows,
    runs,
    rollouts,
    release,
    write_back,
    watch,
    canaries,
    upkeep,
    adoption,
    explain,
    replay,
    rebase,
    pull_requests,
    runtime,
    status,
    doctor,
)
for room in _ROOMS:
    for command in room.COMMANDS:
        slipway.add_command(command)


def main() -> None:
    sys.exit(told(lambda: slipway.main(standalone_mode=False)))
