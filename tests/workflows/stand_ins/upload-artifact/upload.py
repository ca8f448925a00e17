"""Keep the files that some patterns name, in the way of actions/upload-artifact.

The root of an artifact is the folder that the search paths (patterns up to their first wildcard) have in common;
empty folders are lost, links are followed, and all files become plain ones.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
from pathlib import Path

_NOT_IN_PATHS = set('":<>|*?\r\n')
_NOT_IN_NAMES = _NOT_IN_PATHS | set("\\/")
_WILD = re.compile(r"[*?\[]")


def main() -> None:
    name, kept = os.environ["NAME"], Path(os.environ["RIG_ARTIFACTS"]) / os.environ["NAME"]
    if not name or set(name) & _NOT_IN_NAMES:
        sys.exit(f"The artifact name is not valid: {name}")
    root, files = found(os.environ["PATHS"].splitlines(), hidden=os.environ["HIDDEN"] == "true")
    if not files:
        sys.exit("No files were found with the provided path" if os.environ["WHEN_EMPTY"] == "error" else 0)
    if kept.exists() and os.environ["OVERWRITE"] != "true":
        sys.exit("Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists")
    shutil.rmtree(kept, ignore_errors=True)
    note_of_job = kept.parent / ".by-job" / os.environ["GITHUB_JOB"] / name  # for a second attempt at a later job
    note_of_job.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = kept / file.relative_to(root)
        if set(str(target.relative_to(kept))) & _NOT_IN_PATHS:
            sys.exit(f"The path for one of the files in artifact is not valid: {file}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())


def found(patterns: list[str], *, hidden: bool) -> tuple[Path, list[Path]]:
    """The root of the artifact, and its files."""
    wanted = [Path.cwd() / line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    files = {file for pattern in wanted for file in _files(pattern) if hidden or not _is_hidden(file)}
    return root_of([search_path(pattern) for pattern in wanted], sorted(files)), sorted(files)


def search_path(pattern: Path) -> Path:
    """A pattern up to its first wildcard."""
    wild = next((number for number, part in enumerate(pattern.parts) if _WILD.search(part)), len(pattern.parts))
    return Path(*pattern.parts[:wild])


def root_of(searched: list[Path], files: list[Path]) -> Path:
    """What the search paths have in common; one that lies in another does not count."""
    apart = {path for path in searched if not any(other in path.parents for other in searched)}
    if len(apart) > 1:
        return Path(os.path.commonpath(apart))
    (only,) = apart
    return only.parent if files == [only] else only


def _files(pattern: Path) -> list[Path]:
    matches = [Path(match) for match in glob.glob(str(pattern), recursive=True, include_hidden=True)]  # noqa: PTH207
    inside = [path for match in matches for path in ([match] if match.is_file() else match.rglob("*"))]
    return [path for path in inside if path.is_file()]


def _is_hidden(file: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(Path.cwd()).parts)


if __name__ == "__main__":
    main()
