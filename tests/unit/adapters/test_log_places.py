"""Where production's log and its labels lie, as settings name it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters.log_places import LogPlace


def test_a_folder_is_meant_from_the_repository(tmp_path: Path) -> None:
    """Wherever the command was started; a server, which may run elsewhere, is told the whole path."""
    place = LogPlace.open("served", root=tmp_path).below("production", "tip")

    assert place.folder == str(tmp_path / "served/production/tip")
    assert LogPlace.open("/var/log/served", root=tmp_path).folder == "/var/log/served"
    assert LogPlace.address_from("served", root=tmp_path) == str(tmp_path / "served")
    assert LogPlace.address_from("s3://bucket/served/", root=tmp_path) == "s3://bucket/served"


def test_whole_files_of_the_days_are_found_in_an_order_that_stays(tmp_path: Path) -> None:
    """The digest of a window must not depend on how a file system lists its files."""
    place = LogPlace.at(tmp_path)
    for name in ("date=2026-03-01/b.parquet", "date=2026-03-01/.c.parquet.part", "date=2026-03-02/a.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "date=2026-03-01/.d.parquet").write_bytes(b"x")
    (tmp_path / "date=tomorrow").mkdir()
    (tmp_path / "notes").mkdir()

    assert place.days() == [date(2026, 3, 1), date(2026, 3, 2)]
    found = place.files(place.days(), ending=".parquet")
    assert [path.removeprefix(f"{tmp_path}/") for path in found] == [
        "date=2026-03-01/b.parquet",
        "date=2026-03-02/a.parquet",
    ]
    assert place.read(found[0]) == b"x"


def test_a_folder_that_does_not_exist_has_no_days(tmp_path: Path) -> None:
    """Before the first request there is none."""
    assert LogPlace.at(tmp_path / "nowhere").days() == []


@pytest.mark.parametrize(("scheme", "library"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_client_that_is_not_installed_is_told_with_what_installs_it(scheme: str, library: str) -> None:
    """A laptop that never read the bucket before."""
    code = (
        "import sys; from pathlib import Path\n"
        "from slipway.adapters.log_places import LogPlace\n"
        f"sys.modules['{library}'] = None\n"  # as if it were not there
        f"LogPlace.open('{scheme}://bucket/served', root=Path('/'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert f"`{scheme}://bucket/served` needs the library {library}" in ran.stderr
    assert f"requirements/serving-{scheme}.txt" in ran.stderr
