"""What the watch looks at: which version of a model runs in an environment, since when, and what could run instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from slipway.adapters import deploy_tree, released, ways_back
from slipway.adapters.manifests import Deployed
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.domain import commands
from slipway.domain.baseline import Measured
from slipway.domain.calibration import Calibration
from slipway.domain.evidence import Evidence, MetricsEvidence
from slipway.domain.identity import Identity
from slipway.domain.incident import IssueAction, IssueFiled, Window, WindowEvidence, is_of_watch
from slipway.domain.model import Model
from slipway.domain.policy import Policies
from slipway.domain.release import Proposal, Rollout
from slipway.domain.tag import ReleaseTag
from slipway.domain.unlabelled import UnlabelledCheck
from slipway.errors import NotReleasable
from slipway.maths.profile import ColumnProfile, profiles_from_json


@dataclass(frozen=True, slots=True)
class Watched:
    """What runs, since when, and what could run instead.

    `output_profile` tells what it answered at its release; it is empty where that was not kept.
    """

    tag: ReleaseTag
    environment: str
    digest: str
    live_since: date
    model: Model
    at_release: MetricsEvidence
    calibration: Calibration | None
    unlabelled: UnlabelledCheck | None
    output_profile: Mapping[str, ColumnProfile]
    back_to: ReleaseTag | None
    held: tuple[str, ...]
    layers: dict[str, Path]
    named_metrics: tuple[str, ...]
    earlier: tuple[Window, ...]
    open_incident: str | None

    def file(self, name: str) -> Path:
        return self.layers[name]


def deployed_now(model: str, environment: str, until: date, policies: Policies, workplace: Workplace) -> Watched:
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        raise NotReleasable(f"{environment} runs no version of {model} yet", mend="merge a release's pull request")
    tag = ReleaseTag.parse(f"{model}@{live.tag}")
    live_since = _live_since(tag, environment, live, workplace)
    before = back_to(tag, environment, workplace)
    return _watched(
        tag,
        environment,
        live.digest,
        live_since=live_since,
        before=before,
        held=ways_back.held(tag, above=before, workplace=workplace),
        earlier=_earlier(tag, environment, since=live_since, until=until, workplace=workplace),
        open_incident=_open_incident(model, environment, workplace),
        policies=policies,
        workplace=workplace,
    )


def deployed_then(recorded: WindowEvidence, policies: Policies, workplace: Workplace) -> Watched:
    model, window = recorded.model, recorded.window
    tag = ReleaseTag.parse(f"{model}@{window.version}")
    rollouts = (page.body for page in workplace.history.pages(tag, Rollout))
    began = [one.live_since for one in rollouts if one.environment == recorded.environment and not one.canary]
    return _watched(
        tag,
        recorded.environment,
        recorded.digest,
        live_since=max((day for day in began if day <= window.start), default=window.start),
        before=None if recorded.back_to is None else ReleaseTag.parse(f"{model}@{recorded.back_to}"),
        held=recorded.way_back.held,
        earlier=recorded.earlier,
        open_incident=recorded.open_incident,
        policies=policies,
        workplace=workplace,
    )


def _watched(
    tag: ReleaseTag,
    environment: str,
    digest: str,
    *,
    live_since: date,
    before: ReleaseTag | None,
    held: tuple[str, ...],
    earlier: tuple[Window, ...],
    open_incident: str | None,
    policies: Policies,
    workplace: Workplace,
) -> Watched:
    model, then = _as_it_was(tag, environment, workplace)
    named = policies.metrics.limit_for(tag.model).named(model.decision.kind)
    return Watched(
        tag=tag,
        environment=environment,
        digest=digest,
        live_since=live_since,
        model=model,
        at_release=then.metrics,
        calibration=then.calibration,
        unlabelled=then.unlabelled,
        output_profile=profiles_from_json(then.output_profile or {}),
        back_to=before,
        held=held,
        layers=pull_model_layer(workplace.registry, tag.model, digest, workplace.layers),
        named_metrics=tuple(named),
        earlier=earlier,
        open_incident=open_incident,
    )


def _as_it_was(tag: ReleaseTag, environment: str, workplace: Workplace) -> tuple[Model, Evidence | Measured]:
    """What the watch compares with: what was found at the release, or when it was adopted."""
    baseline = workplace.history.baseline(tag)
    if baseline is not None:
        if baseline.declaration is None or baseline.measured is None:
            raise NotReleasable(
                f"{tag} runs in {environment}, and was adopted without answers to compare with: {baseline.note}",
                mend="nothing is to be done: the watch begins with the release that comes after it",
            )
        return baseline.declaration, baseline.measured
    identity, evidence = workplace.history.page(tag, Identity), workplace.history.page(tag, Evidence)
    if identity is None or evidence is None:
        raise NotReleasable(
            f"{tag} runs in {environment}, and the ledger has no page of its release",
            mend="release it by its tag, so that there is something to compare with",
        )
    return identity.body.declaration, evidence.body


def back_to(tag: ReleaseTag, environment: str, workplace: Workplace) -> ReleaseTag | None:
    """The version that ran before, or else the highest lower one that passed; never one in quarantine.

    Another revision is the same model and could do no better, so what it replaced is looked at.
    """
    before = _ran_before(tag, environment, workplace)
    while before is not None and before.version == tag.version and before.revision < tag.revision:
        tag, before = before, _ran_before(before, environment, workplace)
    if before is not None and not deploy_tree.quarantined(
        workplace.forge, model=before.model, version=before.image_tag
    ):
        return before
    return released.highest_passed(tag.model, workplace, below=tag.version)


def _ran_before(tag: ReleaseTag, environment: str, workplace: Workplace) -> ReleaseTag | None:
    """What `tag` replaced in an environment, as its last proposal there tells."""
    proposals = [page.body for page in workplace.history.pages(tag, Proposal)]
    replaced = [one.replaces for one in proposals if one.environment == environment and one.replaces != tag.image_tag]
    return ReleaseTag.parse(f"{tag.model}@{replaced[-1]}") if replaced and replaced[-1] else None


def _live_since(tag: ReleaseTag, environment: str, live: Deployed, workplace: Workplace) -> date:
    rollouts = workplace.history.pages(tag, Rollout)
    days = [page.body.live_since for page in rollouts if page.body.environment == environment and not page.body.canary]
    baseline = workplace.history.baseline(tag)
    if baseline is not None and not days:
        return datetime.fromisoformat(baseline.when).date()
    if not days:
        raise NotReleasable(
            f"the rollout of {tag} ({live.digest[:19]}) in {environment} was never verified",
            mend=commands.verify_rollout(tag.model, environment=environment),
        )
    return days[-1]


def _earlier(
    tag: ReleaseTag, environment: str, *, since: date, until: date, workplace: Workplace
) -> tuple[Window, ...]:
    windows = workplace.history.windows(tag.model, environment, version=tag.image_tag)
    return tuple(window for window in windows if since <= window.start and window.end < until)


def _open_incident(model: str, environment: str, workplace: Workplace) -> str | None:
    """The newest incident that has an issue, unless that was closed. A way back that a person asked for has none."""
    for incident in filter(is_of_watch, reversed(workplace.history.incidents(model, environment))):
        issue = workplace.history.incident_page(model, environment, incident, IssueFiled)
        if issue is not None:
            return None if issue.body.action is IssueAction.CLOSED else incident
    return None
