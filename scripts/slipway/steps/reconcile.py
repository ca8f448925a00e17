"""Compute what should have happened: tags against the ledger, windows against the calendar.

Nothing depends on an event arriving; what was missed is found here and run in ascending order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from slipway.adapters import deploy_tree, git
from slipway.adapters.forge import Forge
from slipway.adapters.workplace import Workplace
from slipway.domain.release import Identity, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import MissedHeartbeat, MovedTag, Reconciliation

_MOST_RELEASES = 5  # a run: a flood of tags must not hide one that fails
_MISSED_WINDOWS = 2


def run(*, today: date, workplace: Workplace) -> Reconciliation:
    root = workplace.repository.root
    git.fetch(root)
    tags = git.release_tags(root)
    declared = set(workplace.repository.model_names())
    first = {model: min(versions) for model in declared if (versions := workplace.history.versions(model))}
    known = [tag for tag in tags if tag.model in declared]
    too_old = [tag for tag in known if tag.model in first and tag.version < first[tag.model]]
    open_ones = [tag for tag in known if tag not in too_old and workplace.history.page(tag, Verdicts) is None]
    due = [tag for tag in open_ones if _can_be_released(tag, workplace)]
    return Reconciliation(
        due=tuple(str(tag) for tag in due[:_MOST_RELEASES]),
        moved=tuple(found for tag in known if (found := _moved(tag, workplace)) is not None),
        deleted=_deleted(tags, workplace),
        too_old=tuple(str(tag) for tag in too_old),
        missed=_missed(declared, today, workplace),
    )


def start(due: Iterable[str], *, workflow: str, forge: Forge) -> None:
    """Start the release of each tag, in the order given: those of one model wait for each other."""
    for tag in due:
        inputs = {"tag": tag, "model": ReleaseTag.parse(tag).model}
        forge.dispatch_workflow(workflow, ref=forge.default_branch, inputs=inputs)


def _can_be_released(tag: ReleaseTag, workplace: Workplace) -> bool:
    """What is refused each time it is tried must not stand before what is not."""
    forge, root = workplace.forge, workplace.repository.root
    found, head = git.resolve_tag(root, str(tag)), forge.head(forge.default_branch)
    return (
        found.annotated
        and head is not None
        and git.is_ancestor(root, found.commit, head)
        and deploy_tree.quarantined(forge, model=tag.model, version=tag.image_tag) is None
        and not _is_below_deployed(tag, workplace)
    )


def _is_below_deployed(tag: ReleaseTag, workplace: Workplace) -> bool:
    live = (
        deploy_tree.deployed(workplace.forge, environment=environment.name, model=tag.model)
        for environment in workplace.settings.environments
    )
    return any(one is not None and ReleaseTag.parse(f"{tag.model}@{one.tag}").version > tag.version for one in live)


def _moved(tag: ReleaseTag, workplace: Workplace) -> MovedTag | None:
    page = workplace.history.page(tag, Identity)
    now = git.resolve_tag(workplace.repository.root, str(tag)).object_id
    if page is None or page.body.tag_object == now:
        return None
    return MovedTag(tag=str(tag), recorded=page.body.tag_object, now=now)


def _deleted(tags: tuple[ReleaseTag, ...], workplace: Workplace) -> tuple[str, ...]:
    there = set(tags)
    recorded = (
        ReleaseTag(model, version)
        for model in workplace.history.models()
        for version in workplace.history.versions(model)
    )
    return tuple(str(tag) for tag in recorded if tag not in there)


def _missed(models: set[str], today: date, workplace: Workplace) -> tuple[MissedHeartbeat, ...]:
    policies = workplace.repository.policies()
    missed = []
    for environment in workplace.settings.environments:
        for model in sorted(models):
            live = deploy_tree.deployed(workplace.forge, environment=environment.name, model=model)
            if live is None:
                continue
            windows = workplace.history.windows(model, environment.name, version=live.tag)
            last = windows[-1].end if windows else None
            since = last or _live_since(ReleaseTag.parse(f"{model}@{live.tag}"), environment.name, workplace)
            patience = timedelta(days=_MISSED_WINDOWS * policies.drift.limit_for(model).window_days)
            if since is None or since + patience < today:
                missed.append(MissedHeartbeat(model=model, environment=environment.name, last=last))
    return tuple(missed)


def _live_since(tag: ReleaseTag, environment: str, workplace: Workplace) -> date | None:
    """None where its rollout was never verified."""
    rollouts = [page.body for page in workplace.history.pages(tag, Rollout)]
    return next((one.live_since for one in reversed(rollouts) if one.environment == environment), None)
