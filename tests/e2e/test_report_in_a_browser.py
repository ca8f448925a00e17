"""The reports in a real browser: on a phone, on a desk, in the light and in the dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from slipway.domain.incident import Outcome
from slipway.reports.story import story_html
from slipway.reports.window_report import WindowReport, window_html

from tests import pages
from tests.e2e.chromium import asked_and_said, unfold
from tests.unit.reports.test_window_report import judged, with_copies

# The contrast of WCAG 2 between each text and the nearest background behind it: luminance L of sRGB, (L1 + 0.05) /
# (L2 + 0.05). Colours are read as the browser computed them.
_CONTRASTS = """
() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) =>
    0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgb(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [light, dark] = [luminance(rgb(color)), luminance(behind(element))].sort((a, b) => b - a);
    found.push([(light + 0.05) / (dark + 0.05), element.textContent.trim().slice(0, 40)]);
  }
  return found;
}
"""


def _window() -> str:
    seen = with_copies(pages.stuck_input())
    return window_html(WindowReport(seen, judged(seen, Outcome.REVERT), reversion=pages.reversion()))


@pytest.fixture(scope="module", params=["story", "window"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    html = story_html(pages.story(title=pages.HOSTILE)) if request.param == "story" else _window()
    path.write_text(html, encoding="utf-8")
    return path


def opened(browser: Browser, report: Path, **options: Any) -> Page:
    """The report with everything unfolded."""
    page = browser.new_page(**options)
    page.goto(report.as_uri())
    unfold(page)
    return page


def test_it_asks_the_network_for_nothing_and_complains_about_nothing(browser: Browser, report: Path) -> None:
    """A report that loads a font tells its server who reads about which model; words of users must run nothing."""
    asked, said = asked_and_said(browser, report)
    assert asked == [report.as_uri()]
    assert said == []


@pytest.mark.parametrize("width", [390, 1280])
def test_every_plot_is_seen(browser: Browser, report: Path, width: int) -> None:
    """An SVG without a size is there for tests and not for people."""
    page = opened(browser, report, viewport={"width": width, "height": 900})
    plots = page.locator("svg").all()
    assert len(plots) == {"story.html": 6, "window.html": 2}[report.name]
    for plot in plots:
        box = plot.bounding_box()
        assert plot.is_visible()
        assert box is not None
        assert box["width"] >= 300
        assert box["height"] >= 60


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_phone_scrolls_down_only(browser: Browser, report: Path, width: int) -> None:
    """Wide tables scroll inside of themselves; a page that moves sideways is put away."""
    page = opened(browser, report, viewport={"width": width, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_no_letter_of_a_plot_is_cut_off(browser: Browser, report: Path) -> None:
    """The browser's letters are wider than those that the plot was laid out with."""
    page = opened(browser, report, viewport={"width": 390, "height": 844})
    outside = page.evaluate(
        """() => [...document.querySelectorAll('svg')].flatMap(plot => {
          const frame = plot.getBoundingClientRect();
          return [...plot.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
              || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
          }).map(text => text.textContent);
        })"""
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(browser: Browser, report: Path, scheme: str) -> None:
    """WCAG asks for 4.5 : 1; grey on grey at night is a number that nobody checks."""
    page = opened(browser, report, color_scheme=scheme)
    contrasts = page.evaluate(_CONTRASTS)
    assert len(contrasts) > 150
    assert [(ratio, words) for ratio, words in contrasts if ratio < 4.5] == []


def test_dark_is_dark(browser: Browser, report: Path) -> None:
    """Both schemes must really differ, or the test of the contrast looks at one twice."""
    backgrounds = {
        scheme: opened(browser, report, color_scheme=scheme).evaluate(
            "() => getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 28)"}


def test_it_can_be_printed(browser: Browser, report: Path, tmp_path: Path) -> None:
    """A release is sometimes signed on paper."""
    opened(browser, report).pdf(path=tmp_path / "story.pdf")
    assert (tmp_path / "story.pdf").read_bytes().startswith(b"%PDF")
