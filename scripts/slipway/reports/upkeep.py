"""What is due, and what only a person can mend: a list for the terminal, and two issues that close by themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slipway.domain.pages import Page
from slipway.domain.release import Attempt, JobResult
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import Reconciliation
from slipway.reports import rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown, called, code
from slipway.reports.marker import marker

UPKEEP_TITLE = "Upkeep: this needs a person"

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:/_-]+")


def reconciliation_text(found: Reconciliation) -> str:
    """A line each, for the terminal."""
    lines = [
        *(f"due: {tag}" for tag in found.due),
        *(f"due on a later day: {tag}" for tag in found.waiting),
        *(f"under way: {tag}" for tag in found.under_way),
        *(f"to be rolled out: {one.model} in {one.environment}" for one in found.rollouts),
        *(f"to be checked again, for a freeze began or ended: pull request #{one.pull}" for one in found.checks),
        *(f"ends in errors, and is not tried again: {tag}" for tag in found.stuck),
        *(f"too old to release: {tag}" for tag in found.too_old),
        *(f"moved: {one.tag}, recorded as {one.recorded[:12]}, now {one.now[:12]}" for one in found.moved),
        *(f"deleted: {tag}" for tag in found.deleted),
        *(f"rewritten: ledger:{one.path}, by {one.commit[:12]}" for one in found.rewritten),
        *(f"not watched: {one.model} in {one.environment}, last {one.last or 'never'}" for one in found.missed),
        *(f"stopped: {one.workflow}, last run {one.last}" for one in found.stopped),
        *(f"not looked at: {one.subject}: {one.problem}\n  mend: {one.mend}" for one in found.unknown),
    ]
    return "\n".join(lines)


def upkeep_issue(found: Reconciliation) -> str:
    """The body of the one issue of a repository about its upkeep, in Markdown."""
    text = rendering.markdown("upkeep", found=found)
    return cut_at_a_line(text, whole="`slipway reconcile`", ending=marker(kind="upkeep"))


def stuck_release_title(tag: ReleaseTag) -> str:
    return f"{tag} has no verdict: its runs end in errors"


def stuck_release_issue(tag: ReleaseTag, attempts: Sequence[Page[Attempt]], *, owners: Sequence[str]) -> str:
    """The body of the one issue to the owners of a release that is not tried again, in Markdown.

    Args:
        tag: the release.
        attempts: its runs, oldest first.
        owners: as model.yaml names them, `@user` or `@organisation/team`; empty where it cannot be read.
    """
    text = rendering.markdown(
        "stuck_release",
        tag=str(tag),
        owners=Markdown(" ".join(map(called, owners))),
        attempts=[(page.circumstances.written_at[:10], _ended(page.body), _link(page)) for page in attempts],
    )
    whole = f"branch `ledger`, folder `{tag.model}/{tag.image_tag}/`"
    return cut_at_a_line(text, whole=whole, ending=marker(kind="stuck", tag=str(tag)))


def _ended(attempt: Attempt) -> str:
    """What was skipped waited for one that broke off."""
    broke_off = (JobResult.FAILURE, JobResult.CANCELLED)
    broken = [f"{job}: {result}" for job, result in attempt.jobs.items() if result in broke_off]
    return ", ".join(broken) or "its verdict led to no pull request"


def _link(page: Page[Attempt]) -> Markdown:
    url = page.circumstances.run_url or ""
    return Markdown(f"<{url}>") if _ADDRESS.fullmatch(url) else code(page.circumstances.host)
