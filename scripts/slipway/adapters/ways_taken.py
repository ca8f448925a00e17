"""A way back, taken: the manifest and the quarantine in one commit, and whether it is still to be taken."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from slipway.adapters import deploy_tree, failed_rollouts, manifests
from slipway.adapters.forge import Forge
from slipway.adapters.workplace import Workplace
from slipway.domain.limits import Reversion as Means
from slipway.domain.policy import QuarantineEntry
from slipway.domain.rollout_failure import RolloutFailure
from slipway.errors import BranchMoved, ForgeRefused, NotReleasable

log = logging.getLogger(__name__)

_ROLLOUT = "rollout.yml"


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where an environment goes back, and why; what it `withdraws` is a canary beside `back_to`."""

    model: str
    environment: str
    version: str
    back_to: str
    back_to_digest: str
    incident: str
    reason: str
    by: str
    failure: RolloutFailure | None = None
    withdraws: bool = False


def branch_of(way: Way) -> str:
    return f"revert/{way.environment}/{way.model}/{way.version}-to-{way.back_to}"


def is_wanted(failure: RolloutFailure, means: Means, workplace: Workplace) -> bool:
    """Whether there is something to be gone back from; what was verified meanwhile runs after all.

    A run may have been killed that had committed the way back, and had not written that down.
    """
    place = {"environment": failure.environment, "model": failure.model}
    if failure.canary:
        there = deploy_tree.canary(workplace.forge, **place)
        if there is not None and there.digest == failure.digest:
            return failed_rollouts.verified_since(failure, workplace) is None
        stable = deploy_tree.deployed(workplace.forge, **place)
        return stable is not None and stable.digest == failure.back_to_digest and means is Means.COMMIT
    live = deploy_tree.deployed(workplace.forge, **place)
    if live is None or live.digest != failure.digest:
        return live is not None and live.digest == failure.back_to_digest and means is Means.COMMIT
    return failed_rollouts.verified_since(failure, workplace) is None


def refuse_overtaken(way: Way, workplace: Workplace) -> None:
    """Between the measure and the way back, people may have merged another version, or withdrawn the canary."""
    if way.withdraws:
        _refuse_another_canary(way, workplace)
        return
    live = deploy_tree.deployed(workplace.forge, environment=way.environment, model=way.model)
    if live is None or live.tag not in (way.version, way.back_to):
        raise NotReleasable(
            f"{way.environment} runs {live.tag if live else 'nothing'} of {way.model} by now, not {way.version}",
            mend="look at what runs now: slipway measure-drift",
        )


def _refuse_another_canary(way: Way, workplace: Workplace) -> None:
    """One that is gone already may have been withdrawn by a run of ours that was killed."""
    there = deploy_tree.canary(workplace.forge, environment=way.environment, model=way.model)
    if there is not None and there.tag != way.version:
        raise NotReleasable(
            f"the canary of {way.model} in {way.environment} is {there.tag} by now, not {way.version}",
            mend="look at what runs now: slipway status",
        )


def commit_to_default(way: Way, message: str, workplace: Workplace) -> str:
    """On the default branch: the manifest and the quarantine at once.

    Raises:
        ForgeRefused: the branch is protected, also where the forge says so by a conflict.
        BranchMoved: somebody else was faster.
    """
    forge = workplace.forge
    base = _default_head(forge)
    try:
        changes = _changes(way, base, workplace)
        return forge.commit(forge.default_branch, onto=base, changes=changes, message=message)
    except BranchMoved as conflict:
        if forge.head(forge.default_branch) != base:
            raise
        raise ForgeRefused(conflict.problem, mend=conflict.mend) from conflict


def commit_to_branch(way: Way, message: str, workplace: Workplace) -> str:
    """On a branch of its own, written anew on top of the default branch; one that says the same already is left."""
    forge, branch = workplace.forge, branch_of(way)
    base = _default_head(forge)
    changes = _changes(way, base, workplace)
    head = forge.head(branch)
    if head is not None and all(forge.read(head, path) == content for path, content in changes.items()):
        return head
    return forge.commit(branch, onto=head, parent=base, changes=changes, message=message)


def start_rollout(way: Way, forge: Forge) -> str:
    """Why the rollout was not started, if so: a commit by GITHUB_TOKEN starts no workflow by itself.

    It is no failure: every run of rollout.yml finds what is due.
    """
    inputs = {"model": way.model, "environment": way.environment}
    try:
        forge.dispatch_workflow(_ROLLOUT, ref=forge.default_branch, inputs=inputs)
    except ForgeRefused as refused:
        log.warning("%s was not started: %s", _ROLLOUT, refused.problem)
        return refused.problem
    return ""


def _changes(way: Way, base: str, workplace: Workplace) -> dict[str, bytes | None]:
    path = deploy_tree.manifest_path(way.environment, way.model)
    manifest = workplace.forge.read(base, path) or manifests.new_manifest(
        way.model, environment=way.environment, engine=workplace.settings.rollout_engine
    )
    quarantine = workplace.forge.read(base, deploy_tree.QUARANTINE) or manifests.EMPTY_QUARANTINE
    entry = QuarantineEntry(model=way.model, version=way.version, reason=way.reason, by=way.by)
    alone = manifests.without_canary(manifest, name=way.model, where=path)
    if way.withdraws:
        return {path: alone, deploy_tree.QUARANTINE: manifests.add_entry(quarantine, entry)}
    return {  # a canary goes, too: it was judged beside what is left now
        path: manifests.set_image(
            alone,
            name=way.model,
            new_name=f"{workplace.settings.image_registry}/{way.model}",
            tag=way.back_to,
            digest=way.back_to_digest,
            where=path,
        ),
        deploy_tree.QUARANTINE: manifests.add_entry(quarantine, entry),
    }


def _default_head(forge: Forge) -> str:
    head = forge.head(forge.default_branch)
    assert head is not None  # something is deployed, so the branch exists
    return head
