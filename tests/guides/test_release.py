"""docs/release.md: a model of one's own, from training to the pull request of its second version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guides.conftest import follow_in
from tests.guides.following import Followed

pytestmark = pytest.mark.xdist_group("guide: release")


@pytest.fixture(scope="module")
def followed(home: Path) -> Followed:
    return follow_in(home, "release.md")


def test_the_guide_leads_to_its_end(followed: Followed) -> None:
    """A newcomer types what is there and nothing else; the first line that fails is where they leave."""
    assert followed.exit_code == 0, followed.whole


def test_it_prints_what_the_guide_shows(followed: Followed) -> None:
    """Who sees something else thinks that they did something wrong."""
    assert followed.said_otherwise() == []
