"""The files behind `.dvc` files, by DVC itself: from the remote that `.dvc/config` names.

DVC runs in a folder that holds the configuration and these files alone, so nothing of a team's pipelines is run, and
the working tree stays as it is. It writes where a name leads, out of its folder as well, so that all it is told is seen
before; the names in a tracked folder when they are fetched and not yet laid out.

Source of the two formats: https://dvc.org/doc/user-guide/project-structure/dvc-files and …/internal-files
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from slipway.adapters.processes.pinned import environment_for
from slipway.adapters.sources import dvc_config, process, secrets
from slipway.adapters.sources.fetched import inner_path
from slipway.adapters.yaml_files import parse_yaml, read_bounded
from slipway.domain.source_limit import SourceLimit
from slipway.errors import BadFile, FetchingFailed, SourceRefused

_QUIET = {"DVC_NO_ANALYTICS": "1", "DVC_STUDIO_OFFLINE": "1", "CI": "1", "NETRC": os.devnull}
_OWN_FILES = (".gitignore", ".dvcignore")
_DIGEST = r"^([0-9a-f]{32}(\.dir)?)?$"  # DVC makes a path of it


class _Part(BaseModel):
    relpath: str = ""
    md5: str = Field(default="", pattern=_DIGEST)


class _Out(BaseModel):
    path: str
    md5: str = Field(default="", pattern=_DIGEST)
    files: tuple[_Part, ...] = ()


_LISTING = TypeAdapter(tuple[_Part, ...])


class _DvcFile(BaseModel):
    """Of a `.dvc` file, what says where DVC writes and what else it reads."""

    outs: tuple[_Out, ...]
    deps: tuple[object, ...] = ()
    wdir: str = "."


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
        BadFile: the repository has no `.dvc/config`, or a file tracks what lies elsewhere than beside it.
        SourceRefused: DVC does not give it, or it is more than the limit.
        Unreachable: the remote does not answer, or it takes longer than the limit.
    """
    if not files:
        return
    if config is None:
        raise BadFile(f"{files[0].name} is there, and no .dvc/config", mend="dvc init, dvc remote add, and commit them")
    python = environment_for("dvc", requirements=requirements / "dvc.txt")
    own = secrets.for_the_process(environment)
    # Its notes on a repository are pickles, in a folder that all users of a machine write into by default.
    places = {"HOME": own.get("HOME", str(aside)), "DVC_SITE_CACHE_DIR": str(aside / "site")}
    variables = {**own, **_QUIET, **places}
    told = dvc_config.written_anew(config, own)
    for number, file in enumerate(files):
        _refuse_strange(file)
        place = aside / str(number)  # two folders may have files of one name
        (place / ".dvc").mkdir(parents=True)
        (place / ".dvc" / "config").write_text(told)
        shutil.copyfile(file, place / file.name)
        _pull(file.name, place, python, limit=_with_cache(limit), variables=variables)
        _move(place, file)


def _pull(name: str, place: Path, python: Path, *, limit: SourceLimit, variables: Mapping[str, str]) -> None:
    try:
        for command in (("fetch", "--quiet"), ("checkout",)):  # what is missing is said by the latter alone
            words = [str(python), "-s", "-m", "dvc", *command, "--", name]
            process.run_watched(words, cwd=place, watched=place, limit=limit, variables=variables)
            _refuse_ways_out(place / ".dvc" / "cache")
    except FetchingFailed:
        process.say_why(
            python, "slipway.adapters.sources.dvc_remote", name, cwd=place, limit=limit, variables=variables
        )
        raise


def _with_cache(limit: SourceLimit) -> SourceLimit:
    """DVC keeps what it fetched a second time, beside files of its own."""
    return SourceLimit(bytes=2 * limit.bytes, files=min(10_000, 2 * limit.files + 50), seconds=limit.seconds)


def _refuse_strange(file: Path) -> None:
    """Say no to what is imported, and to what lies elsewhere than beside the file."""
    told = parse_yaml(read_bounded(file), _DvcFile, where=file.name)
    if told.deps:
        raise BadFile(
            f"{file.name} imports from elsewhere (`deps`), which is not followed",
            mend=f"dvc add {file.name.removesuffix('.dvc')}, so that your own remote has it",
        )
    for out in told.outs:
        if told.wdir != "." or len(inner_path(out.path).parts) > 1 or out.path in (".", ".dvc", ".git"):
            raise BadFile(
                f"{file.name} tracks `{out.path[:200]}`, which does not lie beside it",
                mend=f"dvc add {file.name.removesuffix('.dvc')}, in its own folder and without `wdir`",
            )
        for part in out.files:
            inner_path(part.relpath)


def _refuse_ways_out(cache: Path) -> None:
    """A tracked folder is a list of names that whoever writes to the remote may have chosen."""
    for listing in cache.rglob("*.dir"):
        try:
            parts = _LISTING.validate_json(listing.read_bytes())
        except ValidationError:
            raise SourceRefused(
                "the DVC remote holds a list of a folder that is none", mend="dvc push, from a clone that has the files"
            ) from None
        for part in parts:
            inner_path(part.relpath)


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
