"""Where one release ran, runs or would run: the rollouts of the ledger beside the manifests of the default branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, zip_longest
from pathlib import Path

from slipway.adapters import deploy_tree, merges
from slipway.adapters.clone import Clone
from slipway.adapters.history import History
from slipway.adapters.incidents import IncidentPages
from slipway.adapters.ledger import Ledger
from slipway.adapters.manifests import Deployed
from slipway.adapters.merges import Change
from slipway.adapters.release_pages import ReleasePages
from slipway.domain.baseline import Baseline
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.explanation import Place, Standing, Stay
from slipway.domain.pages import Page, parse_page
from slipway.domain.release import Proposal, Rollout, Withdrawal


@dataclass(frozen=True, slots=True)
class Lived:
    """Something that got all of an environment's traffic, from `since`; `at` is when that was written down."""

    version: str
    digest: str
    since: date
    at: str
    stays: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """One environment, as one release is looked at in it; `lived` is all that ever ran there, oldest first.

    `tried` is what it was judged to be as a canary, oldest first.
    """

    environment: str
    repository: Path
    pages: ReleasePages
    lived: tuple[Lived, ...]
    changes: tuple[Change, ...]
    incidents: tuple[IncidentPages, ...]
    now: Deployed | None
    canary: Deployed | None
    tried: tuple[Page[CanaryVerdicts], ...] = ()

    @property
    def before(self) -> tuple[str, ...]:
        """What ran there before it, newest first, each once."""
        digests = self.pages.images
        at = [index for index, one in enumerate(self.lived) if one.digest in digests]
        earlier = self.lived[: at[-1]] if at else self.lived
        versions = [one.version for one in reversed(earlier) if one.digest not in digests]
        merged = [change.before for change in self.changes if change.is_in and change.before]
        return tuple(dict.fromkeys(one for one in (*versions, *merged) if one != self.pages.tag.image_tag))


def look(environment: str, pages: ReleasePages, incidents: tuple[IncidentPages, ...], clone: Clone) -> Seen:
    """
    Raises:
        BadFile: a page or the manifest of today cannot be read.
    """
    model = pages.tag.model
    head, path = clone.head(clone.default_branch), deploy_tree.manifest_path(environment, model)
    return Seen(
        environment=environment,
        repository=clone.repository,
        pages=pages,
        lived=_lived(model, environment, Ledger(clone)),
        changes=merges.changes_of(clone.repository, head, path, model=model, digests=pages.images),
        incidents=incidents,
        now=deploy_tree.deployed(clone, environment=environment, model=model),
        canary=deploy_tree.canary(clone, environment=environment, model=model),
        tried=tuple(History(Ledger(clone)).canary_pages(model, environment, pages.tag.image_tag, CanaryVerdicts)),
    )


def told(seen: Seen) -> Place | None:
    """None where it never came near."""
    standing = _standing(seen)
    if standing is None:
        return None
    proposals = _proposals(seen)
    pulls = tuple(dict.fromkeys(one.pull for one in proposals if one.pull is not None))
    return Place(
        environment=seen.environment,
        standing=standing,
        runs_now=seen.now.tag if seen.now else None,
        instead_of=_instead_of(seen, proposals),
        stays=(*_canary_stays(seen), *_stays(seen)),
        merges=tuple(change.merge for change in seen.changes if change.is_in),
        pulls=pulls,
    )


def _standing(seen: Seen) -> Standing | None:
    digests = seen.pages.images
    failed = [one for one in seen.incidents if one.failure is not None]
    if seen.now is not None and seen.now.digest in digests:
        return _standing_of_what_is_named(seen, failed)
    if seen.canary is not None and seen.canary.digest in digests:
        return Standing.CANARY
    if _stays(seen):
        return Standing.RAN
    if failed:
        return Standing.WAS_FAILED
    if seen.changes or _canary_stays(seen):
        return Standing.WAS_MERGED
    return Standing.PROPOSED if any(one.pull is not None for one in _proposals(seen)) else None


def _standing_of_what_is_named(seen: Seen, failed: Sequence[IncidentPages]) -> Standing:
    if seen.lived and seen.lived[-1].digest in seen.pages.images:
        return Standing.RUNS
    merged = [change.merge.commit for change in seen.changes if change.is_in]
    commits = [one.failure.body.commit for one in failed if one.failure is not None]
    is_of_it = any(merges.was_brought_by(seen.repository, commit, merged[-1]) for commit in commits if merged)
    return Standing.FAILED if is_of_it else Standing.MERGED


def _stays(seen: Seen) -> tuple[Stay, ...]:
    """Its own times in the order of all; what was verified twice in a row is one time."""
    runs = [next(of_one) for _, of_one in groupby(seen.lived, key=lambda one: one.digest)]
    return tuple(
        _stay(one, following, seen) for one, following in zip_longest(runs, runs[1:]) if one.digest in seen.pages.images
    )


def _stay(one: Lived, following: Lived | None, seen: Seen) -> Stay:
    if following is None:
        return Stay(since=one.since, until=_taken_out(seen), remained=one.stays)
    return Stay(since=one.since, until=following.since, followed_by=following.version, remained=one.stays)


def _taken_out(seen: Seen) -> date | None:
    """The day of the commit after which no manifest names it any more, where nothing was verified since."""
    last = seen.changes[-1] if seen.changes else None
    return None if last is None or last.is_in else datetime.fromisoformat(last.merge.at).date()


def _canary_stays(seen: Seen) -> tuple[Stay, ...]:
    rollouts = [one for one in seen.pages.all(Rollout) if one.body.environment == seen.environment and one.body.canary]
    if not rollouts:
        return ()
    gone = [one for one in seen.pages.all(Withdrawal) if one.body.environment == seen.environment]
    whole = [one.since for one in seen.lived if one.digest in seen.pages.images]
    ends = [*whole, *(datetime.fromisoformat(one.circumstances.written_at).date() for one in gone)]
    since = rollouts[0].body.live_since
    return (Stay(since=since, until=min((end for end in ends if end >= since), default=None), canary=True),)


def _proposals(seen: Seen) -> list[Proposal]:
    return [one.body for one in seen.pages.all(Proposal) if one.body.environment == seen.environment]


def _instead_of(seen: Seen, proposals: Sequence[Proposal]) -> str | None:
    merged = [change.before for change in seen.changes if change.is_in]
    told_by_pulls = [one.replaces for one in proposals]
    others = [one for one in (*told_by_pulls, *merged) if one and one != seen.pages.tag.image_tag]
    return others[-1] if others else None


def _lived(model: str, environment: str, ledger: Ledger) -> tuple[Lived, ...]:
    pages = [
        parse_page(Rollout, content, where=f"ledger:{path}")
        for path, content in ledger.pages_of_kind(Rollout.kind, under=model).items()
    ]
    found = [_as_lived(one) for one in pages if one.body.environment == environment and not one.body.canary]
    found += _adopted(model, environment, ledger)
    return tuple(sorted(found, key=lambda one: (one.since, one.at)))


def _adopted(model: str, environment: str, ledger: Ledger) -> list[Lived]:
    """What a person said that it ran when Slipway came."""
    told = [
        parse_page(Baseline, content, where=f"ledger:{path}").body
        for path, content in ledger.pages_of_kind(Baseline.kind, under=model).items()
    ]
    return [
        Lived(one.version, one.image, datetime.fromisoformat(one.when).date(), one.when)
        for one in told
        if one.environment == environment and one.image
    ]


def _as_lived(page: Page[Rollout]) -> Lived:
    body = page.body
    return Lived(body.version, body.digest, body.live_since, page.circumstances.written_at, body.stays)
