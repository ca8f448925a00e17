"""The newest window of many versions at once, from the ends of their files: no older window is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from slipway.adapters.history import windows_folder
from slipway.adapters.whole_ledger import WholeLedger
from slipway.domain.incident import Window
from slipway.errors import BadFile

Place = tuple[str, str]  # environment and model


def month_files(places: Sequence[Place], ledger: WholeLedger) -> dict[Place, list[str]]:
    """Of each place, the files of its windows, newest month first."""
    wanted = {windows_folder(model, environment): (environment, model) for environment, model in places}
    found: dict[Place, list[str]] = {}
    for path in reversed(ledger.paths):
        place = wanted.get(path.rpartition("/")[0])
        if place is not None:
            found.setdefault(place, []).append(path)
    return found


def newest_windows(running: Mapping[Place, str], ledger: WholeLedger) -> dict[Place, Window]:
    """By place, the newest window that the version which runs there served; without those that none was recorded of.

    Raises:
        BadFile: a file that was looked at has a line that is no window.
    """
    left = month_files(list(running), ledger)
    found: dict[Place, Window] = {}
    commit = ledger.commit
    while left and commit is not None:
        months = {files[0]: place for place, files in left.items()}
        for path, content in ledger.moment.passing(commit, months):
            window = _newest(content, version=running[months[path]], where=path)
            if window is not None:
                found[months[path]] = window
        left = {place: files[1:] for place, files in left.items() if place not in found and files[1:]}
    return found


def lines_of(content: bytes, *, where: str) -> Iterator[dict[str, Any]]:
    """What each line tells, in the order in which they were written; a window that was measured again comes again.

    Raises:
        BadFile: one is no window, as far as what is read of each shows.
    """
    for line in content.rstrip(b"\n").split(b"\n"):
        try:
            told = orjson.loads(line)
            told["window"]["start"], told["window"]["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise no_window(where) from error
        yield told


def no_window(where: str) -> BadFile:
    return BadFile(f"ledger:{where} has a line that is no window", mend="update Slipway in this repository")


def _newest(content: bytes, *, version: str, where: str) -> Window | None:
    of_version = [line for line in lines_of(content, where=where) if line["window"]["version"] == version]
    if not of_version:
        return None
    last = max(enumerate(of_version), key=lambda numbered: (numbered[1]["window"]["start"], numbered[0]))[1]
    try:
        return Window.from_line(last)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise no_window(where) from error
