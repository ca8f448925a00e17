"""What is safe to print in a terminal."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports.plain import commit_line, lines, one_line, printable, shortened, width_of

from tests import pages


@given(text=st.text())
def test_one_line_moves_no_cursor_and_hides_no_letter(text: str) -> None:
    """A tag's message may hold an escape sequence, or a sign that turns the direction of writing."""
    printed = one_line(text)
    assert "\n" not in printed
    assert not {unicodedata.category(character) for character in printed} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    assert one_line(printed) == printed


def test_letters_of_every_script_stay() -> None:
    """Names of people and places are not all ASCII."""
    assert one_line("Zürich 語 مرحبا नमस्ते 🎉") == "Zürich 語 مرحبا नमस्ते 🎉"


def test_hostile_text_is_shown_for_what_it_is() -> None:
    """Dropping the code would leave `[31mred`, which a reader could not explain."""
    assert "U+001B[31mredU+202E {{" in one_line(pages.HOSTILE)


@given(
    text=st.one_of(st.text(), st.lists(st.sampled_from(["::", " ", "##[", "error", "\n", "\r", "\u2028"])).map("".join))
)
@example(text="words\n  ::add-mask::e\r::stop-commands::x\u2028##[error]late ##[group]")
@example(text="###[a]:::")
def test_what_is_printed_gives_a_workflow_no_command(text: str) -> None:
    """GitHub's runner reads commands from what a step prints: a reason that begins with `::` would be one."""
    printed = printable(text)
    assert not [line for line in printed.split("\n") if line.lstrip().startswith("::")]
    assert "##[" not in printed
    assert not {unicodedata.category(character) for character in printed} - {"Cc"} & {"Cf", "Cs", "Co", "Cn"}
    assert set(printed) & {chr(code) for code in range(32)} <= {"\n", "\t"}


def test_what_is_printed_stays_as_it_was_written() -> None:
    """A table of the terminal must not lose its columns to a guard against one line in a million."""
    assert printable("a  b::c\n  mend: x # y [z]\n\tc") == "a  b::c\n  mend: x # y [z]\n\tc"
    assert printable("  ::error::x") == "  : :error::x"


_OBEYED = re.compile(
    r"(?<!\w)@\w|#\d|\bgh-\d|https?://\S+/(issues|pull)/\d|\[(skip ci|ci skip|no ci|skip actions|actions skip)\]",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("written", "committed"),
    [
        ("fixes #12", "fixes # 12"),
        ("Closes: team/flights#7 and GH-8", "Closes: team/flights# 7 and GH- 8"),
        ("resolves https://github.com/team/flights/issues/12", "resolves https:/ /github.com/team/flights/issues/12"),
        ("ask @ada, @team/flights", "ask @ ada, @ team/flights"),
        ("two\nlines [skip ci]", "two lines [ skip ci]"),
        ("ada@example.org saw F1 fall [0.4, 0.5], row #a", "ada@example.org saw F1 fall [0.4, 0.5], row #a"),
    ],
)
def test_a_reason_in_a_commit_calls_nobody_and_closes_nothing(written: str, committed: str) -> None:
    """The merge of a way back must not close somebody's issue, nor the reason for it keep the checks from running."""
    assert commit_line(written) == committed


@given(
    st.lists(
        st.sampled_from(["fixes", " ", "\n", "#", "1", "@", "ada", "GH-", "[", "]", "skip ci", "https://x.y/issues/"])
    ).map("".join)
)
def test_no_text_makes_a_commit_obey(text: str) -> None:
    """Whatever stands before and behind it."""
    assert not _OBEYED.search(commit_line(text))


def test_lines_drop_what_is_empty() -> None:
    """A mend is printed line by line."""
    assert lines(" a \r\n\n\tb\x00") == ["a", "bU+0000"]


def test_a_shortened_text_says_so() -> None:
    """A cut message must not read like a whole one."""
    assert shortened("abcdef", longest=6) == "abcdef"
    assert shortened("abcdefg", longest=6) == "abcde…"


def test_width_counts_columns() -> None:
    """`len` counts letters; a terminal does not."""
    assert [width_of(text) for text in ("abc", "語", "e\u0301")] == [3, 2, 1]
