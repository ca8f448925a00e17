"""Gather what the watch said last of all that is deployed, for Prometheus. Reads git and the ledger, asks no server."""

from __future__ import annotations

from datetime import datetime

from slipway.adapters import deploy_tree, known_answers
from slipway.adapters.manifests import Deployed
from slipway.adapters.workplace import Workplace
from slipway.domain.calibrated_limits import held_to
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.incident import HeldTo, Outcome, Window
from slipway.domain.tag import ReleaseTag
from slipway.domain.watched import Watched, WatchExport
from slipway.errors import BadFile

_DAILY = ("reconcile", "watch")  # what leaves a heartbeat


def run(*, now: datetime, workplace: Workplace) -> WatchExport:
    """
    Raises:
        BadFile: a manifest of a model, a policy, or a line of the ledger cannot be read.
    """
    deployed = deploy_tree.everything_deployed(workplace.forge)
    beats = {workflow: workplace.history.heartbeat(workflow) for workflow in _DAILY}
    return WatchExport(
        made_at=now,
        watched=tuple(_watched(model, where, live, workplace) for (where, model), live in sorted(deployed.items())),
        heartbeats={workflow: day for workflow, day in beats.items() if day is not None},
    )


def _watched(model: str, environment: str, live: Deployed | BadFile, workplace: Workplace) -> Watched:
    if isinstance(live, BadFile):
        raise live
    windows = workplace.history.windows(model, environment, version=live.tag)
    incident = workplace.history.open_incident(model, environment)
    quiet = Outcome.QUIET if windows else None
    newest = windows[-1] if windows else None
    canary = deploy_tree.canary(workplace.forge, environment=environment, model=model)
    return Watched(
        model=model,
        environment=environment,
        version=live.tag,
        window=newest,
        outcome=incident.verdicts.outcome if incident else quiet,
        findings=incident.verdicts.findings if incident else (),
        limits=_limits(model, newest, workplace) if newest else (),
        canary=canary.tag if canary else None,
        canary_told=_told_of(canary, environment, live, workplace) if canary else None,
    )


def _told_of(canary: Deployed, environment: str, live: Deployed, workplace: Workplace) -> CanaryVerdicts | None:
    """None where it was judged beside another version, or not yet."""
    found = workplace.history.canary_page(canary.name, environment, canary.tag, CanaryVerdicts)
    both = (canary.digest, live.digest)
    return found.body if found is not None and (found.body.digest, found.body.stable_digest) == both else None


def _limits(model: str, window: Window, workplace: Workplace) -> tuple[HeldTo, ...]:
    """By the policy of the checkout, and by what the reference of that version does by itself."""
    calibration = known_answers.calibration(ReleaseTag.parse(f"{model}@{window.version}"), workplace.history)
    policy = workplace.repository.policies().drift.limit_for(model)
    return held_to(window, calibration, policy)
