"""The clients of buckets, and Spark, are added to what is locked already, and must not pull against it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def pins(name: str) -> dict[str, set[str]]:
    """Versions by package; more than one where Pythons differ."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", (_REQUIREMENTS / name).read_text(), re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("store", ["serving-s3.txt", "serving-gs.txt", "spark.txt"])
@pytest.mark.parametrize("beside", ["serving.txt", "runtime.txt", "development.txt"])
def test_what_two_locks_name_has_one_version(store: str, beside: str) -> None:
    """They are installed together: in the runtime image, for the watch, and here."""
    one, other = pins(store), pins(beside)

    assert {name: one[name] for name in one.keys() & other.keys()} == {
        name: other[name] for name in one.keys() & other.keys()
    }


def test_a_runtime_for_a_log_in_a_folder_holds_no_client() -> None:
    """Nobody should have to update a library that is never asked."""
    assert not {"fsspec", "s3fs", "gcsfs", "botocore", "aiohttp"} & pins("serving.txt").keys()
