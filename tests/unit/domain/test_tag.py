"""What a release is called, and what is no name for one."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from semver import Version
from slipway.domain.tag import (
    Bump,
    ReleaseTag,
    bump_between,
    covers,
    is_model_name,
    next_version,
    release_named,
    tag_and_push,
    version_in,
)
from slipway.errors import BadTag

_NAMES = st.from_regex(r"[a-z0-9]{1,10}(-[a-z0-9]{1,10}){0,3}", fullmatch=True)
_NUMBERS = st.integers(0, 10**6)
_IDENTIFIER = st.from_regex(r"[a-zA-Z][0-9a-zA-Z-]{0,5}", fullmatch=True)
_VERSIONS = st.builds(Version, _NUMBERS, _NUMBERS, _NUMBERS, prerelease=st.none() | _IDENTIFIER)


def refusal_of(text: str) -> BadTag:
    with pytest.raises(BadTag) as caught:
        ReleaseTag.parse(text)
    return caught.value


def suggested(error: BadTag) -> ReleaseTag:
    """The tag that the mend ends with."""
    return ReleaseTag.parse(error.mend.split()[-1])


@given(name=_NAMES, version=_VERSIONS)
def test_every_tag_reads_as_what_it_prints(name: str, version: Version) -> None:
    """The text is the key of everything: two spellings of one release would be two releases."""
    tag = ReleaseTag(name, version)

    assert ReleaseTag.parse(str(tag)) == tag
    assert tag.image_tag == f"v{version}"


@given(text=st.text(max_size=40) | st.from_regex(r"[a-zA-Z0-9-]*@v?[0-9٣a-z.+-]*", fullmatch=True))
@example("a@v1٣.0.0")
@example("a@v1.0.0\n")
def test_what_is_read_prints_as_it_was_written(text: str) -> None:
    """Or else it is refused, with a mend that is a tag."""
    try:
        tag = ReleaseTag.parse(text)
    except BadTag as error:
        assert suggested(error)
    else:
        assert str(tag) == text


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("", "flight-delay@v1.0.0"),
        ("!", "flight-delay@v1.0.0"),
        ("#1", "flight-delay@v1.0.0"),
        ("tip", "tip@v1.0.0"),
        ("tip@v1", "tip@v1.0.0"),
        ("tip@v1.2", "tip@v1.2.0"),
        ("tip@1.2.3", "tip@v1.2.3"),
        ("tip@v01.0.0", "tip@v1.0.0"),
        ("tip@v1.2.3+build.7", "tip@v1.2.3"),
        ("Tip@v1.0.0", "tip@v1.0.0"),
        ("tip @v1.0.0", "flight-delay@v1.0.0"),
        ("tip@v1.0.0 ", "tip@v1.0.0"),
        ("tip_top@v1.0.0", "flight-delay@v1.0.0"),
        ("a" * 64 + "@v1.0.0", "flight-delay@v1.0.0"),
        ("tip@v1.0.0-" + "x" * 60, "tip@v1.0.0"),
        ("tip@v" + "1" * 5000 + ".0.0", "tip@v111111111.0.0"),
    ],
)
def test_what_is_no_release_is_refused_with_a_tag_that_is_one(text: str, better: str) -> None:
    """Whoever pastes the mend must not be refused again."""
    error = refusal_of(text)

    assert str(suggested(error)) == better
    assert f"`{text}`" in error.problem


@pytest.mark.parametrize("text", ["it's@v1", "a;rm -rf x@v1", "$(reboot)@v1"])
def test_a_hostile_tag_is_quoted_in_the_mend(text: str) -> None:
    """The line is pasted into a shell; git lets anybody who may push name a tag like this."""
    words = shlex.split(refusal_of(text).mend.replace(", then", " , then"))

    assert words[:4] == ["git", "tag", "-d", text]


def test_a_name_of_63_characters_is_the_longest() -> None:
    """As Kubernetes has it for labels."""
    assert ReleaseTag.parse("a" * 63 + "@v1.0.0").model == "a" * 63
    assert not is_model_name("a" * 64)


@pytest.mark.parametrize(
    ("lower", "higher", "bump"),
    [
        (None, "1.0.0", Bump.FIRST),
        ("1.0.0", "1.0.1", Bump.PATCH),
        ("1.0.0", "1.1.0", Bump.MINOR),
        ("1.9.9", "2.0.0", Bump.MAJOR),
        ("1.0.0", "3.4.5", Bump.MAJOR),
        ("0.1.0", "0.1.1", Bump.PATCH),
        ("0.1.0", "0.2.0", Bump.MAJOR),
        ("0.9.0", "1.0.0", Bump.MAJOR),
        ("1.1.0-rc.1", "1.1.0", Bump.PATCH),
    ],
)
def test_the_number_says_which_promise_is_made(lower: str | None, higher: str, bump: Bump) -> None:
    """Below 1.0.0 every minor may break, as SemVer says."""
    assert bump_between(Version.parse(lower) if lower else None, Version.parse(higher)) is bump


@given(lower=_VERSIONS, bump=st.sampled_from([Bump.PATCH, Bump.MINOR, Bump.MAJOR]))
def test_the_next_version_is_higher_and_makes_the_promise(lower: Version, bump: Bump) -> None:
    """What is suggested as a minor must be judged as one."""
    following = next_version(lower, bump)

    expected = Bump.MAJOR if lower.major == 0 and bump is Bump.MINOR else bump
    assert following > lower
    assert bump_between(lower, following) is expected


def test_the_first_version_is_one() -> None:
    """Whatever promise is asked for: nothing was promised before."""
    assert {str(next_version(None, bump)) for bump in Bump} == {"1.0.0"}


@given(message=st.text(max_size=120))
def test_the_lines_that_release_hold_the_message_and_nothing_that_runs(message: str) -> None:
    """A commit message is anybody's text, and these lines are pasted."""
    make, push = tag_and_push(ReleaseTag.parse("tip@v1.1.0"), message)

    assert shlex.split(make)[:5] == ["git", "tag", "-a", "tip@v1.1.0", "-m"]
    assert len(shlex.split(make)) == 6
    assert not re.search(r"[\x00-\x1f]", make)
    assert push == "git push origin tip@v1.1.0"


