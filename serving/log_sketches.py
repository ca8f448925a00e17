"""How many rows fell where, and nothing of what they were: the served log of a team that may not keep payloads.

    <target>/date=2013-08-01/v1.1.0-<writer>-000001.sketch.json

The columns of each file are counted against the profile that the image brings; see slipway.maths.counts. No value, no
id, no time but the day. A file holds `LEAST_ROWS` rows at least: one of a single row would tell in which cell each of
its values lies. Fewer wait for more, go with the rows of the day before or after, and are dropped at the server's end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from slipway.maths.counts import ColumnSketch, CountedWindow, count
from slipway.maths.profile import ColumnProfile, profile_from_json

from serving.errors import CannotStart
from serving.served import Encoded, LogFile, Served
from serving.tensors import Array

LEAST_ROWS = 50
GOLDEN_REQUEST = "slipway-golden"  # asked by Slipway itself at each rollout: ids are not kept, so it is left out here
_MICROSECONDS_A_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class _Part:
    """The rows of one request that belong to one day."""

    served: Served
    kept: Array | slice
    rows: int


@dataclass(frozen=True)
class Sketches:
    """Counts the inputs of what was served."""

    version: str
    digest: str
    profiles: Mapping[str, ColumnProfile]

    @classmethod
    def open(cls, model_directory: Path, *, version: str) -> Sketches:
        """Count against the profile that lies beside the model.

        Raises:
            CannotStart: there is none.
        """
        path = model_directory / "profile.json"
        try:
            content = path.read_bytes()
            profiles = {name: profile_from_json(column) for name, column in json.loads(content).items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
            raise CannotStart(
                f"--log-mode sketch counts against {path}, which is no profile: {type(failure).__name__}",
                mend="serve an image that Slipway released, or choose --log-mode rows",
            ) from failure
        return cls(version, f"sha256:{hashlib.sha256(content).hexdigest()}", profiles)

    def encode(self, batch: Sequence[Served]) -> Encoded:
        """A file a day; too few rows for one are kept back."""
        traffic = [served for served in batch if not served.request_id.startswith(GOLDEN_REQUEST)]
        if sum(served.rows for served in traffic) < LEAST_ROWS:
            return Encoded([], kept_back=traffic)
        return Encoded([self._file(day, parts) for day, parts in _days(traffic)], kept_back=[])

    def _file(self, day: date, parts: Sequence[_Part]) -> LogFile:
        rows = sum(part.rows for part in parts)
        columns = {name: self._count(name, profile, parts) for name, profile in self.profiles.items()}
        told = {name: column for name, column in columns.items() if column is not None}
        window = CountedWindow(self.version, self.digest, rows, told)
        return LogFile(day=day, ending=".sketch.json", content=window.to_bytes(), rows=rows)

    def _count(self, name: str, profile: ColumnProfile, parts: Sequence[_Part]) -> ColumnSketch | None:
        """All values, those of a wider feature row by row, as the profile has them; None where it is no such column."""
        if any(name not in part.served.values for part in parts):
            return None
        values = np.concatenate([part.served.values[name][part.kept].ravel() for part in parts])
        try:
            return count(profile, values)
        except (TypeError, ValueError):  # words where the profile has numbers: the watch tells that it is missing
            return None


def _days(traffic: Iterable[Served]) -> list[tuple[date, list[_Part]]]:
    """Parts by day; a day with too few rows goes with the one before, the first one with the one after."""
    by_day: dict[int, list[_Part]] = {}
    for served in traffic:
        days = np.asarray(served.times) // _MICROSECONDS_A_DAY
        for day in np.unique(days).tolist():
            kept = days == day
            whole = bool(kept.all())
            by_day.setdefault(day, []).append(_Part(served, slice(None) if whole else kept, int(kept.sum())))
    joined: list[tuple[int, list[_Part]]] = []
    for day in sorted(by_day):
        if joined and (_rows(joined[-1][1]) < LEAST_ROWS or _rows(by_day[day]) < LEAST_ROWS):
            before, parts = joined.pop()
            larger = day if _rows(by_day[day]) > _rows(parts) else before
            joined.append((larger, [*parts, *by_day[day]]))
        else:
            joined.append((day, by_day[day]))
    return [(_EPOCH + timedelta(days=day), parts) for day, parts in joined]


def _rows(parts: Iterable[_Part]) -> int:
    return sum(part.rows for part in parts)
