"""What a page sends its reader to is there, and so is what commands and errors name."""

from __future__ import annotations

import functools
import itertools
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.template.bench import ROOT

_ELSEWHERE = re.compile(r"^[a-z][a-z+.-]*:")


def _tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


PAGES = _tracked("docs/*.md", "README.md", "CHANGELOG.md")


@functools.cache
def anchors_of(page: Path) -> set[str]:
    """Of each heading, as GitHub makes them: lower case, words joined by dashes, a number behind a heading's double."""
    found: list[str] = []
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            plain = "".join(part.content for part in inline.children or ())
            kept = [one for one in plain.lower() if one in "-_ " or unicodedata.category(one)[0] in "LN"]
            name = "".join(kept).replace(" ", "-")
            found.append(f"{name}-{found.count(name)}" if name in found else name)
    return set(found)


@functools.cache
def links_of(page: Path) -> list[str]:
    tokens = MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    parts = [part for token in tokens for part in token.children or ()]
    return [
        str(part.attrs.get("href", part.attrs.get("src", ""))) for part in parts if part.type in ("link_open", "image")
    ]


def is_broken(link: str, page: Path) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return not target.exists() or bool(anchor and target.suffix == ".md" and anchor not in anchors_of(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    """A page that was moved is missed first by who needs it at night."""
    links = [link for link in links_of(page) if not _ELSEWHERE.match(link)]

    assert [link for link in links if is_broken(link, page)] == []


def test_each_page_of_docs_is_linked_from_another_one() -> None:
    """What nobody links is found by nobody."""
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in links_of(page)
        if not link.startswith("#")
    }
    pages = {page for page in PAGES if page.parent == ROOT / "docs"}
    assert sorted(page.name for page in pages - linked) == []


def test_each_page_that_a_file_names_is_there() -> None:
    """Errors, comments and alerts say `docs/….md`: who follows one has a problem already."""
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in _tracked("*.py", "*.yml", "*.yaml", "*.j2", "*.toml", "*.json", "Makefile")
        for name in re.findall(r"(?<![/\w])docs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert sorted((file, name) for file, name in named if not (ROOT / name).is_file()) == []


def test_each_test_that_the_readme_names_is_there() -> None:
    """It says what was shown: who goes to look must find it, also after tests moved."""
    named = set(re.findall(r"`(tests/[^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(named) > 50
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