_TAGS = st.builds(ReleaseTag, _NAMES, _VERSIONS, st.integers(1, 999_999))


@given(tag=_TAGS)
def test_every_revision_reads_as_what_it_prints(tag: ReleaseTag) -> None:
    """The image tag, the folder in the ledger and the manifest hold this text and no other."""
    assert ReleaseTag.parse(str(tag)) == tag
    assert ReleaseTag.parse(tag.git_tag) == tag.at_revision(1)
    assert version_in(tag.image_tag) == tag.version


@given(tag=_TAGS)
def test_a_revision_is_a_legal_tag_of_an_image_and_a_legal_label(tag: ReleaseTag) -> None:
    """`+`, as SemVer would have it for a build, is refused by every registry."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", tag.image_tag, re.ASCII)


@pytest.mark.parametrize(
    "text", ["tip@v1.0.0_r1", "tip@v1.0.0_r0", "tip@v1.0.0_r02", "tip@v1.0.0_r", "tip@v1.0.0_r2_r3", "tip@v1.0.0+r2"]
)
def test_a_revision_has_one_spelling(text: str) -> None:
    """The first is the version itself; two names of one image would be two sets of pages."""
    assert suggested(refusal_of(text)) == ReleaseTag("tip", Version(1))


def test_revisions_stand_between_their_version_and_the_next() -> None:
    """By number, not by text: the tenth comes after the ninth."""
    names = ["v1.4.0-rc.1", "v1.4.0", "v1.4.0_r2", "v1.4.0_r9", "v1.4.0_r10", "v1.4.1", "v1.10.0"]
    tags = [ReleaseTag.parse(f"tip@{name}") for name in names]

    assert sorted(set(tags), key=lambda tag: tag.precedence) == tags


@given(tag=_TAGS, other=_TAGS)
def test_what_is_said_of_a_version_holds_for_its_revisions_and_not_the_reverse(
    tag: ReleaseTag, other: ReleaseTag
) -> None:
    """A bad model is bad on every runtime image; a bad runtime image says nothing about the model."""
    assert covers(f"v{tag.version}", tag.image_tag)
    assert covers(tag.image_tag, f"v{tag.version}") is (tag.revision == 1)
    assert covers(other.image_tag, tag.image_tag) is (
        other.version == tag.version and other.revision in {1, tag.revision}
    )


@pytest.mark.parametrize("text", ["", "1.0.0", "v1.0", "latest", "v1.0.0_r1"])
def test_what_is_no_version_names_nothing(text: str) -> None:
    """A folder of the ledger may be called anything, such as an environment."""
    assert release_named("tip", text) is None
