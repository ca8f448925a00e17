"""Freezes of the default branch, and the checks of pull requests that were made on the other side of one."""

from __future__ import annotations

from datetime import datetime

from slipway.adapters import deploy_tree
from slipway.adapters.forge import EndedRun, Pull
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import parse_yaml
from slipway.domain.policy import Policy
from slipway.domain.promotion import freeze_of
from slipway.domain.rollout_limit import RolloutLimit

POLICY = "policies/rollout.yaml"
CHECK = "check-manifests.yml"


def merged_limit(model: str, workplace: Workplace) -> RolloutLimit:
    """That of the default branch: a pull request ends no freeze for itself, and one of before it knows the freeze.

    Raises:
        BadFile: the policy there is none.
    """
    head = workplace.forge.head(workplace.forge.default_branch)
    content = None if head is None else workplace.forge.read(head, POLICY)
    if content is None:
        return RolloutLimit()
    return parse_yaml(content, Policy[RolloutLimit], where=POLICY).limit_for(model)


def outdated_check(pull: Pull, *, now: datetime, workplace: Workplace) -> EndedRun | None:
    """The last check of a proposal that says something else than it would say now: a freeze began or ended since.

    None as well where no freeze is about it, and for who proposes no release: nothing is asked for these.
    """
    place = deploy_tree.proposed_by(pull.branch)
    if place is None:
        return None
    environment, model = place
    limit = merged_limit(model, workplace)
    run = workplace.forge.last_run(CHECK, commit=pull.head) if limit.freezes_of(environment) else None
    if run is None:
        return None
    holds_now = freeze_of(environment, limit=limit, now=now) is not None
    held_then = freeze_of(environment, limit=limit, now=run.started) is not None
    is_outdated = run.succeeded if holds_now else held_then and not run.succeeded
    return run if is_outdated else None
