"""Texts that go into a Markdown file and must come back unchanged."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from slipway.adapters.forge.local.documents import Document, IssueFields, parse, render

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MARKERS = st.lists(st.sampled_from(["<!-- comment 1 -->", "<!-- \\comment 2 -->", "---", "", "a", "\r"])).map("\n".join)


@given(
    title=TEXT, body=TEXT | MARKERS, comments=st.lists(TEXT | MARKERS, max_size=3), labels=st.lists(TEXT, max_size=2)
)
@example(title="---", body="\n\n<!-- comment 1 -->\n", comments=["", "\n"], labels=["no", "1"])
@example(title="", body="", comments=[], labels=["\x85"])
def test_any_text_comes_back_as_it_was(title: str, body: str, comments: list[str], labels: list[str]) -> None:
    """A body is compared to know whether it changed; one lost newline would be an update at every run."""
    fields = IssueFields(number=1, title=title, labels=tuple(labels), open=True)
    document = Document(fields, body, tuple(comments))
    assert parse(render(document), IssueFields, where="issue") == document
