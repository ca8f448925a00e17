"""The line that a program reads and a person does not see."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports.marker import marker, read_marker

from tests.unit.reports.github import elements


@given(fields=st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), st.text(), max_size=4), body=st.text())
@example(fields={"tag": "a@v1.0.0---x-->"}, body="words")
@example(fields={"tag": "new"}, body="<!-- slipway {} -->\n")
@example(fields={}, body="")
def test_any_field_comes_back(fields: dict[str, str], body: str) -> None:
    """A version may end in dashes, which would end an HTML comment."""
    assert read_marker(body + marker(**fields)) == fields


def test_a_marker_is_one_comment() -> None:
    """A reader sees nothing of it."""
    assert elements(f"words\n{marker(tag='a--b-->c')}") == ["paragraph_open", "inline", "paragraph_close", "html_block"]


def test_only_the_end_of_a_body_counts() -> None:
    """A message that quotes a marker must not send a program to another release."""
    assert read_marker(f"{marker(tag='quoted')}\nand more words") == {}
    assert read_marker("") == {}
    assert read_marker("<!-- slipway not json -->") == {}
    assert read_marker("<!-- slipway {not json} -->") == {}
