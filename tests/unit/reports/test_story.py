"""The report of a whole story: one file that holds all that it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

from slipway.domain.incident import Outcome
from slipway.domain.verdict import Estimate
from slipway.maths.named_metrics import DecisionKind
from slipway.reports.story import (
    Document,
    EnvironmentChapter,
    IncidentChapter,
    ReleaseChapter,
    Story,
    story_html,
)

from tests import pages

_VOID = {"meta", "br", "path", "line", "rect"}


class Outline(HTMLParser):
    """Headings in their order, figures with their captions, and what is open at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(html: str) -> Outline:
    read = Outline()
    read.feed(html)
    read.close()
    return read


def test_headings_go_down_one_step_at_a_time() -> None:
    """A reader who hears the page walks by headings; a skipped level sounds like a lost part."""
    levels = [int(tag[1]) for tag in outline(story_html(pages.story())).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_plot_has_a_caption_and_every_part_its_end() -> None:
    """A plot without words says nothing to who cannot see it."""
    read = outline(story_html(pages.story()))
    assert read.open == []
    assert read.tags.count("figure") == read.tags.count("figcaption") == read.tags.count("svg") == 6


def test_the_file_asks_for_nothing() -> None:
    """No font, no script, no picture from elsewhere: it is mailed and opened offline."""
    read = outline(story_html(pages.story()))
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert not [value for name, value in read.attributes if name in ("src", "srcset", "action")]
    assert all(value.startswith("#") for name, value in read.attributes if name.endswith("href"))


def test_what_happened_is_told_in_the_first_lines() -> None:
    """Whoever opens the file wants the end of the story first."""
    text = " ".join("".join(outline(story_html(pages.story())).text).split())
    assert "flight-delay@v1.5.0 is refused: it breaks the promise of a minor version" in text
    assert "go back from v2.0.0 to v1.2.0 (F1 0.00 against 0.28)" in text
    assert "Pull request 7 goes back from v2.0.0 to v1.2.0." in text
    assert "Issue 3 was opened. Nothing was changed automatically." in text


def test_a_model_of_a_number_is_told_by_its_own_metric() -> None:
    """Its reader never heard of F1."""
    error = Estimate(value=41.0, low=39.0, high=44.0)
    measured = pages.metrics(kind=DecisionKind.NUMBER, metrics={"mae": error}, always_positive_f1=None, auc=None)
    windows = tuple(pages.window(number, trailing=measured) for number in range(3))
    html = story_html(Story(title="A number", environments=(EnvironmentChapter(name="production", windows=windows),)))

    assert "<figcaption>MAE of the trailing labelled days with its 95 % interval and its limit</figcaption>" in html
    assert 'aria-label="Lines: MAE in production over time"' in html
    assert "F1" not in html


def test_what_the_watch_found_in_audit_is_marked() -> None:
    """A `yes` from which nothing follows must not read like one that was passed over."""
    seen = pages.falling_f1()
    told = pages.incident_verdicts(seen, Outcome.RETRAIN)
    audited = told.model_copy(
        update={"findings": tuple(one.model_copy(update={"audit": True}) for one in told.findings)}
    )
    chapter = EnvironmentChapter(name="production", incidents=(IncidentChapter(seen, audited),))

    assert "<td>yes (audit)</td>" in story_html(Story(title="Audit", environments=(chapter,)))


def test_a_way_back_that_there_was_not_is_told() -> None:
    """`Commit  went back` would be read as done."""
    seen = pages.stuck_input()
    stayed = pages.reversion(pull=None, commit="", branch="", no_way_back="v1.2.0 cannot be pulled")
    incident = IncidentChapter(seen, pages.incident_verdicts(seen, Outcome.REVERT), None, stayed)
    html = story_html(Story(title="Stay", environments=(EnvironmentChapter(name="production", incidents=(incident,)),)))

    assert "Nothing was changed: v1.2.0 cannot be pulled." in html
    assert "went back" not in html


def test_an_empty_story_and_a_release_that_only_began_are_told() -> None:
    """A demo that ends early still has a report of what it did."""
    assert outline(story_html(Story(title="Nothing yet"))).open == []
    begun = Story(
        title="Begun",
        releases=(ReleaseChapter(pages.first_identity()),),
        environments=(EnvironmentChapter(name="production"),),
    )
    assert "was not judged" in story_html(begun)


def test_hostile_words_are_shown_and_do_nothing() -> None:
    """A report is opened with the rights of who opens it."""
    told = pages.story(title=pages.HOSTILE)
    identity = pages.identity(tagger=pages.HOSTILE, message=pages.HOSTILE)
    release = replace(told.releases[1], identity=identity)
    html = story_html(replace(told, releases=(release,), documents=(Document(pages.HOSTILE, pages.HOSTILE),)))
    read = outline(html)
    assert read.open == []
    assert "script" not in read.tags
    assert "".join(read.text).count("<script>alert(1)</script>") >= 4
