"""The digest of a folder: what a conversion is keyed by; and what is no part of a model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slipway.adapters.trees import digest_of_tree, refuse_strange_files
from slipway.errors import BadFile


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


_FILES = {"saved_model.pb": "graph", "variables/index": "1", "variables/data": "2"}


def test_the_same_files_have_the_same_digest_anywhere(tmp_path: Path) -> None:
    """In another folder, written in another order at another time, by another user."""
    one = tree(tmp_path / "one", _FILES)
    two = tree(tmp_path / "__pycache__" / "two", dict(reversed(_FILES.items())))
    os.utime(two / "saved_model.pb", (1, 1))
    (two / "saved_model.pb").chmod(0o755)

    assert digest_of_tree(one) == digest_of_tree(two)


@pytest.mark.parametrize(
    "other",
    [
        {**_FILES, "saved_model.pb": "grapH"},
        {**_FILES, "more": ""},
        {"saved_model.pb": "graph", "variables/index": "2", "variables/data": "1"},
        {"saved_model.pb": "graph", "index": "1", "variables/data": "2"},
        {},
    ],
)
def test_other_content_or_names_have_another(tmp_path: Path, other: dict[str, str]) -> None:
    """Or the stored conversion of another source would be served."""
    (tmp_path / "other").mkdir()

    assert digest_of_tree(tree(tmp_path / "one", _FILES)) != digest_of_tree(tree(tmp_path / "other", other))


def test_what_python_compiles_beside_the_files_plays_no_part(tmp_path: Path) -> None:
    """Looking at a model must not change it."""
    folder = tree(tmp_path / "one", _FILES)
    before = digest_of_tree(folder)
    tree(folder, {"__pycache__/train.pyc": "x"})

    assert digest_of_tree(folder) == before


def test_a_single_file_has_its_own_digest(tmp_path: Path) -> None:
    """A source may be one file; all of them once had the digest of nothing."""
    (tmp_path / "a.pkl").write_text("a")
    (tmp_path / "b.pkl").write_text("b")

    assert digest_of_tree(tmp_path / "a.pkl") != digest_of_tree(tmp_path / "b.pkl")


def test_a_pipe_among_the_files_is_refused(tmp_path: Path) -> None:
    """Who reads it waits for ever: the release, the check, and the converter."""
    os.mkfifo(tree(tmp_path / "one", _FILES) / "variables" / "waiting")

    with pytest.raises(BadFile, match="models/m/variables/waiting is neither a file, a folder nor a link"):
        refuse_strange_files(tmp_path / "one", shown_as="models/m")


def test_plain_files_and_links_that_stay_inside_pass(tmp_path: Path) -> None:
    """The harmless twin."""
    (tree(tmp_path / "one", _FILES) / "also").symlink_to("saved_model.pb")

    refuse_strange_files(tmp_path / "one", shown_as="models/m")
