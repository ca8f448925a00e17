"""The files behind `.dvc` files, by DVC itself: from the remote that `.dvc/config` names.

DVC runs in a folder that holds the configuration and these files alone, so nothing of a team's pipelines is run, and
the working tree stays as it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.adapters.processes.pinned import environment_for
from slipway.adapters.sources import process, secrets
from slipway.adapters.yaml_files import read_bounded
from slipway.domain.source_limit import SourceLimit
from slipway.errors import BadFile

_QUIET = {"DVC_NO_ANALYTICS": "1", "DVC_STUDIO_OFFLINE": "1", "CI": "1"}
_OWN_FILES = (".gitignore", ".dvcignore")


def replace(
    files: Sequence[Path],
    *,
    config: bytes | None,
    limit: SourceLimit,
    requirements: Path,
    environment: Mapping[str, str],
    aside: Path,
) -> None:
    """Put what each `.dvc` file tracks in its place; `aside` is an empty folder on the same disk.

    Raises:
        BadFile: the repository has no `.dvc/config`, or a file tracks what lies in another repository.
        SourceRefused: DVC does not give it, or it is more than the limit.
        Unreachable: it takes longer than the limit.
    """
    if not files:
        return
    if config is None:
        raise BadFile(f"{files[0].name} is there, and no .dvc/config", mend="dvc init, dvc remote add, and commit them")
    python = environment_for("dvc", requirements=requirements / "dvc.txt")
    variables = {**secrets.for_the_process(environment), **_QUIET, "HOME": environment.get("HOME", str(aside))}
    for number, file in enumerate(files):
        _refuse_imports(file)
        place = aside / str(number)  # two folders may have files of one name
        (place / ".dvc").mkdir(parents=True)
        (place / ".dvc" / "config").write_bytes(config)
        (place / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n    analytics = false\n")
        shutil.copyfile(file, place / file.name)
        command = [str(python), "-s", "-m", "dvc", "pull", "--quiet", file.name]
        process.run_watched(command, cwd=place, watched=place, limit=_with_cache(limit), variables=variables)
        _move(place, file)


def _with_cache(limit: SourceLimit) -> SourceLimit:
    """DVC keeps what it fetched a second time, beside files of its own."""
    return SourceLimit(bytes=2 * limit.bytes, files=min(10_000, 2 * limit.files + 50), seconds=limit.seconds)


def _refuse_imports(file: Path) -> None:
    if any(line.startswith(b"deps:") for line in read_bounded(file).splitlines()):
        raise BadFile(
            f"{file.name} imports from elsewhere (`deps`), which is not followed",
            mend=f"dvc add {file.name.removesuffix('.dvc')}, so that your own remote has it",
        )


def _move(place: Path, file: Path) -> None:
    shutil.rmtree(place / ".dvc")
    (place / file.name).unlink()
    for found in place.iterdir():
        if found.name not in _OWN_FILES:
            shutil.move(found, _cleared(file.parent / found.name))
    file.unlink()


def _cleared(path: Path) -> Path:
    """A working tree may hold the file already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return path
