"""The status page of twelve models, as docs/status.md shows it: on a desk, in the dark, and on a phone."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page
from slipway.steps import status_page

from tests.e2e.chromium import chromium
from tests.fleet import Fleet

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "status"
PICTURES = ("overview.png", "model.png", "phone.png")
_NOW = datetime(2026, 3, 8, 7, tzinfo=UTC)
_MODEL = "load-baggage-0008"  # has an incident
_DESK, _PHONE = (1100, 760), (360, 760)  # pixels


def draw(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        folder = Path(directory)
        team = Fleet(models=12).team(folder / "team")
        status_page.run(out=folder / "page", now=_NOW, workplace=team.workplace)
        overview, model = folder / "page" / "index.html", folder / "page" / "models" / f"{_MODEL}.html"
        _opened(browser, overview, _DESK).screenshot(path=into / "overview.png")
        _opened(browser, model, _DESK, dark=True).screenshot(path=into / "model.png")
        phone = _opened(browser, overview, _PHONE)
        phone.locator("#what").scroll_into_view_if_needed()
        phone.evaluate("() => document.getElementById('what').scrollIntoView()")
        phone.screenshot(path=into / "phone.png")


def _opened(browser: Browser, path: Path, size: tuple[int, int], *, dark: bool = False) -> Page:
    width, height = size
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page.clock.set_fixed_time(_NOW)
    page.goto(path.as_uri())
    return page
