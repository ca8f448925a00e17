"""Environments of pinned files, made once a machine: a Python, and what a hashed requirements file names."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import uv
from filelock import FileLock

import slipway
from slipway.errors import BadFile, SlipwayError, Unreachable

log = logging.getLogger(__name__)

_WITHOUT_CUDA = {"UV_TORCH_BACKEND": "cpu"}  # PyTorch's own index, asked for PyTorch alone
_NETWORK = ("failed to fetch", "failed to download", "error sending request", "dns error", "timed out", "offline")
_MEND = "compile it again from pyproject.toml: make requirements; a file of your own: uv pip compile --generate-hashes"
_ASK_LATER = "run the same command again once the package index answers"
_WHERE_PYTORCH_IS = (
    "PyTorch's build without CUDA is on its own index alone (UV_TORCH_BACKEND=cpu, which is the default): let it be "
    "reached, or put the wheel of the version in the file into a folder and name that in UV_FIND_LINKS"
)


def environment_for(group: str, *, requirements: Path) -> Path:
    """Return the Python of the environment that holds `requirements`, made if it is not there yet.

    It lies in the user's cache (or under SLIPWAY_CACHE), named by the digest of the file and the version of Python,
    and is shared by all who need the same. One that was not finished is made again.

    Raises:
        BadFile: the file is not there, or cannot be installed.
        Unreachable: the package index did not answer.
    """
    folder = _cache() / "environments" / f"{group}-{_digest(requirements)[:12]}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    if complete.exists() and python.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (complete.exists() and python.exists()):
            _make(folder, python, group=group, requirements=requirements)
            complete.touch()
    return python


def our_code(aside: Path) -> Path:
    """A folder below `aside`, for PYTHONPATH: such an environment finds Slipway in it, and nothing from beside it."""
    package, code = Path(slipway.__file__).parent, aside / "code"
    code.mkdir()
    (code / package.name).symlink_to(package.resolve())
    return code


def _make(folder: Path, python: Path, *, group: str, requirements: Path) -> None:
    log.info("making the environment of %s in %s (once; it takes a while)", group, folder)
    if folder.exists():
        shutil.rmtree(folder)
    _uv(["venv", "--no-project", "--python", sys.executable, str(folder)], requirements)
    # Compiled here, once: the processes that run a model write nothing into the environment.
    install = ["pip", "sync", "--require-hashes", "--no-build", "--compile-bytecode", "--python", str(python)]
    _uv([*install, str(requirements.resolve())], requirements)


def _uv(arguments: Sequence[str], requirements: Path) -> None:
    done = subprocess.run(
        [uv.find_uv_bin(), "--quiet", *arguments],
        cwd=_cache(),
        env={**_WITHOUT_CUDA, **os.environ} if not os.environ.get("UV_FIND_LINKS") else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise _failure(requirements, done.stderr.strip())


def _failure(requirements: Path, words: str) -> SlipwayError:
    """What uv's words mean to somebody who has the file before him."""
    of_pytorch = "torch" in words
    if "hash mismatch" not in words.lower() and any(sign in words.lower() for sign in _NETWORK):
        return Unreachable(
            f"the packages of {requirements} could not be fetched:\n{words}",
            mend=_WHERE_PYTORCH_IS if of_pytorch else _ASK_LATER,
        )
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return BadFile(
        f"{requirements} cannot be installed for {here}:\n{words}",
        mend=_mend_of_pytorch(requirements, here) if of_pytorch else _MEND,
    )


def _mend_of_pytorch(requirements: Path, here: str) -> str:
    return (
        f"{requirements.name} has no hash of PyTorch's wheel for {here}, or the wheel was not found. "
        f"{_WHERE_PYTORCH_IS}. For the hashes of all Pythons and machines run `make requirements` where that index is "
        "reached, and commit the file; until then, take a Python that it has the hash for"
    )


def _cache() -> Path:
    return Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_dir("slipway")).resolve()


def _digest(requirements: Path) -> str:
    """Of what decides the content: the pinned files and the interpreter that they are for."""
    try:
        pinned = requirements.read_bytes()
    except OSError as error:
        raise BadFile(f"{requirements} cannot be read: {error}", mend="restore it from git") from error
    return hashlib.sha256(pinned + str(sys.implementation.cache_tag).encode()).hexdigest()
