"""Homes in which nothing lies but a clone of the template; what a guide forgot to stop is stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters.rollout.process import stop_all

from tests.guides.following import Followed, follow
from tests.template.bench import copy_of_the_template


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With ~/slipway, a clone of the template as it is on disk."""
    folder = tmp_path_factory.mktemp("guide")
    template = copy_of_the_template(folder / "template.git")
    home = folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(template), str(home / "slipway")], check=True)
    yield home
    for state in sorted(home.glob("*/.slipway/rollout")):
        stop_all(state)


def follow_in(home: Path, *pages: str) -> Followed:
    """From the clone of the template, as every guide begins."""
    return follow(pages, home=home, start=home / "slipway")
