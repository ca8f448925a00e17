"""Markdown read as GitHub reads it: CommonMark with tables and strikethrough, HTML allowed."""

from __future__ import annotations

from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tables_of(markdown: str) -> list[list[list[str]]]:
    """The cells, row by row, of each table."""
    tables: list[list[list[str]]] = []
    for before, token in pairwise([Token("", "", 0), *_READER.parse(markdown)]):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif before.type in ("td_open", "th_open"):
            tables[-1][-1].append(seen(token))
    return tables


def seen(token: Token) -> str:
    """The text that a reader sees of an inline token."""
    return "".join(child.content for child in token.children or [] if child.type in ("text", "code_inline"))


def elements(markdown: str) -> list[str]:
    """The types of all tokens, inner ones included: the structure without the words."""
    return [
        kind
        for token in _READER.parse(markdown)
        for kind in (token.type, *(child.type for child in token.children or [] if child.type != "text"))
    ]


def html_in(markdown: str) -> set[str]:
    """What reaches the browser as HTML."""
    tokens = [one for token in _READER.parse(markdown) for one in (token, *(token.children or []))]
    return {one.content for one in tokens if one.type in ("html_inline", "html_block")}


def html_blocks(markdown: str) -> list[str]:
    """The HTML that stands between paragraphs, in its order."""
    return [token.content for token in _READER.parse(markdown) if token.type == "html_block"]


def text_outside_of_code(markdown: str) -> str:
    """Where GitHub looks for mentions, references and addresses."""
    return "\n".join(
        child.content
        for token in _READER.parse(markdown)
        for child in _not_in_code(token.children or [])
        if child.type == "text"
    )


def _not_in_code(children: list[Token]) -> list[Token]:
    """Leave out what stands between `<code>` and `</code>`."""
    kept: list[Token] = []
    inside = False
    for child in children:
        if child.type == "html_inline" and child.content in ("<code>", "</code>"):
            inside = child.content == "<code>"
        elif not inside:
            kept.append(child)
    return kept
