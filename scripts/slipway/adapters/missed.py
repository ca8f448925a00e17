"""What should have happened by now and did not: looks of the watch, rollouts, checks of pull requests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from slipway.adapters import canaries, deploy_tree, freezing, known_answers, wanted_rollouts
from slipway.adapters import rollouts as promoted
from slipway.adapters.workplace import Workplace
from slipway.domain.release import Rollout
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import DueRollout, MissedHeartbeat, OutdatedCheck

_MISSED_WINDOWS = 2


def windows(place: tuple[str, str], *, today: date, workplace: Workplace) -> MissedHeartbeat | None:
    """The watch of an environment and a model that looked at no window for too long; None where it is in time."""
    environment, model = place
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    tag = None if live is None else ReleaseTag.parse(f"{model}@{live.tag}")
    if live is None or tag is None or known_answers.is_unanswered(tag, workplace.history):
        return None
    seen = workplace.history.windows(model, environment, version=live.tag)
    last = seen[-1].end if seen else None
    since = last or _live_since(tag, environment, workplace)
    drift = workplace.repository.policies().drift.limit_for(model)
    patience = timedelta(days=_MISSED_WINDOWS * drift.window_days)
    if since is not None and since + patience >= today:
        return None
    return MissedHeartbeat(model=model, environment=environment, last=last)


def _live_since(tag: ReleaseTag, environment: str, workplace: Workplace) -> date | None:
    """None where its rollout was never verified."""
    rollouts = [page.body for page in workplace.history.pages(tag, Rollout)]
    whole = [one for one in rollouts if one.environment == environment and not one.canary]
    baseline = workplace.history.baseline(tag)
    if baseline is not None and not whole:
        return datetime.fromisoformat(baseline.when).date()
    return whole[-1].live_since if whole else None


def rollouts(workplace: Workplace, moment: datetime | None) -> dict[str, tuple[str, str]]:
    """By a name for people, environment and model of what was merged and not verified, or may go on by now.

    To have been tried is enough: this runs on a machine that need not be one on which anything stays.
    """
    due = promoted.due(workplace, stays=False, now=moment)
    return {f"{model} in {environment}": (environment, model) for environment, model in due}


def rollout(place: tuple[str, str], *, workplace: Workplace) -> DueRollout | None:
    """One that failed is a person's: what failed last night would fail tonight, in another red run."""
    environment, model = place
    found = wanted_rollouts.wanted(model, environment=environment, workplace=workplace)
    if found is None:
        return None
    mark = f"slipway/{environment}/{model}"
    trial = canaries.running(model, environment=environment, workplace=workplace)
    if _has_failed(found.commit, mark, workplace):
        return None
    if trial is not None and _has_failed(trial.canary.commit, f"{mark}/canary", workplace):
        return None
    return DueRollout(model=model, environment=environment)


def checks(moment: datetime | None, *, workplace: Workplace) -> tuple[OutdatedCheck, ...]:
    """Those of pull requests that a freeze made untrue."""
    now = moment or datetime.now(UTC)
    found = [
        (pull, freezing.outdated_check(pull, now=now, workplace=workplace)) for pull in workplace.forge.open_pulls()
    ]
    return tuple(OutdatedCheck(pull=pull.number, run=run.id) for pull, run in found if run is not None)


def _has_failed(commit: str, mark: str, workplace: Workplace) -> bool:
    found = workplace.forge.statuses(commit).get(mark)
    return found is not None and found.state == "failure"
