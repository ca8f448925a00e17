"""Which rollouts are due: what the manifests name, against what the ledger says of it. No event is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.adapters import deploy_tree, git
from slipway.adapters.disturbances import disturbances
from slipway.adapters.workplace import Workplace
from slipway.domain.pages import Page, key_of
from slipway.domain.promotion import Onward, Stay, Wait, wait_of
from slipway.domain.release import Announcement, Image, Proposal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.errors import SlipwayError, Unreachable


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a manifest of the default branch names, and the commit that brought it there."""

    tag: ReleaseTag
    environment: str
    digest: str
    commit: str

    def reads(self, *, stays: bool) -> dict[str, str]:
        """Of its rollout: an image that comes back after another one is verified again.

        So is one that was only tried, once there is a machine on which it stays.
        """
        what = {"environment": self.environment, "digest": self.digest, "commit": self.commit}
        return what if stays else {**what, "stays": "no"}


def wanted(model: str, *, environment: str, workplace: Workplace) -> Wanted | None:
    """None where the manifest deploys nothing yet.

    Raises:
        BadFile: the manifest cannot be read.
    """
    found = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if found is None:
        return None
    path = deploy_tree.manifest_path(environment, model)
    head = workplace.forge.head(workplace.forge.default_branch) or "HEAD"
    commit = git.last_change_of(workplace.repository.root, head, path, found.digest) or head
    return Wanted(ReleaseTag.parse(f"{model}@{found.tag}"), environment, found.digest, commit)


def due(workplace: Workplace, *, stays: bool = True, now: datetime | None = None) -> tuple[tuple[str, str], ...]:
    """The environments and models with a rollout that was not verified, not announced, or not proposed further.

    Where nothing `stays` when a run has ended, to have been tried is enough. What waits for the next environment is due
    when it may go on, and not before. One that cannot be looked at counts: whoever rolls it out says what is wrong.
    """
    git.fetch(workplace.repository.root)
    found = deploy_tree.everything_deployed(workplace.forge)
    look = _Look(workplace, stays=stays, now=now or datetime.now(UTC))
    return tuple((environment, model) for environment, model in found if _is_due(environment, model, look))


def onward(workplace: Workplace, *, now: datetime | None = None) -> tuple[Onward, ...]:
    """What was verified and is still to be proposed further; what cannot be looked at is left out."""
    if len(workplace.settings.environments) == 1:
        return ()
    git.fetch(workplace.repository.root)
    look = _Look(workplace, stays=False, now=now or datetime.now(UTC))
    found = (_onward(*place, look) for place in deploy_tree.everything_deployed(workplace.forge))
    return tuple(one for one in found if one is not None)


def next_environment(rollout: Wanted, workplace: Workplace) -> str | None:
    """Where the version of a verified rollout is to be proposed next; None where it was, or where it is not wanted.

    Whether it may be now is another question: `wait_for`.

    It is not wanted where that version or a higher one runs already, nor while an image that was built for it later
    has not passed the environments before.
    """
    following = workplace.settings.after(rollout.environment)
    image = workplace.history.page(rollout.tag, Image)
    if following is None or image is None or image.body.digest != rollout.digest:
        return None
    live = deploy_tree.deployed(workplace.forge, environment=following, model=rollout.tag.model)
    if live is not None and ReleaseTag.parse(f"{rollout.tag.model}@{live.tag}").precedence >= rollout.tag.precedence:
        return None
    is_proposed = _is_proposed(rollout.tag, following, live.digest if live else "none", workplace)
    return None if is_proposed else following


def wait_for(
    following: str, rollout: Wanted, workplace: Workplace, *, verified: Iterable[Page[Rollout]], now: datetime
) -> Wait | None:
    """Why a version must not be proposed for the next environment yet; None where it may, or was never verified.

    Its hours count from the moment at which its rollout was first verified, as the page tells beside what it says: that
    page is written once for a digest and the commit that brought it. So a rerun prolongs nothing, and what comes back
    after another version soaks anew.
    """
    since = _verified_at(rollout, verified)
    if since is None:
        return None
    stay = Stay(
        environment=rollout.environment,
        since=since,
        disturbances=disturbances(rollout.tag, rollout.environment, history=workplace.history),
        held=_held(rollout.tag, workplace),
    )
    limit = workplace.repository.policies().rollout.limit_for(rollout.tag.model)
    return wait_of(stay, following=following, limit=limit, now=now)


@dataclass(frozen=True, slots=True)
class _Look:
    """What all that is deployed is looked at with."""

    workplace: Workplace
    stays: bool
    now: datetime


def _is_due(environment: str, model: str, look: _Look) -> bool:
    try:
        found = wanted(model, environment=environment, workplace=look.workplace)
        return found is not None and not _is_settled(found, look)
    except SlipwayError:
        return True


def _is_settled(found: Wanted, look: _Look) -> bool:
    enough = {key_of(found.reads(stays=staying)) for staying in {True, look.stays}}
    pages = look.workplace.history.pages(found.tag, Rollout)
    announced = {page.reads["rollout"] for page in look.workplace.history.pages(found.tag, Announcement)}
    if not enough & {page.key for page in pages} & announced:
        return False
    following = next_environment(found, look.workplace)
    return following is None or wait_for(following, found, look.workplace, verified=pages, now=look.now) is not None


def _onward(environment: str, model: str, look: _Look) -> Onward | None:
    try:
        found = wanted(model, environment=environment, workplace=look.workplace)
        following = None if found is None else next_environment(found, look.workplace)
        if found is None or following is None:
            return None
        pages = look.workplace.history.pages(found.tag, Rollout)
        wait = wait_for(following, found, look.workplace, verified=pages, now=look.now)
    except Unreachable:
        raise
    except SlipwayError:
        return None
    return None if _verified_at(found, pages) is None else Onward(found.tag, environment, following, wait)


def _verified_at(rollout: Wanted, pages: Iterable[Page[Rollout]]) -> datetime | None:
    """Where it stays, if it does anywhere; else where it was tried."""
    written = {page.key: page.circumstances.written_at for page in sorted(pages, key=lambda page: -page.number)}
    found = (written.get(key_of(rollout.reads(stays=stays))) for stays in (True, False))
    first = next((moment for moment in found if moment is not None), None)
    return None if first is None else datetime.fromisoformat(first)


def _held(tag: ReleaseTag, workplace: Workplace) -> tuple[str, ...]:
    entry = deploy_tree.quarantined(workplace.forge, model=tag.model, version=tag.image_tag)
    return () if entry is None else (f"{tag.image_tag} is quarantined by {entry.by}: {entry.reason}",)


def _is_proposed(tag: ReleaseTag, environment: str, deployed: str, workplace: Workplace) -> bool:
    """Whether it was with the present verdicts, against what the environment runs now."""
    verdicts = workplace.history.page(tag, Verdicts)
    told = {"verdicts": verdicts.key if verdicts else "", "environment": environment, "deployed": deployed}
    return any(told.items() <= page.reads.items() for page in workplace.history.pages(tag, Proposal))
