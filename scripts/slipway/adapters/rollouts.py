"""Which rollouts are due: what the manifests name, against what the ledger says of it. No event is asked.

A canary is one, too; what follows from it, all of the traffic, is proposed as the next environment is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.adapters import canaries, deploy_tree, failed_rollouts, git, known_answers
from slipway.adapters.canaries import Trial
from slipway.adapters.disturbances import disturbances
from slipway.adapters.wanted_rollouts import Wanted, wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.pages import Page, key_of
from slipway.domain.promotion import Onward, Stay, Wait, wait_of, wait_of_canary
from slipway.domain.release import Announcement, Image, Proposal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.errors import SlipwayError, Unreachable


def due(workplace: Workplace, *, stays: bool = True, now: datetime | None = None) -> tuple[tuple[str, str], ...]:
    """The environments and models with a rollout that was not verified, not announced, or not proposed further.

    Where nothing `stays` when a run has ended, to have been tried is enough. What waits for the next environment is due
    when it may go on, and not before. One that cannot be looked at counts: whoever rolls it out says what is wrong.
    """
    git.fetch(workplace.repository.root)
    found = deploy_tree.everything_deployed(workplace.forge)
    look = _Look(workplace, stays=stays, now=now or datetime.now(UTC))
    return tuple((environment, model) for environment, model in found if _is_due(environment, model, look))


def onward(
    workplace: Workplace, *, now: datetime | None = None, places: Collection[tuple[str, str]] | None = None
) -> tuple[Onward, ...]:
    """What was verified and is still to be proposed further; what cannot be looked at is left out.

    Of all that is deployed, or of these environments and models alone. A canary goes on to all of the traffic of its
    environment, and to no other before it has that.
    """
    if len(workplace.settings.environments) == 1 and not workplace.settings.rollout_engine.is_cluster:
        return ()
    git.fetch(workplace.repository.root)
    look = _Look(workplace, stays=False, now=now or datetime.now(UTC))
    everywhere = list(deploy_tree.everything_deployed(workplace.forge)) if places is None else sorted(places)
    found = (_onward_of(*place, look) for place in everywhere)
    return tuple(one for both in found for one in both if one is not None)


def wait_for_all(trial: Trial, told: CanaryVerdicts | None, workplace: Workplace, *, now: datetime) -> Wait | None:
    """Why a canary must not be proposed for all of the traffic yet; None where it may, or was never verified."""
    if trial.since is None:
        return None
    held = (*_held(trial.tag, workplace), *_found_bad(trial, workplace))
    stay = Stay(environment=trial.environment, since=trial.since, held=held)
    limit = workplace.repository.policies().rollout.limit_for(trial.tag.model)
    return wait_of_canary(stay, told, limit=limit, now=now)


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
    place = look.workplace
    try:
        found = wanted(model, environment=environment, workplace=place)
        if found is not None and not _is_settled(found, look):
            return True
        trial = canaries.running(model, environment=environment, workplace=place)
        if trial is not None and not _is_trial_settled(trial, look):
            return True
        return len(canaries.left_behind(model, environment=environment, workplace=place)) > 0
    except SlipwayError:
        return True


def _is_trial_settled(trial: Trial, look: _Look) -> bool:
    """It was verified, and waits or was proposed for all; one that failed waits for its withdrawal to be merged."""
    if not canaries.is_recorded(trial, look.workplace):
        return False
    told = canaries.verdicts(trial, look.workplace)
    waits = wait_for_all(trial, told, look.workplace, now=look.now) is not None
    return waits or canaries.is_proposed_for_all(trial, look.workplace)


def _is_settled(found: Wanted, look: _Look) -> bool:
    if known_answers.runs_by_other_means(found.tag, found.environment, look.workplace.history):
        return True
    enough = {key_of(found.reads(stays=staying)) for staying in {True, look.stays}}
    pages = look.workplace.history.pages(found.tag, Rollout)
    announced = {page.reads["rollout"] for page in look.workplace.history.pages(found.tag, Announcement)}
    if not enough & {page.key for page in pages} & announced:
        return False
    following = next_environment(found, look.workplace)
    return following is None or wait_for(following, found, look.workplace, verified=pages, now=look.now) is not None


def _onward_of(environment: str, model: str, look: _Look) -> tuple[Onward | None, ...]:
    return _onward(environment, model, look), _onward_to_all(environment, model, look)


def _onward_to_all(environment: str, model: str, look: _Look) -> Onward | None:
    place = look.workplace
    try:
        trial = canaries.running(model, environment=environment, workplace=place)
        if trial is None or trial.verified is None or canaries.is_proposed_for_all(trial, place):
            return None
        wait = wait_for_all(trial, canaries.verdicts(trial, place), place, now=look.now)
    except Unreachable:
        raise
    except SlipwayError:
        return None
    return Onward(trial.tag, environment, environment, wait)


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
    return () if entry is None else (entry.says_of(tag.image_tag),)


def _found_bad(trial: Trial, workplace: Workplace) -> tuple[str, ...]:
    """More rows may make a bad canary look good again: a person says so, and no later look."""
    found = failed_rollouts.was_worse(trial.canary, workplace)
    return () if found is None else (f"it was found to be bad on {found.seen}, and is to be withdrawn",)


def _is_proposed(tag: ReleaseTag, environment: str, deployed: str, workplace: Workplace) -> bool:
    """Whether it was with the present verdicts, against what the environment runs now."""
    verdicts = workplace.history.page(tag, Verdicts)
    told = {"verdicts": verdicts.key if verdicts else "", "environment": environment, "deployed": deployed}
    return any(told.items() <= page.reads.items() for page in workplace.history.pages(tag, Proposal))
