"""The status page in a real browser: by eye, by keyboard and by screen reader, on a phone and on a desk."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slipway.steps import status_page

from tests.e2e.chromium import asked_and_said, unfold
from tests.fleet import Fleet

AXE = Path(__file__).with_name("axe")
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
MODEL = "load-baggage-0008"  # has an incident
HOSTILE = "<script>alert(1)</script><img src=//evil.example/x onerror=alert(2)>"
PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten models in three places, with links as on GitHub, and a feature whose name means no good."""
    folder = tmp_path_factory.mktemp("site")
    place = Fleet(models=10, windows=60, feature=HOSTILE).team(folder / "team").workplace
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GITHUB_REPOSITORY", "waiters/models")
        status_page.run(out=folder / "page", now=NOW, workplace=place)
    return folder / "page"


@pytest.fixture(params=["index.html", f"models/{MODEL}.html"], ids=["overview", "model"])
def file(request: pytest.FixtureRequest, site: Path) -> Path:
    return site / str(request.param)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script, from npm; its bytes are those that the lock tells."""
    folder = tmp_path_factory.mktemp("axe") / "axe"
    shutil.copytree(AXE, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=120)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def opened(browser: Browser, file: Path, **options: Any) -> Page:
    """At a fixed time, with everything unfolded."""
    page = browser.new_page(**options)
    page.clock.set_fixed_time(NOW)
    page.goto(file.as_uri())
    unfold(page)
    return page


def shown(page: Page) -> int:
    return page.locator("#places tbody tr:visible").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_no_barrier(browser: Browser, file: Path, axe: str, scheme: str, size: dict[str, int]) -> None:
    """Who cannot see the page or hold a mouse is on duty as well."""
    page = opened(browser, file, color_scheme=scheme, viewport=size)
    page.evaluate(axe)  # not by a tag: the page's own policy lets no other script in
    found = page.evaluate("() => axe.run()")

    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


def test_axe_would_find_one(browser: Browser, site: Path, axe: str) -> None:
    """A script that finds nothing anywhere would pass every page."""
    page = opened(browser, site / "index.html")
    page.evaluate("() => document.querySelectorAll('label').forEach(one => one.replaceWith(...one.children))")
    page.evaluate(axe)

    assert "label" in {one["id"] for one in page.evaluate("() => axe.run()")["violations"]}


def test_it_asks_nobody_and_runs_nothing_of_others(browser: Browser, file: Path) -> None:
    """It is read offline, and a name in a log must stay a name."""
    asked, said = asked_and_said(browser, file)

    assert asked == [file.as_uri()]
    assert said == []
    assert opened(browser, file).get_by_text("<script>alert(1)").count() > 0


def test_its_policy_lets_no_other_script_in(browser: Browser, site: Path) -> None:
    """Escaping is the first wall, and this is the second."""
    page = opened(browser, site / "index.html")
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"window.ran=1\">') }")
    page.evaluate(
        "() => { const one = document.createElement('script'); one.text = 'window.ran=1'; document.body.append(one) }"
    )

    assert page.evaluate("() => window.ran") is None


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_a_page_scrolls_down_only(browser: Browser, file: Path, width: int) -> None:
    """A page that moves sideways is put away."""
    page = opened(browser, file, viewport={"width": width, "height": 780})

    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_on_a_phone_no_table_hides_a_column(browser: Browser, site: Path) -> None:
    """Who let a version in is asked at night, with a phone; what lies beyond an edge is not there."""
    page = opened(browser, site / "models" / f"{MODEL}.html", viewport=PHONE)
    hidden = page.locator(".scroll").evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    named = page.evaluate("() => getComputedStyle(document.querySelector('td[data-name=Verdict]'), '::before').content")

    assert hidden == [0] * 9  # windows, versions and findings of three places
    assert named == '"Verdict"'


def test_on_a_phone_a_number_stands_behind_what_it_belongs_to(browser: Browser, site: Path) -> None:
    """In a line of its own, below the name of a column, it reads like an answer to that."""
    page = opened(browser, site / "index.html", viewport=PHONE)
    offsets = page.locator("#places td a").evaluate_all("all => all.map(one => one.offsetLeft)")

    assert len(offsets) == 31
    assert min(offsets) >= 90  # pixels: as wide as the name of a column


def test_filters_work_by_keyboard_alone(browser: Browser, site: Path) -> None:
    """From the address bar to one row, and back to all of them."""
    page = opened(browser, site / "index.html")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to what runs where")).to_be_focused()
    page.get_by_role("searchbox", name="Model").focus()
    page.keyboard.type("baggage")
    assert shown(page) == 6
    expect(page.get_by_role("status")).to_have_text("6 of 30 shown")
    page.keyboard.press("Tab")
    page.keyboard.type("sta")
    expect(page.get_by_role("combobox", name="Environment")).to_have_value("staging")
    assert shown(page) == 2
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="State")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show all")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("30 of 30 shown")
    page.get_by_role("combobox", name="State").select_option("open incident")
    assert shown(page) == 1


def test_what_has_the_focus_is_seen(browser: Browser, file: Path) -> None:
    """Without a ring, nobody knows where the next key goes."""
    page = opened(browser, file)
    for _ in range(8):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "() => { const it = getComputedStyle(document.activeElement); return [it.outlineStyle, it.outlineWidth] }"
        )
        assert style == ["solid", "3px"]


def test_the_skip_link_leads_to_the_table(browser: Browser, site: Path) -> None:
    """Thirty incidents are no reason to press Tab sixty times."""
    page = opened(browser, site / "index.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("() => document.activeElement.id") == "places"


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_screen_reader_hears_a_table_with_names_also_on_a_phone(
    browser: Browser, site: Path, size: dict[str, int]
) -> None:
    """A table that is drawn as cards must stay one for those who hear it."""
    page = opened(browser, site / "index.html", viewport=size)
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]  # what Chromium hands on
    heard = [node for node in nodes if not node["ignored"]]
    roles = Counter(node["role"]["value"] for node in heard)
    names = [node["name"]["value"] for node in heard if node["role"]["value"] == "columnheader"]

    assert names == ["Model", "Environment", "Version", "Since", "Let in by", "Evidence", "Watch", "Drift", "To come"]
    assert (roles["table"], roles["row"], roles["rowheader"], roles["cell"]) == (1, 31, 30, 240)
    for role in ("banner", "main", "contentinfo", "search", "status"):
        assert roles[role] == 1, role


def test_a_screen_reader_hears_the_tables_of_a_model_also_on_a_phone(browser: Browser, site: Path) -> None:
    """As that of the overview."""
    page = opened(browser, site / "models" / f"{MODEL}.html", viewport=PHONE)
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    roles = Counter(node["role"]["value"] for node in nodes if not node["ignored"])

    assert (roles["table"], roles["columnheader"]) == (9, 3 * (5 + 6 + 4))


def test_a_plot_is_told_in_words(browser: Browser, site: Path) -> None:
    """A line says nothing to who cannot see it."""
    page = opened(browser, site / "models" / f"{MODEL}.html")
    names = [plot.get_attribute("aria-label") or "" for plot in page.get_by_role("img").all()]

    assert len(names) == 6
    assert all("60 windows, to 2026-01-07 the first and to 2026-03-07 the last" in name for name in names)
    for plot in page.locator("svg").all():
        box = plot.bounding_box()
        assert box is not None and box["width"] > 250 and box["height"] > 100


def test_without_a_script_everything_is_there(browser: Browser, site: Path) -> None:
    """Filters are a help and no gate."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())

    assert page.locator("#places tbody tr").count() == 30
    assert not page.locator("#filters").is_visible()
    assert page.get_by_role("status").inner_text() == "30 shown"
    context.close()


def test_a_heartbeat_that_is_late_when_somebody_looks_says_so(browser: Browser, site: Path) -> None:
    """A page that nobody writes any more would say for ever that all is quiet."""
    page = browser.new_page()
    page.clock.set_fixed_time(datetime(2026, 3, 20, tzinfo=UTC))
    page.goto((site / "index.html").as_uri())

    assert page.get_by_text("13 days ago: look at its schedule").count() == 2
    assert opened(browser, site / "index.html").get_by_text("look at its schedule").count() == 0


def test_every_number_leads_to_its_request_or_issue(browser: Browser, file: Path) -> None:
    """The next question is always answered there."""
    page = opened(browser, file)
    links = page.eval_on_selector_all("main a", "all => all.map(one => [one.textContent, one.href])")
    numbered = [(text, address) for text, address in links if text.startswith("#")]

    assert len(numbered) >= 8
    for text, address in numbered:
        assert re.fullmatch(rf"https://github\.com/waiters/models/(pull|issues)/{text[1:]}", address)


def test_nothing_moves_for_those_who_asked_for_rest(browser: Browser, file: Path) -> None:
    """Motion makes some people ill."""
    still = opened(browser, file, reduced_motion="reduce")

    assert still.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior") == "auto"
