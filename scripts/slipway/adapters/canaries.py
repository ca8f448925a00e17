"""Canaries: which run, since when, what was judged of them, and which left it and were not seen to be gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from slipway.adapters import deploy_tree, git
from slipway.adapters.wanted_rollouts import Wanted, wanted, wanted_canary
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.pages import Page, key_of
from slipway.domain.release import Proposal, Rollout, Withdrawal
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import ReleaseTag


@dataclass(frozen=True, slots=True)
class Trial:
    """A canary and the stable version that answers the rest; `verified` is its rollout, None until that is so."""

    canary: Wanted
    stable: Wanted
    verified: Page[Rollout] | None

    @property
    def tag(self) -> ReleaseTag:
        return self.canary.tag

    @property
    def environment(self) -> str:
        return self.canary.environment

    @property
    def since(self) -> datetime | None:
        """The moment at which it was verified: from then on its hours count."""
        return None if self.verified is None else datetime.fromisoformat(self.verified.circumstances.written_at)

    @property
    def live_since(self) -> date | None:
        return None if self.verified is None else self.verified.body.live_since


def running(model: str, *, environment: str, workplace: Workplace) -> Trial | None:
    """None where the manifest at the head of the default branch names no canary.

    Raises:
        BadFile: the manifest cannot be read.
        Unreachable: the forge does not answer.
    """
    if deploy_tree.canary(workplace.forge, environment=environment, model=model) is None:
        return None
    git.fetch(workplace.repository.root)  # which commit brought it
    canary = wanted_canary(model, environment=environment, workplace=workplace)
    stable = wanted(model, environment=environment, workplace=workplace)
    if canary is None or stable is None:
        return None
    key = key_of(canary.reads(stays=True))
    pages = [*workplace.history.pages(canary.tag, Rollout), *workplace.release(canary.tag).pages(Rollout)]
    return Trial(canary, stable, next((page for page in pages if page.key == key), None))


def is_recorded(trial: Trial, workplace: Workplace) -> bool:
    """Whether the ledger, and not this machine alone, knows that it was verified."""
    key = key_of(trial.canary.reads(stays=True))
    return any(page.key == key for page in workplace.history.pages(trial.tag, Rollout))


def verdicts(trial: Trial, workplace: Workplace) -> CanaryVerdicts | None:
    """What the ledger says of this very trial last; what was judged of an earlier one of that version is not it."""
    found = workplace.history.canary_page(trial.tag.model, trial.environment, trial.tag.image_tag, CanaryVerdicts)
    is_of_it = found is not None and is_about(found.body, trial)
    return found.body if found is not None and is_of_it else None


def is_about(told: CanaryVerdicts, trial: Trial) -> bool:
    """Also against what: a canary that was good beside one version was never compared with the next."""
    this = (trial.canary.digest, trial.canary.commit, trial.stable.digest)
    return (told.digest, told.commit, told.stable_digest) == this


def is_proposed_for_all(trial: Trial, workplace: Workplace) -> bool:
    """Whether its pull request for all of the traffic was opened, in place of what is stable now.

    One that tells for which trial it was counts for that alone; one of when no policy asked for a canary counts since
    this one runs. As the ledger says: a run that was killed before it wrote that down is to be gone on with.
    """
    if trial.verified is None or trial.since is None:
        return False
    here, began = {"environment": trial.environment, "deployed": trial.stable.digest}, trial.verified.circumstances
    pages = [page for page in workplace.history.pages(trial.tag, Proposal) if here.items() <= page.reads.items()]
    whole = [page for page in pages if page.body.canary is None and page.circumstances.written_at > began.written_at]
    return any(page.reads.get("canary") in (None, passed_on(trial.since)) for page in whole)


def passed_on(since: datetime) -> str:
    """What the page of a proposal says that it read of a canary that passed, by the moment since which it ran."""
    return f"passed on {since.isoformat()}"


def left_behind(model: str, *, environment: str, workplace: Workplace) -> tuple[Wanted, ...]:
    """Canaries that came to life or were tried, are in the manifest no more, and were not seen to be gone.

    Who applies a manifest has to be asked once more: for a Deployment that is in it no more, no rollout is due.
    """
    if not workplace.settings.rollout_engine.is_cluster:
        return ()
    there = wanted_canary(model, environment=environment, workplace=workplace)
    tried = dict.fromkeys(_tried(model, environment, workplace))
    return tuple(one for one in tried if one != there and not is_cleared(one, workplace))


def _tried(model: str, environment: str, workplace: Workplace) -> Iterator[Wanted]:
    history = workplace.history
    for one in history.canaries(model, environment):
        yield Wanted(ReleaseTag.parse(f"{model}@{one.version}"), environment, one.digest, one.commit, is_canary=True)
    for incident in history.failed_rollouts(model, environment):
        failed = history.incident_page(model, environment, incident, RolloutFailure)
        if failed is not None and failed.body.canary:
            tag = ReleaseTag.parse(f"{model}@{failed.body.version}")
            yield Wanted(tag, environment, failed.body.digest, failed.body.commit, is_canary=True)


def is_cleared(canary: Wanted, workplace: Workplace) -> bool:
    """Whether the ledger says that it was seen to be gone from what runs, after it was taken out of the manifest."""
    key = key_of(canary.reads(stays=True))
    return any(page.key == key for page in workplace.history.pages(canary.tag, Withdrawal))
