"""Where files of the served log go, and what is said of an address that names no place."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from serving.errors import CannotStart
from serving.log_targets import Folder, cause_of, open_target, told


def test_a_folder_is_made_with_the_first_file_and_again_when_somebody_removed_it(tmp_path: Path) -> None:
    """A person who tidies up must not have to restart the server."""
    target = open_target(str(tmp_path / "served"))
    for _ in range(2):
        target.put("date=2013-08-01/a.parquet", b"whole", seconds=1.0)
        (file,) = (tmp_path / "served/date=2013-08-01").iterdir()
        assert (file.name, file.read_bytes()) == ("a.parquet", b"whole")
        file.unlink()
        file.parent.rmdir()


def test_what_did_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    """On a full disk the bytes of half a file are missed elsewhere."""
    (tmp_path / "date=2013-08-01/a.parquet").mkdir(parents=True)  # nothing can take its name

    with pytest.raises(OSError):
        Folder(tmp_path).put("date=2013-08-01/a.parquet", b"whole", seconds=1.0)

    assert [path.name for path in (tmp_path / "date=2013-08-01").iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("address", ["ftp://host/served", "s3:///served", "hdfs://name/served"])
def test_an_address_that_names_no_place_stops_the_start(address: str) -> None:
    """A typing error must not be found out by an empty log."""
    with pytest.raises(CannotStart, match=r"--served-log: .* is no place(.|\n)*mend: name a folder, s3://"):
        open_target(address)


@pytest.mark.parametrize("address", ["s3://AKIA123:s3cr3t@bucket/served", "s3://bucket/served?secret=s3cr3t"])
def test_credentials_in_the_address_are_refused_and_not_repeated(address: str) -> None:
    """An option stands in the list of processes, in manifests and in the server's own log."""
    with pytest.raises(CannotStart) as refusal:
        open_target(address)

    assert "s3cr3t" not in str(refusal.value)
    assert "AKIA123" not in str(refusal.value)
    assert "environment" in str(refusal.value)


@pytest.mark.parametrize(("scheme", "library"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_library_that_the_runtime_does_not_hold_stops_the_start(scheme: str, library: str) -> None:
    """The runtime for a local log has no client of a store; whoever names one is told what to build."""
    code = (
        "import sys; sys.path[:] = [path for path in sys.path if 'site-packages' not in path]\n"
        "from serving.log_targets import open_target\n"
        f"open_target('{scheme}://bucket/served')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert f"--served-log: {scheme}:// needs the library" in found.stderr
    assert f"requirements/serving-{scheme}.txt" in found.stderr
    assert library in found.stderr or "fsspec" in found.stderr


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "full"),
        (OSError(errno.EFBIG, "File too large"), "full"),
        (OSError(errno.EROFS, "Read-only file system"), "refused"),
        (PermissionError("Access Denied"), "refused"),
        (NoCredentialsError(), "refused"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "gone"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), "gone"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "gone"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "gone"),
        (ConnectionResetError(), "gone"),
        (TimeoutError(), "slow"),
        (OSError(errno.EIO, "We encountered an internal error"), "failed"),
    ],
)
def test_each_failure_has_one_word(failure: Exception, cause: str) -> None:
    """Whoever sees the count rise should know whether to look at a disk, a network or a key."""
    assert cause_of(failure) == cause


def test_what_is_told_of_a_failure_holds_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries repeat what was sent to them, and logs are read by more people than keys are."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "sessions-token")

    assert told(ValueError("the key AKIAEXAMPLE with sessions-token\nsecond line")) == (
        "ValueError: the key $AWS_ACCESS_KEY_ID with $AWS_SESSION_TOKEN"
    )
