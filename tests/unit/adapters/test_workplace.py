"""Everything that a command works with."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.workplace import Workplace, forge_of
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile

from tests.team import Team, new_team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return new_team(tmp_path)


def test_all_state_lies_under_one_folder_that_git_ignores(team: Team) -> None:
    """To start anew is to delete it; nothing else of the repository is written."""
    place = Workplace.around(team.root / "models")

    folders = [
        place.release(ReleaseTag.parse("tip@v1.0.0")).folder,
        place.check("tip").folder,
        place.window("tip", "production", "2026-03-07").folder,
        place.layers,
        place.served_log("tip", "production").rows_folder,
    ]
    assert {folder.relative_to(team.root).parts[0] for folder in folders} == {".slipway"}
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_bare_repository_on_this_machine_is_a_forge(team: Team, prefix: str) -> None:
    """However the remote names it."""
    git.run("remote", "set-url", "origin", f"{prefix}{team.bare}", cwd=team.root)

    forge = forge_of(team.root)

    assert isinstance(forge, LocalForge)
    assert forge.repository == team.bare.resolve()


def test_a_relative_remote_is_meant_from_the_repository(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git means it, wherever the command was started."""
    git.run("remote", "set-url", "origin", "../waiters.git", cwd=team.root)
    monkeypatch.chdir(team.root / "models")

    forge = Workplace.around(Path.cwd()).forge

    assert isinstance(forge, LocalForge)
    assert forge.repository == team.bare.resolve()


def test_without_a_remote_the_mend_makes_one(team: Team) -> None:
    """The very first command of a newcomer ends here."""
    git.run("remote", "remove", "origin", cwd=team.root)

    with pytest.raises(BadFile) as caught:
        forge_of(team.root)

    assert "has no remote `origin`" in caught.value.problem
    assert caught.value.mend.startswith("git remote add origin PATH")


def test_images_in_a_folder_lie_at_the_repository(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started from a folder below, a release must not begin a second registry there."""
    monkeypatch.chdir(team.root / "models" / "tip")
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")
    team.propose("tip@v1.0.0")

    assert (team.root / ".slipway" / "registry" / "tip").is_dir()
    assert not (team.root / "models" / "tip" / ".slipway").exists()
