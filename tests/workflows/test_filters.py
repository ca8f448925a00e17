"""Which names of tags start a release; act ignores filters, so they are tried apart."""

from __future__ import annotations

import pytest
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadTag

from tests.workflows.filters import starts
from tests.workflows.rig import workflow

TAGS: list[str] = workflow("on-tag.yml")[True]["push"]["tags"]  # YAML 1.1 reads the key `on` as true
RELEASES = [
    *("m@v1.0.0", "m@v0.1.0", "m@v10.20.30", "flight-delay@v1.4.0", "flight-delay@v1.4.0-rc.1", "a-b-c@v2.0.0"),
    *("m2@v1.0.0", "m@v1.0.0-alpha", "m@v1.0.0-0.3.7", "m@v1.0.0-x-y-z.4"),
]
REFUSED_LATER = [  # they start the workflow, and resolve-tag says in words what is wrong with them
    *("m@v", "m@vx", "m@version", "m@v1", "m@v1.4", "m@v01.0.0", "m@v1.0.0+b", "@v1.0.0", "m@v1.0.0#1", "M@v1.0.0"),
    *("a/b@v1.0.0", "a/@v1.0.0", "a@v1/b@v2.0.0", "a@b@v1.0.0", "m@v1.0.0!x", "m@v1.0.0 ", "m@v1.0.0;id", "m@v-1.0.0"),
]
OTHERS = [
    *("v1.0.0", "m-v1.0.0", "m@1.0.0", "m@V1.0.0", "m@", "m", "latest", "m#production#1", "m@deprecated", "@", "a/b"),
    *("m@v1.0.0!", "a/b@v1.0.0!", "a/b/c@v1.0.0!", "!m@1", "release-2026", "m@ v1.0.0", "m/v1.0.0", ""),
]


def test_there_are_names_enough() -> None:
    """A list that shrank proves little."""
    assert len({*RELEASES, *REFUSED_LATER, *OTHERS}) == len(RELEASES) + len(REFUSED_LATER) + len(OTHERS) >= 40


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_is_handed_over(name: str) -> None:
    """A tag that starts nothing looks, to who pushed it, like a release that takes long."""
    assert starts(TAGS, name)
    assert str(ReleaseTag.parse(name)) == name


@pytest.mark.parametrize("name", REFUSED_LATER)
def test_what_was_meant_as_a_release_starts_and_is_refused_in_words(name: str) -> None:
    """A misspelt version that starts nothing would be refused by nobody."""
    assert starts(TAGS, name)
    with pytest.raises(BadTag):
        ReleaseTag.parse(name)


@pytest.mark.parametrize("name", OTHERS)
def test_other_tags_start_nothing(name: str) -> None:
    """A team has tags of its own, and one that takes a release back must not release it again."""
    assert not starts(TAGS, name)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [  # of GitHub's documentation
        ("*", "releases", "all/the/branches"),
        ("**", "every/branch", None),
        ("feature/*", "feature/my-branch", "feature/beta-a/my-branch"),
        ("feature/**", "feature/beta-a/my-branch", "features"),
        ("releases/mona-the?-octocat", "releases/mona-th-octocat", "releases/mona-thx-octocat"),
        ("v2*", "v2.0", "v1.9"),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", "v3.0.0"),
        ("*.jsx?", "page.js", "page.jsxx"),
        ("**-post.md", "a/b/my-post.md", "post.md"),
        (r"a\*", "a*", "ab"),
    ],
)
def test_patterns_mean_what_githubs_documentation_says(pattern: str, fitting: str, other: str | None) -> None:
    """The test above is worth as much as its reading of the patterns."""
    assert starts([pattern], fitting)
    assert other is None or not starts([pattern], other)


def test_the_last_pattern_that_fits_decides() -> None:
    """So stands it in the documentation: taken away, and brought back."""
    patterns = ["releases/**", "!releases/**-alpha", "releases/1-alpha"]
    assert [starts(patterns, f"releases/{name}") for name in ("1", "2-alpha", "1-alpha")] == [True, False, True]
    assert not starts(["!releases/**"], "main")
