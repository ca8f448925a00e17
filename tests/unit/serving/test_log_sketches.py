"""The served log of a team that may not keep payloads."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slipway.maths.counts import CountedWindow, count
from slipway.maths.profile import ColumnProfile, profile_of_columns

from serving.errors import CannotStart
from serving.inference import Model
from serving.log_sketches import GOLDEN_REQUEST, LEAST_ROWS, Sketches
from serving.metrics import Metrics
from serving.served import Served
from tests.unit.serving.served_logs import open_log, served

DAY = 86_400_000_000
MARCH = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
HOURS = np.arange(24.0).repeat(4)
CARRIERS = np.array(["AA", "HA", "UA", "DL"] * 24, dtype=object)


@pytest.fixture
def profiles(tmp_path: Path) -> dict[str, ColumnProfile]:
    """Also beside the model, as a release puts them there."""
    made = profile_of_columns({"hour": HOURS, "carrier": CARRIERS}, categories=["carrier"])
    (tmp_path / "profile.json").write_text(json.dumps({name: one.to_json() for name, one in made.items()}))
    return made


@pytest.fixture
def sketches(tmp_path: Path, profiles: dict[str, ColumnProfile]) -> Sketches:
    return Sketches.open(tmp_path, version="v1.1.0")


def request(rows: int, *, at: int = MARCH, name: str = "a", hour: float = 7.0, carrier: str = "HA") -> Served:
    return served(
        name,
        *[at] * rows,
        hour=np.full((rows, 1), hour, np.float32),
        carrier=np.array([[carrier]] * rows, dtype=object),
    )


def windows(sketches: Sketches, *requests: Served) -> dict[str, CountedWindow]:
    encoded = sketches.encode(requests)
    assert not encoded.kept_back
    return {
        file.day.isoformat(): CountedWindow.from_bytes(file.content, sketches.profiles, profile=sketches.digest)
        for file in encoded.files
    }


def test_inputs_are_counted_against_the_profile_of_the_image(sketches: Sketches, tmp_path: Path) -> None:
    """So that the watch, which has the same profile, can put the files of all servers together."""
    window = windows(sketches, request(40), request(20, hour=np.nan, carrier="ZZ"))["2026-03-01"]

    digest = hashlib.sha256((tmp_path / "profile.json").read_bytes()).hexdigest()
    assert (window.version, window.profile, window.rows) == ("v1.1.0", f"sha256:{digest}", 60)
    hours = np.array([7.0] * 40 + [np.nan] * 20)
    carriers = np.array(["HA"] * 40 + ["ZZ"] * 20, dtype=object)
    assert window.columns == {
        "hour": count(sketches.profiles["hour"], hours),
        "carrier": count(sketches.profiles["carrier"], carriers),
    }


def test_nothing_that_was_asked_answered_or_said_about_it_is_in_the_file(sketches: Sketches) -> None:
    """No value, no answer, no id, no time but the day."""
    odd = request(60, name="customer-4711", hour=13.579, carrier="Ada Lovelace")
    (file,) = sketches.encode([odd]).files
    text = file.content.decode()

    assert not any(secret in text for secret in ("4711", "13.5", "13.6", "Ada", "Lovelace", "p_late", "AA", "HA"))
    assert not any(moment in text for moment in (str(MARCH), "2026", "12:00"))


def test_too_few_rows_wait_for_more(sketches: Sketches) -> None:
    """The counts of one row say in which cell each of its values lies: together, that can be somebody."""
    alone = sketches.encode([request(LEAST_ROWS - 1)])
    assert (alone.files, len(alone.kept_back)) == ([], 1)

    assert windows(sketches, *alone.kept_back, request(1))["2026-03-01"].rows == LEAST_ROWS


def test_a_day_with_too_few_rows_goes_with_its_neighbour(sketches: Sketches) -> None:
    """Just after midnight a file would hold a handful."""
    found = windows(sketches, request(3, at=MARCH - DAY), request(80), request(70, at=MARCH + DAY))
    assert {day: window.rows for day, window in found.items()} == {"2026-03-01": 83, "2026-03-02": 70}

    found = windows(sketches, request(80), request(3, at=MARCH + DAY))
    assert {day: window.rows for day, window in found.items()} == {"2026-03-01": 83}


def test_a_request_over_midnight_is_counted_on_both_days(sketches: Sketches) -> None:
    """As its rows would lie in two folders."""
    hours = np.arange(120, dtype=np.float32).reshape(-1, 1) % 24
    both = served("a", *[MARCH] * 60, *[MARCH + DAY] * 60, hour=hours, carrier=np.array([["AA"]] * 120, dtype=object))
    found = windows(sketches, both)

    assert {day: window.rows for day, window in found.items()} == {"2026-03-01": 60, "2026-03-02": 60}
    assert found["2026-03-01"].columns["hour"] == count(sketches.profiles["hour"], hours[:60])


def test_what_slipway_asks_itself_is_no_traffic(sketches: Sketches) -> None:
    """The same rows at each rollout would make every window look like the samples."""
    assert windows(sketches, request(60), request(500, name=f"{GOLDEN_REQUEST}.1"))["2026-03-01"].rows == 60


def test_the_two_sides_agree_on_what_slipway_asks_itself() -> None:
    """The server imports nothing of Slipway but its maths."""
    from slipway.adapters import served_log

    assert served_log.GOLDEN_REQUEST == GOLDEN_REQUEST


def test_words_where_the_profile_has_numbers_are_left_out(sketches: Sketches) -> None:
    """The watch tells that the column is missing; the others must not go with it."""
    words = served("a", *[MARCH] * 60, hour=np.array([["nine"]] * 60, dtype=object))

    assert list(windows(sketches, words)["2026-03-01"].columns) == ["carrier"]


@pytest.mark.parametrize("content", [None, "", "[]", '{"hour": {"kind": "odd"}}'])
def test_a_model_without_a_profile_cannot_be_served_so(tmp_path: Path, content: str | None) -> None:
    """Rows that were counted against nothing would be lost in silence."""
    if content is not None:
        (tmp_path / "profile.json").write_text(content)

    with pytest.raises(
        CannotStart, match=r"--log-mode sketch counts against .*profile\.json(.|\n)*mend: serve an image"
    ):
        Sketches.open(tmp_path, version="v1.1.0")


def test_rows_that_never_became_a_file_are_counted_as_dropped(late: Model, tmp_path: Path, sketches: Sketches) -> None:
    """A server with three requests a day loses them when it ends, and says so."""
    metrics = Metrics(model="flight-delay", version="v1.1.0")
    log = open_log(late, tmp_path / "served", metrics, encoding=sketches)
    log.record(request(LEAST_ROWS))
    assert log.flush() is True
    log.record(request(3))
    assert log.flush() is False
    log.close()

    text: Any = metrics.text().decode()
    assert f"slipway_log_rows_written_total {LEAST_ROWS}.0" in text
    assert 'slipway_log_rows_dropped_total{cause="too_few"} 3.0' in text
    assert len(list((tmp_path / "served").rglob("*.sketch.json"))) == 1


def test_the_image_holds_what_the_server_imports_of_slipway(tmp_path: Path) -> None:
    """A module that the Dockerfile does not copy would stop every server of the next runtime."""
    root = Path(__file__).parents[3]
    copied = re.findall(r"scripts/(slipway/[a-z_/]+[.]py)", (root / "serving" / "Dockerfile").read_text())
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "scripts" / name, tmp_path / name)
    shutil.copytree(root / "serving", tmp_path / "serving")
    code = "import serving.start, slipway.maths.counts; print(slipway.maths.counts.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert ran.stdout.strip() == str(tmp_path / "slipway/maths/counts.py"), ran.stderr
