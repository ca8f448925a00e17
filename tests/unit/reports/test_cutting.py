"""A text that is too long keeps its form and says where the rest is."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from slipway.reports.cutting import cut_at_a_line

from tests.unit.reports.github import elements, html_blocks

LINES = st.lists(
    st.sampled_from(
        [
            "words",
            "",
            "```",
            "```sh",
            "````sh",
            "``` `",
            "<details><summary>s</summary>\n",
            "\n</details>",
            "\n| a | b |\n|---|---|\n| c | d |",
            "| <details> | b |",
            "- an item",
        ]
    ),
    max_size=120,
).map("\n".join)
# What templates write: blocks apart, folds and fences closed, and never half of one inside of the other.
ROWS = st.integers(1, 30).map(lambda rows: "| a | b |\n|---|---|\n" + "| <b> | `<details>` |\n" * rows)
FENCED = st.integers(1, 30).map(lambda rows: "````text\n" + "<details>\n```\n</details>\n\n" * rows + "````\n")
BLOCKS = st.one_of(st.just("words\n"), st.just("- one\n- two\n"), ROWS, FENCED)
FOLDED = st.lists(BLOCKS, min_size=1, max_size=4).map(
    lambda parts: "<details><summary>s</summary>\n\n" + "\n".join(parts) + "\n</details>\n"
)
BODIES = st.lists(st.one_of(BLOCKS, FOLDED), min_size=4, max_size=40).map("\n".join)


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


@given(text=BODIES, longest=st.integers(400, 4_000))
def test_what_was_open_is_closed_and_the_sentence_stands_outside(text: str, longest: int) -> None:
    """In a fence, a table or a fold, nobody would read where the rest is, and the marker would be shown."""
    marked = "\n<!-- slipway {} -->\n"
    cut = cut_at_a_line(text, whole="there", ending=marked, longest=longest)
    kinds = elements(cut)
    assert sum(one.count("<details>") - one.count("</details>") for one in html_blocks(cut)) == 0
    if cut != text + marked:
        assert kinds[-6:] == ["paragraph_open", "inline", "em_open", "em_close", "paragraph_close", "html_block"]
    assert html_blocks(cut)[-1] == "<!-- slipway {} -->\n"


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
