"""Folders out of real git."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.exported import export
from slipway.errors import BadFile, GitRefused

from tests.unit.adapters.conftest import MODEL, commit, commit_all


def test_a_folder_is_exported_byte_by_byte(work: Path, tmp_path: Path) -> None:
    """The digest of a release is made of these bytes: no line ending may change, whatever the machine's settings."""
    tagged = git.head_commit(work)
    git.run("config", "core.autocrlf", "true", cwd=work)
    commit(work, {f"{MODEL}/source/w.bin": b"later", f"{MODEL}/later.txt": b""})
    export(work, tagged, MODEL, into=tmp_path / "out" / "tagged")

    out = tmp_path / "out"
    assert {str(path.relative_to(out)) for path in out.rglob("*")} == {
        "tagged",
        "tagged/model.yaml",
        "tagged/source",
        "tagged/source/w.bin",
    }
    assert (out / "tagged/model.yaml").read_bytes() == b"name: flight-delay\r\n"
    assert (out / "tagged/source/w.bin").read_bytes() == bytes(range(256))


def test_exporting_again_replaces_what_was_there(work: Path, tmp_path: Path) -> None:
    """A rerun after a kill must not mix two trees."""
    for _ in range(2):
        export(work, "HEAD", MODEL, into=tmp_path / "tagged")
        (tmp_path / "tagged/stray").touch()
    export(work, "HEAD", MODEL, into=tmp_path / "tagged")
    assert not (tmp_path / "tagged/stray").exists()
    assert [path.name for path in tmp_path.glob(".tagged*")] == []


def test_links_inside_of_the_folder_are_kept(work: Path, tmp_path: Path) -> None:
    """They are part of what was tagged."""
    (work / MODEL / "latest").symlink_to("source/w.bin")
    commit_all(work)
    export(work, "HEAD", MODEL, into=tmp_path / "tagged")
    assert (tmp_path / "tagged/latest").read_bytes() == bytes(range(256))


@pytest.mark.parametrize(
    "links",
    [
        {"secret": "/etc/passwd"},
        {"secret": "../../README.md"},
        {"deep/down/up": "../..", "chain": "deep/down/up/../../out"},
        {"circle": "circle"},
    ],
    ids=["absolute", "upwards", "two in a chain", "in a circle"],
)
def test_links_out_of_the_folder_are_refused(work: Path, tmp_path: Path, links: dict[str, str]) -> None:
    """The job that converts runs with no secret; a link must not bring one of the machine's files into a release."""
    for name, target in links.items():
        (work / MODEL / name).parent.mkdir(parents=True, exist_ok=True)
        (work / MODEL / name).symlink_to(target)
    tagged = commit_all(work)
    with pytest.raises(BadFile, match=f"outside of {MODEL}") as caught:
        export(work, tagged, MODEL, into=tmp_path / "tagged")
    assert any(f"{MODEL}/{name}" in str(caught.value) for name in links)
    assert not (tmp_path / "tagged").exists()


@pytest.mark.parametrize("folder", ["models/unknown", f"{MODEL}/model.yaml"])
def test_a_folder_that_was_not_committed_is_told_in_words(work: Path, tmp_path: Path, folder: str) -> None:
    """Forgetting `git add` is an everyday slip."""
    with pytest.raises(GitRefused, match="has no folder") as caught:
        export(work, "HEAD", folder, into=tmp_path / "tagged")
    assert "commit" in caught.value.mend


def test_what_git_lacks_is_told_and_nothing_is_left(work: Path, tmp_path: Path) -> None:
    """A clone that lost an object must not lay down half of a model."""
    blob = git.run("rev-parse", f"HEAD:{MODEL}/source/w.bin", cwd=work).decode().strip()
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    with pytest.raises(GitRefused):
        export(work, "HEAD", MODEL, into=tmp_path / "tagged")

    assert list(tmp_path.glob("*tagged*")) == []
