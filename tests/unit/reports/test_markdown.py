"""Text of users inside of Markdown: shown as it is, without any power."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports import rendering
from slipway.reports.markdown import Markdown, block, code, fenced, prose
from slipway.reports.plain import one_line

from tests import pages
from tests.unit.reports.github import elements, html_in, tables_of, text_outside_of_code

MARKS = st.text(st.sampled_from(list("`|\\*_~$<>&#@!()[]{}:;=+-./ \n\tab1é語\u202e\u200b")), max_size=40)
WORDS = st.one_of(st.text(max_size=60), MARKS, st.lists(st.sampled_from(pages.HOSTILE.split(" "))).map(" ".join))

_NO_WIDTH = "\u200b"


def row_of(cell: Markdown) -> list[str]:
    [table] = tables_of(f"| a | b | c |\n|---|---|---|\n| first | {cell} | last |\n")
    return [text.replace(_NO_WIDTH, "") for text in table[1]]


@given(text=WORDS)
@example(text=pages.HOSTILE)
@example(text="a`b|c`d")
@example(text="`a``b`")
@example(text="\\")
@example(text="ends in a backslash\\")
@example(text="&#124;")
@example(text="`&amp;`")
@example(text="0` 0`")
def test_prose_shows_its_words_in_one_cell(text: str) -> None:
    """A pipe or a backtick in a category must not move the numbers beside it."""
    letters = one_line(text).replace("`", "").replace(" ", "")
    first, middle, last = row_of(prose(text))
    assert (first, last) == ("first", "last")
    assert middle.replace("`", "").replace(" ", "") == letters


@given(text=WORDS)
@example(text=pages.HOSTILE)
@example(text="`")
@example(text="``` `")
@example(text="a|b\\")
def test_code_shows_exactly_its_words(text: str) -> None:
    """A digest or a name that is copied from a table must be the one that was written."""
    assert row_of(code(text)) == ["first", one_line(text).strip(), "last"]


@given(text=WORDS)
@example(text=pages.HOSTILE)
@example(text="<img src=x onerror=alert(1)>")
@example(text="[a](javascript:alert(1))")
@example(text="![a](//evil.example/a.png)")
@example(text="[a][b]")
@example(text="<https://evil.example>")
@example(text="__init__ **bold** ~~gone~~ *a*")
def test_prose_makes_no_element(text: str) -> None:
    """No picture that phones home, no link that hides its target, no bold that shouts."""
    made = set(elements(f"Words: {prose(text)}\n")) - {"paragraph_open", "inline", "paragraph_close"}
    assert made <= {"code_inline", "html_inline"}
    assert html_in(f"Words: {prose(text)}\n") <= {"<code>", "</code>"}


@given(text=WORDS)
@example(text="@octocat @org/team a@b.example")
@example(text="fixes #12, closes octo/repo#12, GH-12, gh-12")
@example(text="closes https://github.com/o/r/issues/12 www.evil.example")
@example(text="@`@`@octocat")
def test_prose_calls_nobody_and_closes_nothing(text: str) -> None:
    """A mention wakes somebody up; "fixes #12" in a pull request closes an issue at its merge."""
    outside = text_outside_of_code(f"Words: {prose(text)}\n")
    assert re.search(r"@[\w-]|#\d|[gG][hH]-\d|://|www\.", outside) is None


@given(text=WORDS)
@example(text="# heading")
@example(text="- list\n1. list\n1) list\n+ list\n* list")
@example(text="title\n===\n---\n| a |\n:-:\n    code")
@example(text="> quote")
@example(text="git tag\n```\n# after")
@example(text="[a]: https://evil.example")
def test_a_block_opens_nothing_but_paragraphs_and_commands(text: str) -> None:
    """The mend of a finding may hold an error of a library, with any line in it."""
    opened = {kind for kind in elements(f"Mend: {block(text)}\n") if kind.endswith("_open") or kind in ("fence", "hr")}
    assert opened <= {"paragraph_open", "fence"}
    opened = {kind for kind in elements(f"{block(text)}\n") if kind.endswith("_open") or kind in ("fence", "hr")}
    assert opened <= {"paragraph_open", "fence"}


def test_commands_of_a_mend_can_be_copied() -> None:
    """Escapes inside of a command would be pasted with it."""
    assert block("commit, then\ngit tag -a a@v1.0.0 && git push\ngit fetch\nand wait") == (
        "commit, then\n```sh\ngit tag -a a@v1.0.0 && git push\ngit fetch\n```\nand wait"
    )


@given(text=st.text(st.sampled_from("`a\n ~"), max_size=30))
def test_a_fence_is_never_left_from_inside(text: str) -> None:
    """A message with a fence in it would end the block and be read as Markdown."""
    kinds = elements(f"{fenced(text)}\n\nafter\n")
    assert kinds == ["fence", "paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("input `dep_delay` (float32) is new", "input `dep_delay` (float32) is new"),
        ("0.531 [0.504, 0.559]", "0.531 [0.504, 0.559]"),
        ("F1 − v1.3.0, same rows: p_late ≥ 0.40 & more", "F1 − v1.3.0, same rows: p_late ≥ 0.40 & more"),
    ],
)
def test_usual_words_are_readable_in_the_source_too(text: str, written: str) -> None:
    """On a laptop the pull request is a file, and is read as it is written."""
    assert prose(text) == written


def test_a_template_prints_nothing_that_is_not_escaped() -> None:
    """Safe by default: whoever adds a field to a template cannot forget the filter."""
    text, marked = (SimpleNamespace(problem=problem) for problem in ("<b>@x</b>", Markdown("<b>")))

    printed = rendering.markdown("problems", still_open=[([text, marked], "")], lead="")

    assert printed == f"- &lt;b&gt;@{_NO_WIDTH}x&lt;/b&gt;\n- <b>\n\n"
