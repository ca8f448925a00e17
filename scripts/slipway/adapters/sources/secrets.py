"""The environment of what fetches: lines `NAME=value` of one secret, and what of it may never be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from slipway.errors import BadFile

VARIABLE = "SLIPWAY_SOURCE_ENVIRONMENT"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"passw|secret|token|key|credential|connection|signature|sas|auth", re.IGNORECASE)
_SHORTEST = 6  # characters: a shorter value is no secret, and would blacken ordinary words
_DECIDES_WHAT_RUNS = re.compile(
    r"PATH|(?:LD_|DYLD_|PYTHON)\w*|(?:BASH_)?ENV|GIT_(?:EXEC_PATH|CONFIG\w*)", re.IGNORECASE
)
_OURS = ("GITHUB_TOKEN", "SLIPWAY_APP_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


def for_the_process(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of this process without the tokens of a job, and with the lines of the secret.

    Raises:
        BadFile: a line is none, which is not repeated, or decides what runs beside the secret.
    """
    lines = dict(_lines(environment.get(VARIABLE, "")))
    left_out = (VARIABLE, *_OURS, "PYTHONPATH", "PYTHONHOME")  # the latter are of another Python
    return {**{name: value for name, value in environment.items() if name not in left_out}, **lines}


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or _NAME.fullmatch(name) is None:
            raise BadFile(
                f"the secret {VARIABLE}, line {number}, is not NAME=value",
                mend="write one variable a line, without quotes and without `export` (docs/sources.md)",
            )
        if _DECIDES_WHAT_RUNS.fullmatch(name):
            raise BadFile(
                f"the secret {VARIABLE}, line {number}, sets {name}, which decides what runs",
                mend=f"take the line out: {VARIABLE} is for what a place asks who fetches (docs/sources.md)",
            )
        yield name, value


def hidden(text: str, variables: Mapping[str, str]) -> str:
    """`text` with *** in place of each value whose name says that it is a secret, longest first."""
    values = {value for name, value in variables.items() if _SECRET.search(name) and len(value) >= _SHORTEST}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "***")
    return text
