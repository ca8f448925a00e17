"""A window of the served log, counted where slipway.yaml says: by this process, or on Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from slipway.adapters import spark_windows
from slipway.adapters.served_log import ServedLog
from slipway.domain.model import Feature
from slipway.domain.settings import WatchOn
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import SeenWindow, count_window


def count(
    served: ServedLog,
    start: date,
    end: date,
    *,
    on: WatchOn,
    version: str,
    features: Sequence[Feature],
    profiles: Mapping[str, ColumnProfile],
) -> SeenWindow:
    """What a version served from `start` to `end`, both inclusive: the same bytes wherever it is counted.

    Raises:
        BadFile: the log cannot be read, or what should count it is not there.
        Unreachable: what should count it, or what holds the log, does not answer.
    """
    if on is WatchOn.SPARK:
        source = served.rows_source
        return spark_windows.count(source, start, end, version=version, features=features, profiles=profiles)
    return count_window(profiles, served.batches(start, end, version=version, features=features))
