"""What no source may be, whatever its format."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from slipway.converters.sources import refuse_archive, refuse_strange_files
from slipway.errors import ModelRefused


@pytest.mark.parametrize("target", ["/etc/passwd", "../beside", "nowhere", "itself"])
def test_a_link_out_or_to_nothing_is_refused(tmp_path: Path, target: str) -> None:
    """What it names is a file of the machine, and would be read as if it were the model's."""
    (tmp_path / "beside").touch()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "itself").symlink_to(target)

    with pytest.raises(ModelRefused, match="link out of the model's folder"):
        refuse_strange_files(tmp_path / "source")


def test_a_source_that_is_itself_a_link_to_another_folder_is_refused(tmp_path: Path) -> None:
    """The obvious place to put one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "model").touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "source").symlink_to(tmp_path / "elsewhere" / "model")

    with pytest.raises(ModelRefused, match="link out of the model's folder"):
        refuse_strange_files(tmp_path / "models" / "source")


def test_a_pipe_is_refused_wherever_it_lies(tmp_path: Path) -> None:
    """Its reader waits for ever."""
    (tmp_path / "variables").mkdir()
    os.mkfifo(tmp_path / "variables" / "data")

    with pytest.raises(ModelRefused, match="neither a file, a folder nor a link"):
        refuse_strange_files(tmp_path)


def test_a_link_that_stays_inside_passes(tmp_path: Path) -> None:
    """The harmless twin."""
    (tmp_path / "model").touch()
    (tmp_path / "same").symlink_to("model")

    refuse_strange_files(tmp_path)


@pytest.mark.parametrize("name", ["/absolute", "../above", "a/../../above", "C:/drive", "back\\slash"])
def test_an_entry_that_lies_outside_is_refused(tmp_path: Path, name: str) -> None:
    """Whoever unpacks it writes where it says."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("fine", b"")
        archive.writestr(name, b"")

    with pytest.raises(ModelRefused, match="lies outside of the archive"):
        refuse_archive(tmp_path / "a.zip", what="archive", mend="save it again")


def test_an_archive_of_more_than_fits_is_refused_by_what_it_states(tmp_path: Path) -> None:
    """A thousand bytes can be made of a million zeros; nothing is unpacked to find that out."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 20))

    refuse_archive(tmp_path / "a.zip", what="archive", mend="save it again")
    with pytest.raises(ModelRefused, match="unpacks to 1,048,576 bytes in 1 entries"):
        refuse_archive(tmp_path / "a.zip", what="archive", mend="save it again", most_bytes=1 << 19)
