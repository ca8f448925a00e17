"""Where a source came from: its digest is that of the same files in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.trees import digest_of_tree
from slipway.domain.origin import FetchedFile, digest_of_files

_PATHS = st.lists(st.text("ab.-/", min_size=1, max_size=6), min_size=1, max_size=6, unique=True)


def _written(folder: Path, names: list[str]) -> list[FetchedFile]:
    files = []
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
        told = path.relative_to(folder).as_posix()
        files.append(FetchedFile(name=told, sha256=hashlib.sha256(bytes([number])).hexdigest(), size=1))
    return files


def test_fetched_files_have_the_digest_of_a_folder_that_holds_them(tmp_path: Path) -> None:
    """A source that moved from a folder to a bucket is the same source, and is not converted again."""
    files = _written(tmp_path, ["b", "a/z", "a-b/c", "a.b", "a/b/c"])

    assert digest_of_files(reversed(files)) == digest_of_tree(tmp_path)


@given(_PATHS)
def test_the_order_in_which_files_came_plays_no_part(names: list[str]) -> None:
    """A store lists them as it likes."""
    files = [FetchedFile(name=name, sha256="0" * 64, size=1) for name in names]

    assert digest_of_files(files) == digest_of_files(files[::-1])
