"""What happened to one release, each with its moment: from its pages, from git, and from what ran where."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.adapters import git
from slipway.adapters.places import Seen
from slipway.adapters.release_pages import ReleasePages
from slipway.domain.baseline import Baseline
from slipway.domain.explanation import Event, Moment, Tagging
from slipway.domain.incident import IssueAction, IssueFiled
from slipway.domain.pages import BodyT, Page
from slipway.domain.release import Attempt, JobResult, Proposal, Rollout, Verdicts, Withdrawal


def tagging_in_git(tag: git.Tag | None) -> Tagging | None:
    """Of a tag that no release recorded; None where git has none either."""
    if tag is None:
        return None
    at = tag.tagged_at.isoformat() if tag.tagged_at else None
    return Tagging(tag=tag.name, object_id=tag.object_id, by=tag.tagger or "nobody", message=tag.message, at=at)


def of_release(pages: ReleasePages, tagging: Tagging | None) -> Iterator[Event]:
    """In no order."""
    if tagging is not None and tagging.at is not None:
        yield Event(at=tagging.at, what=Moment.TAGGED, by=tagging.by, said=tagging.message)
    for page in pages.all(Baseline):
        told = page.body
        yield Event(at=told.when, what=Moment.ADOPTED, environment=told.environment, by=told.by, said=told.note)
    for attempt in pages.all(Attempt):
        yield Event(at=_at(attempt), what=Moment.BROKE_OFF, said=_broken(attempt.body))
    for judged in pages.all(Verdicts):
        yield Event(at=_at(judged), what=Moment.JUDGED, said=str(judged.body.verdict))
    for filed in pages.all(IssueFiled):
        if filed.body.action is not IssueAction.NONE:
            yield Event(at=_at(filed), what=Moment.ISSUE, number=filed.body.number, said=str(filed.body.action))


def of_changes(seen: Seen) -> Iterator[Event]:
    """In one environment: proposed, merged, verified, taken out; in no order."""
    yield from _proposed(seen)
    for change in seen.changes:
        merge = change.merge
        yield Event(
            at=merge.at,
            what=Moment.MERGED if change.is_in else Moment.TAKEN_OUT,
            environment=seen.environment,
            by=merge.by,
            version=change.before if change.is_in else change.after,
            commit=merge.commit,
            canary=merge.canary,
            said=merge.subject,
        )
    for rollout in seen.pages.all(Rollout):
        if rollout.body.environment == seen.environment:
            yield _verified(rollout)
    for tried in seen.tried:
        verdict = str(tried.body.verdict)
        yield Event(at=_at(tried), what=Moment.CANARY_JUDGED, environment=seen.environment, canary=True, said=verdict)
    for gone in seen.pages.all(Withdrawal):
        if gone.body.environment == seen.environment:
            yield Event(at=_at(gone), what=Moment.WITHDRAWN, environment=seen.environment, canary=True)


def _proposed(seen: Seen) -> Iterator[Event]:
    """Once a pull request, however often it was written anew."""
    told: set[tuple[int, float | None]] = set()
    for page in seen.pages.all(Proposal):
        body = page.body
        if body.environment != seen.environment or body.pull is None or (body.pull, body.canary) in told:
            continue
        told.add((body.pull, body.canary))
        yield Event(
            at=_at(page),
            what=Moment.PROPOSED,
            environment=body.environment,
            version=body.replaces,
            number=body.pull,
            canary=body.canary is not None,
            said="as a draft" if body.draft else "",
        )


def _verified(page: Page[Rollout]) -> Event:
    body = page.body
    return Event(
        at=_at(page),
        what=Moment.WENT_LIVE,
        environment=body.environment,
        commit=body.commit,
        canary=body.canary,
        day=body.live_since,
        said=f"{body.golden_equal} of {body.golden_rows} golden answers",
    )


def _broken(attempt: Attempt) -> str:
    """The jobs that brought it to its end: those that were skipped followed from them."""
    ended = (JobResult.FAILURE, JobResult.CANCELLED)
    return ", ".join(f"{name} {end}" for name, end in attempt.jobs.items() if end in ended)


def _at(page: Page[BodyT]) -> str:
    return page.circumstances.written_at
