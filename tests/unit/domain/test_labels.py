"""What people filter pull requests and issues by."""

from __future__ import annotations

import re

from slipway.domain import labels
from slipway.domain.tag import Bump

LONG = "a-model-with-the-longest-name-that-a-kubernetes-label-can-hold"


def test_every_label_is_one_that_github_takes() -> None:
    """It refuses names above 50 characters, descriptions above 100 and colours with a hash, and a release with them."""
    given = labels.of_all(("tip", LONG), ("staging", LONG))

    assert len({label.name for label in given}) == len(given) == 6 + len(Bump) + 2 + 4 + 4
    assert all(len(label.name) <= 50 and len(label.description) <= 100 for label in given)
    assert all(re.fullmatch("[0-9a-f]{6}", label.colour) for label in given)
    assert not [label.name for label in given if "," in label.name]  # GitHub splits a question for several there


def test_two_long_names_that_begin_alike_stay_apart() -> None:
    """By this label the watch finds its issue: one of another model must not be closed."""
    alike = [labels.of_environment(f"{LONG[:-1]}{letter}", "production").name for letter in "ab"]

    assert alike[0] != alike[1]


def test_a_bump_says_what_it_promises() -> None:
    """A reviewer filters for what may break a client."""
    assert labels.of_bump(Bump.MAJOR).name == "release: major"
    assert labels.of_bump(Bump.MAJOR).description == "May break its clients"
