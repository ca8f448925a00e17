"""The newest window of many versions at once, from the ends of their files: no older window is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from slipway.adapters.history import windows_folder
from slipway.adapters.whole_ledger import WholeLedger
from slipway.domain.incident import Window
from slipway.errors import BadFile

Place = tuple[str, str]  # environment and model
_START = re.compile(rb'"start": "([0-9-]{10})')  # as the ledger's lines are written


def newest_windows(running: Mapping[Place, str], ledger: WholeLedger) -> dict[Place, Window]:
    """By place, the newest window that the version which runs there served; without those that none was recorded of.

    Raises:
        BadFile: a line that was looked at is no window; older ones are not looked at where the last line is newest.
    """
    left = _month_files(running, ledger)
    found: dict[Place, Window] = {}
    commit = ledger.commit
    while left and commit is not None:
        months = {files[0]: place for place, files in left.items()}
        for path, content in ledger.moment.passing(commit, sorted(months)):
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


def _month_files(places: Iterable[Place], ledger: WholeLedger) -> dict[Place, Sequence[str]]:
    """Of each place that has any, the files of its windows, newest month first."""
    found = {place: ledger.folders.get(windows_folder(place[1], place[0]), ()) for place in places}
    return {place: files[::-1] for place, files in found.items() if files}


def _newest(content: bytes, *, version: str, where: str) -> Window | None:
    last = next(lines_of(content[content.rfind(b"\n", 0, -1) + 1 :], where=where))
    if last["window"]["version"] == version and _none_begins_later(content, than=last["window"]["start"]):
        return _window(last, where=where)
    of_version = [line for line in lines_of(content, where=where) if line["window"]["version"] == version]
    newest = max(
        enumerate(of_version), key=lambda numbered: (numbered[1]["window"]["start"], numbered[0]), default=None
    )
    return None if newest is None else _window(newest[1], where=where)


def _none_begins_later(content: bytes, *, than: str) -> bool:
    """Told by the text of all lines, in a tenth of the time that it takes to read them; False where it does not tell.

    What else is called `start` in a line can make the answer False, and the lines are read then.
    """
    starts = _START.findall(content)
    told = len(starts) >= content.rstrip(b"\n").count(b"\n") + 1
    return told and max(starts) <= than.encode()


def _window(line: Mapping[str, Any], *, where: str) -> Window:
    try:
        return Window.from_line(line)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise no_window(where) from error
