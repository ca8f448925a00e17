"""Write what runs where as pages that need no server: an overview, and one page a model. Reads git and the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from slipway.adapters import everything_running, moments, site, whole_ledger
from slipway.adapters.approvals import Approvals, approvals
from slipway.adapters.place_stories import Stories
from slipway.adapters.releases_told import all_releases
from slipway.adapters.whole_ledger import WholeLedger
from slipway.adapters.workplace import Workplace
from slipway.domain.status_site import ModelStory, SiteFacts, StatusSite, summary_of
from slipway.domain.upkeep import Status
from slipway.reports.status_page import INDEX, model_file, model_html, overview_html

log = logging.getLogger(__name__)
_TELL_EVERY = 100  # models


def run(*, out: Path, now: datetime, workplace: Workplace, dry_run: bool = False) -> StatusSite:
    """Make `out` hold the pages and nothing else; equal branches give equal bytes.

    Raises:
        BadFile: `out` holds what no status page wrote, or something of git or the ledger cannot be read.
    """
    site.refuse_foreign(out)
    ledger = whole_ledger.read(workplace)
    releases = all_releases(ledger)
    seen = everything_running.see(ledger, now=now, tags=[tag for tags in releases.values() for tag in tags])
    status = seen.status(on=None, today=now.date())
    stories = Stories(ledger, seen.told, _history(ledger), _limits(ledger), releases)
    written: dict[str, int] = {}
    files = _counted(_pages(status, stories, _facts(ledger)), written)
    if dry_run:
        for _ in files:
            pass
    else:
        site.publish(out, files)
    return _told(status, written)


def _pages(status: Status, stories: Stories, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    yield INDEX, overview_html(status, summary_of(status.rows), facts).encode()
    for number, story in enumerate(stories.of_models(status.rows), start=1):
        yield _page(story, facts)
        if number % _TELL_EVERY == 0:
            log.info("%s models written", f"{number:,}")


def _page(story: ModelStory, facts: SiteFacts) -> tuple[str, bytes]:
    return model_file(story.model), model_html(story, facts).encode()


def _counted(files: Iterator[tuple[str, bytes]], sizes: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    for name, content in files:
        sizes[name] = len(content)
        yield name, content


def _told(status: Status, sizes: dict[str, int]) -> StatusSite:
    of_models = [size for name, size in sizes.items() if name != INDEX]
    return StatusSite(
        models=len({row.model for row in status.rows}),
        files=len(sizes),
        index_bytes=sizes[INDEX],
        largest_model_bytes=max(of_models, default=0),
    )


def _history(ledger: WholeLedger) -> Approvals:
    return approvals(ledger.moment.repository, ledger.main)


def _limits(ledger: WholeLedger) -> dict[str, float]:
    """The distance that a policy allows; what a single input may do by itself can be more."""
    policy = ledger.workplace.repository.policies().drift
    return {model: policy.limit_for(model).distance for model in ledger.models}


def _facts(ledger: WholeLedger) -> SiteFacts:
    place = ledger.workplace
    return SiteFacts(
        title=place.web.rpartition("/")[2] if place.web else place.repository.root.name,
        ledger=ledger.commit,
        main=ledger.main,
        recorded_at=None if ledger.commit is None else moments.made_at(place.repository.root, ledger.commit),
        web=place.web,
    )
