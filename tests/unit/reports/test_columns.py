"""Tables in the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from slipway.reports.columns import columns
from slipway.reports.plain import one_line, width_of

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Mn"]), max_size=40)


def test_columns_are_aligned_and_wrapped() -> None:
    """A cell that is too long goes on below itself, and moves no other."""
    table = columns(("gate", "measured"), [("F1", "0.531 [0.504, 0.559]"), ("Way back", "50")], width=24)
    assert table == "\n".join(
        [
            "gate      measured",
            "────────  ──────────────",
            "F1        0.531 [0.504,",
            "          0.559]",
            "Way back  50",
        ]
    )


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6), width=st.integers(40, 120))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    """The terminal would wrap it at the wrong place; letters of East Asia take two columns."""
    assert all(width_of(line) <= width for line in columns(("a", "b", "c"), rows, width=width).splitlines())


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_no_word_is_lost(rows: list[tuple[str, str]]) -> None:
    """Wrapping may break a word, but never drop a part of it."""
    table = columns(("a", "b"), rows, width=60)
    shown = sorted(character for character in table if not character.isspace() and character != "─")
    given_ = "ab" + "".join(one_line(cell) for row in rows for cell in row)
    assert shown == sorted(character for character in given_ if not character.isspace() and character != "─")
