"""A tar that comes from elsewhere writes below one folder, and nowhere else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from slipway.adapters.tar_stream import unpack
from slipway.errors import BadFile


def tar(*entries: tuple[str, bytes, int, str]) -> io.BytesIO:
    """Name, type, mode and link target of each entry; files hold their own name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, mode, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.linkname = kind, mode, link
            content = name.encode() if kind == tarfile.REGTYPE else b""
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def test_files_folders_links_and_the_executable_bit_arrive(tmp_path: Path) -> None:
    """What was tagged is what is released."""
    stream = tar(
        ("folder", tarfile.DIRTYPE, 0o755, ""),
        ("folder/run.sh", tarfile.REGTYPE, 0o775, ""),
        ("folder/data.bin", tarfile.REGTYPE, 0o664, ""),
        ("link", tarfile.SYMTYPE, 0o777, "folder/data.bin"),
    )
    unpack(stream, tmp_path)
    assert (tmp_path / "link").read_bytes() == b"folder/data.bin"
    assert (tmp_path / "folder" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "folder" / "data.bin").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "way/out"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    """Also not through a link that the tar itself laid before."""
    inside = tmp_path / "inside"
    inside.mkdir()
    stream = tar(("way", tarfile.SYMTYPE, 0o777, ".."), (name, tarfile.REGTYPE, 0o644, ""))
    with pytest.raises(BadFile, match="would lie outside"):
        unpack(stream, inside)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.LNKTYPE])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    """A pipe would hang its reader, a device is not data."""
    with pytest.raises((BadFile, KeyError)):
        unpack(tar(("thing", kind, 0o644, "elsewhere")), tmp_path)


def test_a_stream_that_breaks_off_is_no_success(tmp_path: Path) -> None:
    """Half a model looks like a model."""
    whole = tar(("a", tarfile.REGTYPE, 0o644, "")).getvalue()
    with pytest.raises(tarfile.ReadError):
        unpack(io.BytesIO(whole[:100]), tmp_path)
