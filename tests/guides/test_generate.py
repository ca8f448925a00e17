"""docs/generate.md, and the two pages that go on where it ends: upgrade.md and leaving.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.guides.conftest import follow_in
from tests.guides.following import Followed, environment

pytestmark = pytest.mark.xdist_group("guide: generate")
PAGES = ("generate.md", "upgrade.md", "leaving.md")


@pytest.fixture(scope="module")
def followed(home: Path) -> Followed:
    return follow_in(home, *PAGES)


def _make(followed: Followed, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`make`, in the repository that the guide left behind."""
    return subprocess.run(
        ["make", *words], cwd=followed.folder, env=environment(home), capture_output=True, text=True, check=False
    )


def test_the_guide_leads_to_its_end(followed: Followed) -> None:
    """A newcomer types what is there and nothing else; the first line that fails is where they leave."""
    assert followed.exit_code == 0, followed.whole
    assert followed.folder.name == "flights"


def test_it_prints_what_the_guide_shows(followed: Followed) -> None:
    """Who sees something else thinks that they did something wrong."""
    assert followed.said_otherwise() == []


def test_the_guide_has_the_five_lines_that_generation_prints(followed: Followed) -> None:
    """They are pasted by people who read no guide: the two must not part."""
    lines = re.findall(r"^  \d\. (.*)$", followed.printed[0], flags=re.MULTILINE)
    typed = "\n".join(block.commands for block in followed.blocks)

    assert len(lines) == 5
    assert [line for line in lines if line not in typed] == []


def test_nothing_is_installed_twice(followed: Followed, home: Path) -> None:
    """Each `make` that installs again is a coffee."""
    assert "Nothing to be done" in _make(followed, home, "setup").stdout


def test_an_interpreter_too_old_is_refused_in_plain_words(followed: Followed, home: Path, tmp_path: Path) -> None:
    """A traceback from inside of a package manager tells nobody to install another Python."""
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    done = _make(followed, home, "--always-make", "setup", f"PYTHON={old}")

    assert done.returncode != 0
    assert f"Slipway needs Python 3.11 or later; {old} here is Python 3.9.2." in done.stderr
    assert "mend: install Python 3.11" in done.stderr
