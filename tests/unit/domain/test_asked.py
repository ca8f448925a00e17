"""What a person pasted is read as what it is, or refused with the forms that can be read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipway.domain.asked import Asked, AskedFor, parse_asked
from slipway.domain.tag import ReleaseTag
from slipway.errors import CannotExplain

_HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "what", "name"),
    [
        (f"sha256:{_HEX}", AskedFor.DIGEST, _HEX),
        (_HEX.upper(), AskedFor.DIGEST, _HEX),
        ("01234567", AskedFor.DIGEST, "01234567"),  # eight digits begin a digest, seven are a number
        ("1234567", AskedFor.NUMBER, "1234567"),
        ("#12", AskedFor.NUMBER, "12"),
        (" 0012 ", AskedFor.NUMBER, "12"),
        ("flight-delay@v1.4.0_r2", AskedFor.TAG, "flight-delay@v1.4.0_r2"),
        ("v1.4.0-rc.1", AskedFor.VERSION, "v1.4.0-rc.1"),
        ("https://github.com/team/flights/pull/12", AskedFor.NUMBER, "12"),
        ("https://github.example/team/flights/issues/7#issuecomment-1", AskedFor.NUMBER, "7"),
        ("https://github.com/team/flights/pull/12/files?w=1", AskedFor.NUMBER, "12"),
        ("https://github.com/team/flights/releases/tag/a%40v1.0.0", AskedFor.TAG, "a@v1.0.0"),
        ("/home/ada/team.forge/pulls/0003-release-production.md", AskedFor.NUMBER, "3"),
        ("file:///home/ada/team.forge/issues/0004-tip.md", AskedFor.NUMBER, "4"),
        (f"host:5000/team/a@sha256:{_HEX}", AskedFor.DIGEST, _HEX),
        (f"docker://host/team/a:v1.0.0@sha256:{_HEX}", AskedFor.DIGEST, _HEX),
        ("host:5000/team/a:v1.0.0_r2", AskedFor.TAG, "a@v1.0.0_r2"),
    ],
)
def test_each_form_is_read_as_what_it_is(text: str, what: AskedFor, name: str) -> None:
    """They come from a browser, from kubectl, from a log and from a colleague."""
    read = parse_asked(text)

    assert (read.what, read.name) == (what, name)


def test_an_address_on_a_forge_tells_of_which_repository_it_speaks() -> None:
    """The same number is another pull request elsewhere."""
    assert parse_asked("https://github.com/team/flights/pull/12").repository == "team/flights"
    assert parse_asked("#12").repository is None


@pytest.mark.parametrize(
    "text", ["", "abc1234", "flight-delay", "flight-delay@1.4.0", "host/a:latest", "https://[::1/pull/1", "-1", "#"]
)
def test_all_else_is_refused_with_the_forms_that_can_be_read(text: str) -> None:
    """A guess would tell the story of another release."""
    with pytest.raises(CannotExplain, match="nothing that Slipway could look up") as refused:
        parse_asked(text)

    assert "pull request like #12" in refused.value.mend


@given(text=st.text(max_size=120) | st.from_regex(r"[a-z0-9:/@.#\[\]_-]{0,120}", fullmatch=True))
@example("https://[")
@example("https://h/o/r/pull/١٢")
@example("v" + "9" * 80 + ".0.0")
def test_any_text_is_read_or_refused_and_what_is_read_is_of_a_known_form(text: str) -> None:
    """It is pasted by people, and becomes a path of the ledger."""
    with contextlib.suppress(CannotExplain):
        _check(parse_asked(text))


def _check(read: Asked) -> None:
    if read.what is AskedFor.DIGEST:
        assert 8 <= len(read.name) <= 64
        assert set(read.name) <= set("0123456789abcdef")
    elif read.what is AskedFor.NUMBER:
        assert read.name.isascii()
        assert read.name.isdecimal()
    elif read.what is AskedFor.TAG:
        assert str(ReleaseTag.parse(read.name)) == read.name
    else:
        assert "/" not in read.name
