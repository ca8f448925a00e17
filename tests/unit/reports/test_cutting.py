"""A text that is too long keeps its form and says where the rest is."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports.cutting import cut_at_a_line

from tests.unit.reports.github import elements

LINES = st.lists(
    st.sampled_from(["words", "", "```", "````sh", "<details><summary>s</summary>", "</details>", "| a | b |"]),
    max_size=120,
).map("\n".join)


def test_a_short_text_stays_as_it_is() -> None:
    """Nothing to say about a cut that did not happen."""
    assert cut_at_a_line("words\n", whole="here", ending="end") == "words\nend"


@given(text=LINES, longest=st.integers(400, 600))
@example(text="```\n" + "a\n" * 500, longest=400)
@example(text="a" * 1_000, longest=400)
@example(text="<details>\n" * 100, longest=400)
def test_what_is_cut_fits_and_ends_as_asked(text: str, longest: int) -> None:
    """A body that is a character too long is dropped as a whole; without its marker it is never found again."""
    cut = cut_at_a_line(text, whole="branch `ledger`", ending="\n<!-- end -->\n", longest=longest)
    assert len(cut) <= longest
    assert cut.endswith("\n<!-- end -->\n")


def test_an_open_fence_is_closed_before_the_sentence() -> None:
    """Otherwise the sentence that explains the cut is read as code."""
    cut = cut_at_a_line("intro\n\n````sh\n```\n" + "git fetch\n" * 100, whole="there", longest=500)
    sentence = ["paragraph_open", "inline", "em_open", "em_close", "paragraph_close"]
    assert elements(cut) == ["paragraph_open", "inline", "paragraph_close", "fence", *sentence]


def test_folded_parts_are_closed() -> None:
    """An open `<details>` would fold the sentence away."""
    text = "<details><summary>a</summary>\n\n" + "row\n" * 200 + "\n</details>\n"
    cut = cut_at_a_line(text, whole="there", longest=500)
    assert cut.count("<details>") == cut.count("</details>") == 1
    assert cut.index("</details>") < cut.index("*Cut here at 500 characters. The whole: there*")
