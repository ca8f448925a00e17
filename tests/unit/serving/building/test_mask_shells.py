"""Which files of a base image are masked, and that nothing of the machine that builds is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serving.building.mask_shells import SHELLS, mask_shells


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As Debian has it: /bin is a link, and sh a link to dash."""
    root = tmp_path / "root"
    for name in ("usr/bin", "usr/local/bin", "etc"):
        (root / name).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    for name in ("usr/bin/dash", "usr/bin/bash", "usr/bin/python3", "usr/bin/shred", "usr/local/bin/zsh", "etc/bash"):
        (root / name).write_bytes(b"program")
        (root / name).chmod(0o755)
    (root / "usr/bin/sh").symlink_to("dash")
    return root


def masked(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def test_every_shell_is_masked_where_it_really_lies_and_nothing_else(root: Path, tmp_path: Path) -> None:
    """A mask under /bin would replace the link by a folder, and with it all programs."""
    mask_shells(root, into=tmp_path / "image")

    assert set(masked(tmp_path / "image")) == {"usr/bin/bash", "usr/bin/dash", "usr/bin/sh", "usr/local/bin/zsh"}


def test_a_mask_is_an_empty_file_that_nobody_can_run(root: Path, tmp_path: Path) -> None:
    """Not even root runs a file without a single right to be run."""
    mask_shells(root, into=tmp_path / "image")

    for path in masked(tmp_path / "image").values():
        assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o444, 0)


def test_a_link_to_nowhere_is_masked_too(root: Path, tmp_path: Path) -> None:
    """A layer below or a volume may bring its target back."""
    (root / "usr/bin/ksh").symlink_to("/etc/alternatives/ksh")

    mask_shells(root, into=tmp_path / "image")

    assert "usr/bin/ksh" in masked(tmp_path / "image")


def test_a_base_without_a_shell_gets_no_mask(tmp_path: Path) -> None:
    """Such a base stays as it is."""
    (tmp_path / "root" / "usr" / "bin").mkdir(parents=True)

    mask_shells(tmp_path / "root", into=tmp_path / "image")

    assert masked(tmp_path / "image") == {}


def test_it_only_reads_the_root_that_it_is_told_of(root: Path, tmp_path: Path) -> None:
    """It runs as root, on the root of a container; by hand that would be somebody's own machine."""
    script = Path(sys.modules[mask_shells.__module__].__file__ or "")
    command = [sys.executable, str(script), f"--into={tmp_path / 'image'}"]

    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    subprocess.run([*command, f"--root={root}"], check=True)

    assert refused.returncode == 2 and "--root" in refused.stderr
    assert (root / "usr/bin/dash").read_bytes() == b"program" and (root / "usr/bin/sh").is_symlink()
    assert {Path(name).name for name in masked(tmp_path / "image")} <= set(SHELLS)
