"""Progress and warnings on stderr, so that stdout holds the result alone."""

from __future__ import annotations

import logging
import sys

from slipway.reports.plain import printable


def log_to_stderr(*, quiet: bool) -> None:
    """Coloured on a terminal, plain when piped."""
    package = logging.getLogger("slipway")
    package.setLevel(logging.WARNING if quiet else logging.INFO)
    handler = _on_terminal() if sys.stderr.isatty() else _plain()
    handler.addFilter(_make_printable)
    package.handlers = [handler]
    package.propagate = False


def _make_printable(record: logging.LogRecord) -> bool:
    """A message may quote what people wrote; a line of it must not give the workflow a command."""
    record.msg, record.args = printable(record.getMessage()), ()
    return True


def _on_terminal() -> logging.Handler:
    from rich.console import Console  # a tenth of what it takes to start, and nothing of it is needed when piped
    from rich.logging import RichHandler

    return RichHandler(console=Console(stderr=True), show_time=False, show_level=False, show_path=False, markup=False)


def _plain() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("slipway: %(message)s"))
    return handler
