"""See that what the manifest names is what answers, and that it gives the answers it was judged by."""

from __future__ import annotations

import logging
from datetime import date

from slipway.adapters import deploy_tree, git, rollouts, signatures
from slipway.adapters.forge import Forge, StatusState
from slipway.adapters.log_places import LogPlace
from slipway.adapters.records import Record
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout import Rollout as Engine
from slipway.adapters.rollouts import Wanted
from slipway.adapters.served_log import GOLDEN_REQUEST
from slipway.adapters.workplace import Workplace
from slipway.domain.evidence import Evidence, Golden
from slipway.domain.identity import Identity
from slipway.domain.log_address import is_table
from slipway.domain.pages import Page
from slipway.domain.release import Image, Proposal, Rollout, replaced_by
from slipway.domain.rollout_limit import RolloutLimit
from slipway.errors import NotReleasable, RolloutFailed, SlipwayError, Unreachable
from slipway.measures import way_back

log = logging.getLogger(__name__)


def run(
    model: str, *, environment: str, on: date, workplace: Workplace, engine: Engine, stays: bool = True
) -> Page[Rollout]:
    """Bring the manifest's digest to life, ask it the golden rows, write the page `rollout`, and mark the commit.

    Run again, it brings to life what died meanwhile, and returns the same page.

    Args:
        model: a model's name.
        environment: one of slipway.yaml.
        on: the day from which the watch counts windows.
        workplace: where the manifest, the ledger and the registry are.
        engine: what runs it.
        stays: whether what is brought to life goes on when this run has ended.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
        NotSigned: slipway.yaml names keys, and none of them signed that digest.
        RolloutFailed: it never became ready, or answers otherwise than it did when it was judged.
    """
    found = wanted(model, environment=environment, workplace=workplace)
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    try:
        _refuse_unsigned(found, workplace)
        live = _apply(found, workplace, engine)
        page = record.once_for_each(
            Rollout,
            reads=found.reads(stays=stays),
            make=lambda: _verify(record, found, live, on=on, engine=engine, stays=stays, workplace=workplace),
        )
    except SlipwayError as failure:
        _mark_failed(found, failure, workplace.forge)
        raise
    told = f"{found.tag}: {page.body.golden_equal} of {page.body.golden_rows} golden answers"
    workplace.forge.set_status(found.commit, context=_status(found), state="success", description=told)
    return page


def wanted(model: str, *, environment: str, workplace: Workplace) -> Wanted:
    """What a rollout would bring to life; writes nothing.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
    """
    git.fetch(workplace.repository.root)
    found = rollouts.wanted(model, environment=environment, workplace=workplace)
    if found is None:
        raise NotReleasable(
            f"{deploy_tree.manifest_path(environment, model)} deploys nothing yet",
            mend="merge a release's pull request",
        )
    _refuse_unjudged(found, workplace)
    return found


def _apply(found: Wanted, workplace: Workplace, engine: Engine) -> Live:
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
            ready_seconds=_limit(found, workplace).ready_seconds,
        )
    )


def _where_servers_log(workplace: Workplace) -> str | None:
    """Nowhere, if the log is a table: whoever calls the server, or reads its answers, writes that."""
    address = workplace.settings.served_log
    return None if is_table(address) else LogPlace.address_from(address, root=workplace.repository.root)


def _refuse_unjudged(found: Wanted, workplace: Workplace) -> None:
    """Nothing runs that was not judged, whatever a manifest says."""
    tag = found.tag
    put_back = f"put {deploy_tree.manifest_path(found.environment, tag.model)} back"
    if not workplace.history.passed(tag):
        raise NotReleasable(
            f"{tag}, which the manifest names, has no passing verdicts in the ledger",
            mend=f"release it by its tag, or {put_back}",
        )
    if found.digest not in {page.body.digest for page in workplace.history.pages(tag, Image)}:
        raise NotReleasable(
            f"the manifest names {found.digest[:19]} as {tag}, and no release of {tag} has that image",
            mend=f"record the release's pages, or {put_back}",
        )
    entry = deploy_tree.quarantined(workplace.forge, model=tag.model, version=tag.image_tag)
    if entry is not None:
        raise NotReleasable(
            f"{tag}, which the manifest names, is quarantined by {entry.by}: {entry.reason}",
            mend=f"{put_back}, or let an owner take the entry out of {deploy_tree.QUARANTINE}",
        )


def _refuse_unsigned(found: Wanted, workplace: Workplace) -> None:
    tag, path = found.tag, deploy_tree.manifest_path(found.environment, found.tag.model)
    signatures.verify(
        tag.model,
        found.digest,
        workplace=workplace,
        mend=f"put {path} back; or, if {tag} is yours, {signatures.how_to_sign(tag)}",
    )


def _limit(found: Wanted, workplace: Workplace) -> RolloutLimit:
    return workplace.repository.policies().rollout.limit_for(found.tag.model)


def _verify(
    record: Record, found: Wanted, live: Live, *, on: date, engine: Engine, stays: bool, workplace: Workplace
) -> Rollout:
    page = _ask(record, found, live, on=on, engine=engine, stays=stays)
    engine.watch(live, seconds=_limit(found, workplace).settle_seconds)
    return page


def _ask(record: Record, found: Wanted, live: Live, *, on: date, engine: Engine, stays: bool) -> Rollout:
    declaration = record.page(Identity, written_by="resolve-tag").body.declaration
    golden: Golden = record.page(Evidence, written_by="measure-consistency").body.golden
    answers = engine.ask(live, way_back.questions(declaration, golden), request_id=GOLDEN_REQUEST)
    equal = way_back.equal_rows(golden, answers)
    if equal < golden.rows:
        raise RolloutFailed(
            f"{live.version} answers in {live.environment}, but {golden.rows - equal} of {golden.rows} golden rows "
            "otherwise than when it was judged",
            mend=_back(record, found),
        )
    return Rollout(
        environment=found.environment,
        version=found.tag.image_tag,
        digest=found.digest,
        commit=found.commit,
        live_since=on,
        golden_rows=golden.rows,
        golden_equal=equal,
        stays=stays,
    )


def _back(record: Record, found: Wanted) -> str:
    """What a person does about a version that runs and must not."""
    proposals = [page.body for page in record.pages(Proposal)]
    before = replaced_by(found.tag.image_tag, proposals, environment=found.environment)
    if before is None:
        return f"nothing ran before it: put {deploy_tree.manifest_path(found.environment, found.tag.model)} back"
    return f"slipway rollback {found.tag.model} --environment {found.environment} --to {before}"


def _status(found: Wanted) -> str:
    """The name of the mark that the commit of the manifest gets."""
    return f"slipway/{found.environment}/{found.tag.model}"


def _mark_failed(found: Wanted, failure: SlipwayError, forge: Forge) -> None:
    """Show the attempt; where even that is refused, the failure itself is still the one that is told."""
    state: StatusState = "error" if isinstance(failure, Unreachable) else "failure"
    told = f"{found.tag}: {failure.problem.splitlines()[0]}"
    try:
        forge.set_status(found.commit, context=_status(found), state=state, description=told)
    except SlipwayError as refused:
        log.warning("the commit %s could not be marked: %s", found.commit[:12], refused.problem)
