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


def test_the_guide_leads_to_its_end(followed: Followed) -> None:
    """A newcomer types what is there and nothing else; the first line that fails is where they leave."""
    assert followed.exit_code == 0, followed.whole


def test_it_prints_what_the_guide_shows(followed: Followed) -> None:
    """Who sees something else thinks that they did something wrong."""
    assert followed.said_otherwise() == []


def test_the_guide_has_the_five_lines_that_generation_prints(followed: Followed) -> None:
    """They are pasted by people who read no guide: the two must not part."""
    lines = re.findall(r"^  \d\. (.*)$", followed.printed[0], flags=re.MULTILINE)
    typed = "\n".join(block.commands for block in followed.blocks)

    assert len(lines) == 5
    assert [part for line in lines for part in line.split(" && ") if part not in typed] == []
