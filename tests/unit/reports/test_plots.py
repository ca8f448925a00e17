"""Plots that stand inside of a page: no script, no address, and words of users as words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from slipway.domain.incident import Window
from slipway.domain.verdict import Estimate
from slipway.maths.named_metrics import DecisionKind, foremost
from slipway.reports import plots

from tests import pages

_F1 = foremost(DecisionKind.YES_OR_NO)
HOSTILE = '"><script>alert(1)</script><a href="https://evil.example">&'


def drawn() -> list[str]:
    """Every plot, of usual pages."""
    windows = pages.months()
    return [
        plot
        for plot in (
            plots.versions_over_time(windows, found=[windows[7].end], label="versions"),
            plots.metric_over_time(windows, metric=_F1, limits={"v1.3.0": 0.48}, label="F1"),
            plots.drift_by_feature(windows, limits={}, limit=0.15, label="drift"),
            plots.flips_by_slice(pages.comparison(), label="flips"),
        )
        if plot is not None
    ]


def test_every_plot_is_drawn_and_named() -> None:
    """A reader who hears the page needs the label; without a view box the plot has no size on a phone."""
    for plot, label in zip(drawn(), ("versions", "F1", "drift", "flips"), strict=True):
        root = ElementTree.fromstring(plot)
        assert (root.get("role"), root.get("aria-label")) == ("img", label)
        assert root.get("viewBox")
        assert root.get("width") is None


def test_no_plot_asks_the_network() -> None:
    """The file is opened in ten years, or on a train."""
    for plot in drawn():
        addresses = set(re.findall(r"https?://[^\"' ]+", plot))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert "<script" not in plot
        assert "<image" not in plot


def test_the_same_pages_give_the_same_plot() -> None:
    """A report that changes by itself cannot be compared with the one of yesterday."""
    assert drawn() == drawn()


def test_letters_take_the_colour_of_the_page() -> None:
    """Black letters in a dark page are not read."""
    for plot in drawn():
        fills = {text.get("fill") for text in ElementTree.fromstring(plot).iter("{http://www.w3.org/2000/svg}text")}
        assert fills <= {"currentColor", None}


def test_names_inside_of_two_plots_differ() -> None:
    """All plots stand in one document; one clip path for two of them cuts the second."""
    names = [set(re.findall(r'id="([^"]+)"', plot)) for plot in drawn()]
    assert sum(len(one) for one in names) == len(set.union(*names))


@pytest.mark.parametrize("word", [HOSTILE, pages.HOSTILE])
def test_hostile_words_stay_words(word: str) -> None:
    """A category's value comes from whoever sends requests."""
    windows = tuple(pages.window(number, drift=(pages.feature_drift(word, 0.2),)) for number in range(3))
    slices = tuple(one.model_copy(update={"value": word}) for one in pages.comparison().slices)
    for plot in (
        plots.drift_by_feature(windows, limits={}, limit=0.15, label=word),
        plots.flips_by_slice(pages.comparison(slices=slices), label=word),
        plots.versions_over_time(windows, found=[], label=word),
    ):
        assert plot is not None
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(plot).iter()}
        assert tags <= {"svg", "g", "path", "text", "line", "rect", "defs", "clipPath", "title", "tspan"}


def test_a_version_that_came_back_has_no_line_through_the_one_between() -> None:
    """A line over weeks in which it did not run would claim an F1 that nobody measured."""
    back = tuple(
        pages.window(number, version=version) for number, version in enumerate(("v1", "v1", "v2", "v2", "v1", "v1"))
    )
    plot = plots.metric_over_time(back, metric=_F1, limits={}, label="F1")
    assert plot is not None
    assert len(re.findall(r'class="mark-line', plot)) == 6  # the model's and the constant answer's, three stints each


def of_numbers(weeks: int = 4) -> tuple[Window, ...]:
    """Windows of a model that decides a number: its error, and no constant answer beside it."""
    error = Estimate(value=41.0, low=39.0, high=44.0)
    measured = pages.metrics(kind=DecisionKind.NUMBER, metrics={"mae": error}, always_positive_f1=None, auc=None)
    return tuple(pages.window(number, trailing=measured) for number in range(weeks))


def test_a_model_of_a_number_is_drawn_by_its_own_metric() -> None:
    """An axis from 0 to 1 that says F1 would show an error of 41 nowhere."""
    plot = plots.metric_over_time(
        of_numbers(), metric=foremost(DecisionKind.NUMBER), limits={"v1.3.0": 48.0}, label="MAE"
    )
    assert plot is not None

    words = {text.text for text in ElementTree.fromstring(plot).iter("{http://www.w3.org/2000/svg}text")}
    assert {"MAE", "limit", "40"} <= words
    assert not {"F1", "always positive", "1.0"} & words


def test_nothing_to_draw_is_no_plot() -> None:
    """Empty axes look like a measurement of zero."""
    unlabelled = (pages.window(f1=None, drift=()),)
    assert plots.versions_over_time((), found=[], label="") is None
    assert plots.metric_over_time(unlabelled, metric=_F1, limits={"v1.3.0": 0.4}, label="") is None
    assert plots.drift_by_feature(unlabelled, limits={}, limit=0.15, label="") is None
    assert plots.flips_by_slice(pages.comparison(slices=()), label="") is None


def test_one_window_is_drawn_too() -> None:
    """The first week after a release is the one that everybody looks at."""
    assert plots.metric_over_time((pages.window(),), metric=_F1, limits={}, label="F1") is not None


def test_colours_of_series_stand_out_in_light_and_in_dark() -> None:
    """WCAG asks 3 : 1 of graphics; the page's two backgrounds are those of its style sheet."""
    colours = {colour for plot in drawn() for colour in re.findall(r"#[0-9a-f]{6}\b", plot)}
    assert len(colours) == 3
    for background in ("#ffffff", "#14181c"):
        assert all(_contrast(colour, background) >= 3 for colour in colours)


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Of WCAG 2, from sRGB."""
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_feature_has_a_line_at_its_own_limit() -> None:
    """A bar below 0.15 of an input that never moves, and one above it of one that always does, mean the opposite."""
    windows = (pages.window(0), pages.window(1))
    plain = plots.drift_by_feature(windows, limits={}, limit=0.15, label="")
    own = {window.end: {"dow": 0.42} for window in windows}
    calibrated = plots.drift_by_feature(windows, limits=own, limit=0.15, label="")
    assert plain is not None and calibrated is not None
    assert len(_heights_of_lines(plain)) == 1
    assert len(_heights_of_lines(calibrated)) == 2


def _heights_of_lines(plot: str) -> set[str]:
    """Of dashed lines, each inside of the row of its feature."""
    dashed = [one for one in ElementTree.fromstring(plot).iter() if one.get("stroke-dasharray") == "7,4"]
    return {str(one.get("transform")).partition(",")[2] for one in dashed}
