"""Tell what runs where, since when, and how it is. Reads git and the ledger, asks no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from slipway.adapters import deploy_tree, rollouts
from slipway.adapters.forge import Pull
from slipway.adapters.manifests import Deployed
from slipway.adapters.workplace import Workplace
from slipway.domain.incident import Outcome
from slipway.domain.policy import QuarantineEntry
from slipway.domain.promotion import Onward
from slipway.domain.release import Image, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import OnItsWay, StatusRow
from slipway.errors import BadFile

Place = tuple[str, str]  # environment and model


def run(*, workplace: Workplace, now: datetime | None = None) -> tuple[StatusRow, ...]:
    """
    Raises:
        BadFile: a manifest of a model, or the quarantine, cannot be read.
    """
    deployed, quarantine = deploy_tree.everything_deployed(workplace.forge), deploy_tree.quarantine(workplace.forge)
    coming = _coming(workplace, now or datetime.now(UTC))
    return tuple(
        _row(model, environment.name, deployed.get((environment.name, model)), quarantine, workplace).model_copy(
            update={"on_its_way": coming.get((environment.name, model), ())}
        )
        for model in workplace.repository.model_names()
        for environment in workplace.settings.environments
    )


def _coming(workplace: Workplace, now: datetime) -> Mapping[Place, tuple[OnItsWay, ...]]:
    """What is to be merged, by its branch, and what waits for its turn."""
    found: dict[Place, tuple[OnItsWay, ...]] = {}
    for pull in workplace.forge.open_pulls():
        if (proposed := _proposed_by(pull)) is not None:
            place, version = proposed
            found[place] = (*found.get(place, ()), OnItsWay(version=version, pull=pull.number))
    for one in rollouts.onward(workplace, now=now):
        place = one.following, one.tag.model
        found[place] = (*found.get(place, ()), _onward(one))
    return found


def _onward(one: Onward) -> OnItsWay:
    return OnItsWay(version=one.tag.image_tag, wait=one.wait, canary=one.is_canary)


def _proposed_by(pull: Pull) -> tuple[Place, str] | None:
    """`release/production/tip/v1.1.0`, and `revert/production/tip/v1.1.0-to-v1.0.0`."""
    parts = pull.branch.split("/")
    if len(parts) != 4 or parts[0] not in ("release", "revert"):
        return None
    return (parts[1], parts[2]), parts[3].rpartition("-to-")[2]


def _row(
    model: str,
    environment: str,
    live: Deployed | BadFile | None,
    quarantine: Sequence[QuarantineEntry],
    workplace: Workplace,
) -> StatusRow:
    if isinstance(live, BadFile):
        raise live
    outcome, issue = _last_outcome(model, environment, live, workplace)
    return StatusRow(
        model=model,
        environment=environment,
        version=live.tag if live else None,
        digest=live.digest if live else None,
        since=_since(model, environment, live, workplace),
        outcome=outcome,
        incident=issue,
        quarantined=tuple(entry.version for entry in quarantine if entry.model == model),
        in_audit=_in_audit(model, live, workplace),
        runtime=_runtime(model, live, workplace),
    )


def _since(model: str, environment: str, live: Deployed | None, workplace: Workplace) -> str | None:
    if live is None:
        return None
    tag = ReleaseTag.parse(f"{model}@{live.tag}")
    rollouts = [page.body for page in workplace.history.pages(tag, Rollout)]
    days = [one.live_since for one in rollouts if one.environment == environment and not one.canary]
    return days[-1].isoformat() if days else None


def _runtime(model: str, live: Deployed | None, workplace: Workplace) -> str | None:
    if live is None:
        return None
    images = workplace.history.pages(ReleaseTag.parse(f"{model}@{live.tag}"), Image)
    return next((page.body.runtime_digest for page in images if page.body.digest == live.digest), None)


def _in_audit(model: str, live: Deployed | None, workplace: Workplace) -> int | None:
    """By the newest verdicts of the version that is live."""
    if live is None:
        return None
    verdicts = workplace.history.page(ReleaseTag.parse(f"{model}@{live.tag}"), Verdicts)
    return None if verdicts is None else sum(finding.would_refuse for finding in verdicts.body.findings)


def _last_outcome(
    model: str, environment: str, live: Deployed | None, workplace: Workplace
) -> tuple[str | None, int | None]:
    """What the newest rollout or window said, and the number of the issue that is open about it."""
    failed = workplace.history.open_rollout(model, environment)
    if failed is not None:
        return "rollout failed", failed.issue
    incident = workplace.history.open_incident(model, environment)
    if incident is not None:
        return str(incident.verdicts.outcome), incident.issue
    windows = workplace.history.windows(model, environment, version=live.tag) if live else ()
    return (f"{Outcome.QUIET}, to {windows[-1].end}" if windows else None), None
