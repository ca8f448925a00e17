"""How a command ends: an exit code for every meaning, and never a traceback for the reader."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import click

from slipway.errors import SlipwayError
from slipway.reports.plain import printable

_DEFECT = 1
_INTERRUPTED = 130  # as a shell says for SIGINT


def told(command: Callable[[], object]) -> int:
    """Run a command, print its failure, and return the exit code."""
    try:
        result = command()
    except SlipwayError as error:
        _say(str(error))
        return error.exit_code
    except click.ClickException as error:
        return _told_usage(error)
    except (click.Abort, KeyboardInterrupt):
        _say("stopped; run the same command again to go on")
        return _INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click makes a broken pipe an exit of 1, which is that of a defect
        return _reader_left()
    except Exception as error:  # the one place that must catch everything
        _say(f"a defect of Slipway: {type(error).__name__}: {error}\n  mend: report it with {_keep_traceback()}")
        return _DEFECT
    return result if isinstance(result, int) else 0


def _told_usage(error: click.ClickException) -> int:
    """As click says it; it quotes the words that were given."""
    said = io.StringIO()
    error.show(said)
    click.echo(printable(said.getvalue()), err=True)
    return error.exit_code


def _reader_left() -> int:
    """`slipway status | head` is no failure; what is still to be flushed at the end goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def warn(said: str) -> None:
    """Something that a person should look at, and that stops nothing."""
    _annotate("warning", said, colour="yellow")


def _say(said: str) -> None:
    _annotate("error", said, colour="red")


def _annotate(level: str, said: str, *, colour: str) -> None:
    text = printable(said)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(f"::{level}::{_as_data(text)}", err=True)  # with a colour before it, it would be no command
    else:
        click.secho(text, fg=colour if sys.stderr.isatty() else None, err=True)


def _as_data(text: str) -> str:
    """One line of a workflow command, as GitHub's runner reads it back."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _keep_traceback() -> Path:
    handle, name = tempfile.mkstemp(prefix="slipway-defect-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        file.write(traceback.format_exc())
    return Path(name)
