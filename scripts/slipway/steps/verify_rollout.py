"""See that what the manifest names is what answers, and that it gives the answers it was judged by."""

from __future__ import annotations

import logging
from datetime import date

from slipway.adapters import deploy_tree, git
from slipway.adapters.manifests import Deployed
from slipway.adapters.records import Record
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout import Rollout as Engine
from slipway.adapters.served_log import GOLDEN_REQUEST
from slipway.adapters.workplace import Workplace
from slipway.domain.pages import Page
from slipway.domain.release import Evidence, Golden, Identity, Image, Rollout
from slipway.domain.tag import ReleaseTag
from slipway.errors import NotReleasable, RolloutFailed
from slipway.measures import way_back

log = logging.getLogger(__name__)


def run(model: str, *, environment: str, on: date, workplace: Workplace, engine: Engine) -> Page[Rollout]:
    """Bring the manifest's digest to life, ask it the golden rows, and write the page `rollout`.

    Args:
        model: a model's name.
        environment: one of slipway.yaml.
        on: the day from which the watch counts windows.
        workplace: where the manifest, the ledger and the registry are.
        engine: what runs it.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
        RolloutFailed: it never became ready, or answers otherwise than it did when it was judged.
    """
    git.fetch(workplace.repository.root)
    image = wanted(model, environment=environment, workplace=workplace)
    tag = ReleaseTag.parse(f"{model}@{image.tag}")
    record = workplace.release(tag)
    record.seed(workplace.history.pages_of(tag))
    commit = _commit_of(model, environment, workplace)
    reads = {"environment": environment, "digest": image.digest, "commit": commit}
    live = _apply(tag, image, environment, workplace, engine)
    return record.once(
        Rollout,
        reads=reads,
        make=lambda: _ask(record, image, live, commit=commit, on=on, engine=engine),
    )


def wanted(model: str, *, environment: str, workplace: Workplace) -> Deployed:
    """The image that a rollout would bring to life; writes nothing.

    Raises:
        NotReleasable: the manifest names nothing, or what the ledger never passed, or what is in quarantine.
    """
    found = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if found is None:
        raise NotReleasable(
            f"{deploy_tree.manifest_path(environment, model)} deploys nothing yet",
            mend="merge a release's pull request",
        )
    _refuse_unjudged(ReleaseTag.parse(f"{model}@{found.tag}"), found, environment, workplace)
    return found


def _apply(tag: ReleaseTag, wanted: Deployed, environment: str, workplace: Workplace, engine: Engine) -> Live:
    files = pull_model_layer(workplace.registry, tag.model, wanted.digest, workplace.layers)
    log.info("rolling out %s in %s", tag, environment)
    return engine.apply(
        Deployment(
            model=tag.model,
            environment=environment,
            version=tag.image_tag,
            digest=wanted.digest,
            model_directory=files["model.onnx"].parent,
            served_log=workplace.repository.root / workplace.settings.served_log,
        )
    )


def _refuse_unjudged(tag: ReleaseTag, wanted: Deployed, environment: str, workplace: Workplace) -> None:
    """Nothing runs that was not judged, whatever a manifest says."""
    put_back = f"put {deploy_tree.manifest_path(environment, tag.model)} back"
    if not workplace.history.passed(tag):
        raise NotReleasable(
            f"{tag}, which the manifest names, has no passing verdicts in the ledger",
            mend=f"release it by its tag, or {put_back}",
        )
    if wanted.digest not in {page.body.digest for page in workplace.history.pages(tag, Image)}:
        raise NotReleasable(
            f"the manifest names {wanted.digest[:19]} as {tag}, and no release of {tag} has that image",
            mend=f"record the release's pages, or {put_back}",
        )
    entry = deploy_tree.quarantined(workplace.forge, model=tag.model, version=tag.image_tag)
    if entry is not None:
        raise NotReleasable(
            f"{tag}, which the manifest names, is quarantined by {entry.by}: {entry.reason}",
            mend=f"{put_back}, or let an owner take the entry out of {deploy_tree.QUARANTINE}",
        )


def _ask(record: Record, wanted: Deployed, live: Live, *, commit: str, on: date, engine: Engine) -> Rollout:
    declaration = record.page(Identity, written_by="resolve-tag").body.declaration
    golden: Golden = record.page(Evidence, written_by="measure-consistency").body.golden
    answers = engine.ask(live, way_back.questions(declaration, golden), request_id=GOLDEN_REQUEST)
    equal = way_back.equal_rows(golden, answers)
    if equal < golden.rows:
        raise RolloutFailed(
            f"{live.version} answers in {live.environment}, but {golden.rows - equal} of {golden.rows} golden rows "
            "otherwise than when it was judged",
            mend=f"slipway rollback {live.model} --environment {live.environment}",
        )
    return Rollout(
        environment=live.environment,
        version=wanted.tag,
        digest=wanted.digest,
        commit=commit,
        live_since=on,
        golden_rows=golden.rows,
        golden_equal=equal,
    )


def _commit_of(model: str, environment: str, workplace: Workplace) -> str:
    head = workplace.forge.head(workplace.forge.default_branch) or "HEAD"
    path = deploy_tree.manifest_path(environment, model)
    return git.last_change(workplace.repository.root, head, path) or head
