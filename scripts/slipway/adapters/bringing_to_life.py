"""What a manifest names, brought to life: only what was judged and signed, and with a mark that its commit wears."""

from __future__ import annotations

import logging
from collections.abc import Callable

from slipway.adapters import deploy_tree, signatures
from slipway.adapters.forge import Forge, StatusState
from slipway.adapters.log_places import LogPlace
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout import Rollout as Engine
from slipway.adapters.wanted_rollouts import Wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.log_address import is_table
from slipway.domain.rollout_limit import RolloutLimit
from slipway.errors import NotReleasable, NotSigned, SlipwayError, Unreachable

log = logging.getLogger(__name__)


def refuse_unjudged(found: Wanted, workplace: Workplace) -> None:
    """Nothing runs that was not judged, whatever a manifest says.

    Raises:
        NotReleasable: the ledger never passed it, or it is in quarantine.
    """
    tag = found.tag
    put_back = f"put {deploy_tree.manifest_path(found.environment, tag.model)} back"
    if not workplace.history.passed(tag):
        raise NotReleasable(
            f"{tag}, which the manifest names, has no passing verdicts in the ledger",
            mend=f"release it by its tag, or {put_back}",
        )
    if found.digest not in workplace.history.digests(tag):
        raise NotReleasable(
            f"the manifest names {found.digest[:19]} as {tag}, and no release of {tag} has that image",
            mend=f"record the release's pages, or {put_back}",
        )
    named = f"{tag}, which the manifest names,"
    deploy_tree.refuse_quarantined(
        workplace.forge, model=tag.model, version=tag.image_tag, called=named, otherwise=put_back
    )
    _refuse_opaque(found, workplace)


def _refuse_opaque(found: Wanted, workplace: Workplace) -> None:
    """It may be no server of ours at all, and runs by other means."""
    baseline = workplace.history.baseline(found.tag)
    if baseline is not None and baseline.is_opaque:
        raise NotReleasable(
            f"{found.tag} was adopted by its digest alone: Slipway neither starts nor asks it",
            mend="let what ran it go on; the release that comes after it is rolled out",
        )


def refuse_unsigned(found: Wanted, workplace: Workplace) -> None:
    """
    Raises:
        NotSigned: slipway.yaml names keys, and none of them signed that digest.
    """
    tag, path = found.tag, deploy_tree.manifest_path(found.environment, found.tag.model)
    put_back = f"put {path} back"
    try:
        signatures.verify(tag.model, found.digest, workplace=workplace, mend=put_back)
    except NotSigned as unsigned:
        signing = signatures.how_to_sign(tag, found.digest, workplace=workplace)
        raise NotSigned(unsigned.problem, mend=f"{put_back}; or, if {tag} is yours, {signing}") from None


def apply(found: Wanted, workplace: Workplace, engine: Engine, *, examine: Callable[[Live], None] | None) -> Live:
    """Bring it to life by the files of its image; `examine` is asked before it takes the traffic, where an engine can.

    Raises:
        RolloutFailed: it never became ready, or `examine` refused it.
    """
    files = pull_model_layer(workplace.registry, found.tag.model, found.digest, workplace.layers)
    log.info("rolling out %s in %s", found.tag, found.environment)
    return engine.apply(
        Deployment(
            model=found.tag.model,
            environment=found.environment,
            version=found.tag.image_tag,
            digest=found.digest,
            image=f"{workplace.settings.image_registry}/{found.tag.model}:{found.tag.image_tag}@{found.digest}",
            commit=found.commit,
            model_directory=files["model.onnx"].parent,
            served_log=_where_servers_log(workplace),
            log_mode=workplace.settings.log_mode,
            ready_seconds=limit_of(found, workplace).ready_seconds,
            examine=examine,
            is_canary=found.is_canary,
        )
    )


def limit_of(found: Wanted, workplace: Workplace) -> RolloutLimit:
    return workplace.repository.policies().rollout.limit_for(found.tag.model)


def mark_verified(found: Wanted, told: str, forge: Forge) -> None:
    """So that the list of commits shows what runs."""
    forge.set_status(found.commit, context=_context(found), state="success", description=told)


def mark_failed(found: Wanted, failure: SlipwayError, forge: Forge) -> None:
    """Show the attempt; where even that is refused, the failure itself is still the one that is told."""
    state: StatusState = "error" if isinstance(failure, Unreachable) else "failure"
    told = f"{found.tag}: {failure.problem.splitlines()[0]}"
    try:
        forge.set_status(found.commit, context=_context(found), state=state, description=told)
    except SlipwayError as refused:
        log.warning("the commit %s could not be marked: %s", found.commit[:12], refused.problem)


def _where_servers_log(workplace: Workplace) -> str | None:
    """Nowhere, if the log is a table: whoever calls the server, or reads its answers, writes that."""
    address = workplace.settings.served_log
    return None if is_table(address) else LogPlace.address_from(address, root=workplace.repository.root)


def _context(found: Wanted) -> str:
    """The name of the mark that the commit of the manifest gets."""
    mark = f"slipway/{found.environment}/{found.tag.model}"
    return f"{mark}/canary" if found.is_canary else mark
