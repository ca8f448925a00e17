"""Versions that passed before, fetched into a record: what a candidate is compared with, and what to go back to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from semver import Version

from slipway.adapters import deploy_tree, onnx_session, tables
from slipway.adapters.records import Record
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.behaviour import GoldenRequest
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity, Released, ServedWindow
from slipway.domain.model import Model
from slipway.domain.rows import Batch
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, DigestMismatch, NoSuchImage, UnusableImage

if TYPE_CHECKING:
    from slipway.adapters.served_log import ServedLog

_SERVED_DAYS = 7
_SERVED_ROWS = 20_000


def fetch(tag: ReleaseTag, record: Record, workplace: Workplace, *, digest: str) -> Released:
    """Bring a version's model and golden answers; what cannot be had is told in `problem`, and judged later."""
    baseline = workplace.history.baseline(tag)
    if baseline is not None:
        return _with_model(_adopted(baseline, record, digest=digest), tag, record, workplace)
    identity = workplace.history.page(tag, Identity)
    evidence = workplace.history.page(tag, Evidence)
    golden = evidence.body.golden.model_dump_json().encode() if evidence else None
    released = Released(
        version=tag.image_tag,
        digest=digest,
        declaration=identity.body.declaration if identity else None,
        golden=record.keep_bytes(golden, name=f"golden-{tag.image_tag}.json") if golden else None,
        golden_requests=_golden_requests(evidence.body) if evidence else None,
    )
    return _with_model(released, tag, record, workplace)


def _adopted(baseline: Baseline, record: Record, *, digest: str) -> Released:
    """What ran before any release: a golden request is no promise of its."""
    measured = baseline.measured
    golden = measured.golden.model_dump_json().encode() if measured else None
    return Released(
        version=baseline.version,
        digest=digest,
        declaration=baseline.declaration,
        golden=record.keep_bytes(golden, name=f"golden-{baseline.version}.json") if golden else None,
        problem=baseline.note,
        adopted=True,
    )


def _with_model(released: Released, tag: ReleaseTag, record: Record, workplace: Workplace) -> Released:
    if released.adopted and released.declaration is None:
        return released  # it is opaque: what would come of a pull is told already
    try:
        files = pull_model_layer(workplace.registry, tag.model, released.digest, workplace.layers)
    except (NoSuchImage, UnusableImage, DigestMismatch) as error:
        return released.model_copy(update={"problem": error.problem})
    return released.model_copy(update={"onnx": record.keep(files["model.onnx"], name=f"{tag.image_tag}.onnx")})


def answers_of(released: Released, batch: Batch, model: Model, *, record: Record) -> Batch | None:
    """What an earlier version answers; None where its model is gone, or asks for what `model` does not have.

    `batch` holds the inputs of `model`.
    """
    if released.onnx is None:
        return None
    earlier = onnx_session.open_model(record.path(released.onnx))
    there = {tensor.name: tensor for tensor in model.signature.inputs}
    if any(there.get(tensor.name) != tensor for tensor in earlier.signature.inputs):
        return None
    return earlier.predict({tensor.name: batch[tensor.name] for tensor in earlier.signature.inputs})


def _golden_requests(evidence: Evidence) -> tuple[GoldenRequest, ...] | None:
    """What it was held to; None for one that was released before requests could be golden."""
    behaviour = evidence.behaviour
    return None if behaviour is None else tuple(one.request for one in behaviour.golden)


def highest_passed(model: str, workplace: Workplace, *, below: Version | None = None) -> ReleaseTag | None:
    """The release whose promise the next one, or the version `below` which it lies, is measured by.

    One in quarantine is none: nobody runs it, and to be like it is no merit.
    """
    held = deploy_tree.quarantine(workplace.forge)
    for tag in workplace.history.passed_versions(model):
        if (below is None or tag.version < below) and not any(entry.holds(model, tag.image_tag) for entry in held):
            return tag
    return None


def compared_with(tag: ReleaseTag, record: Record, workplace: Workplace) -> Released | None:
    """The highest lower version that passed: the one whose users were given a promise."""
    lower = highest_passed(tag.model, workplace, below=tag.version)
    return None if lower is None else fetch(lower, record, workplace, digest=image_digest(lower, workplace))


def deployed(model: str, record: Record, workplace: Workplace) -> dict[str, Released | None]:
    """What the manifests of the default branch name, an environment each."""
    return {
        environment.name: deployed_in(environment.name, model, record, workplace)
        for environment in workplace.settings.environments
    }


def deployed_in(environment: str, model: str, record: Record, workplace: Workplace) -> Released | None:
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        return None
    return fetch(ReleaseTag.parse(f"{model}@{live.tag}"), record, workplace, digest=live.digest)


def last_served(
    model: str, deployed: dict[str, Released | None], record: Record, workplace: Workplace
) -> ServedWindow | None:
    """Of the newest week that production served with its present version, at most 20,000 rows."""
    environment = workplace.settings.production
    live = deployed[environment]
    log = workplace.served_log(model, environment)
    if live is None or live.declaration is None:
        return None
    until = log.last_day(version=live.version)
    if until is None:
        return None
    return served_between(until - timedelta(days=_SERVED_DAYS - 1), until, live, record, log, environment=environment)


def served_between(
    since: date, until: date, live: Released, record: Record, log: ServedLog, *, environment: str
) -> ServedWindow | None:
    """Of what `live` served from day to day, both inclusive, at most 20,000 rows; None where the log has none of it."""
    if live.declaration is None:
        return None
    found = log.sample(since, until, version=live.version, features=live.declaration.inputs, most=_SERVED_ROWS)
    if found.of == 0:
        return None
    path = record.scratch("served") / "served.parquet"
    tables.write_table(found.rows, path, columns=[feature.name for feature in live.declaration.inputs])
    file = record.keep(path, name="served.parquet")
    return ServedWindow(
        file=file,
        since=since.isoformat(),
        until=until.isoformat(),
        rows=len(found.rows),
        environment=environment,
        of=found.of,
    )


def image_digest(tag: ReleaseTag, workplace: Workplace) -> str:
    """The image that a passed version was pushed as.

    Raises:
        BadFile: the ledger has no page `image` for it: its release was cut off after its verdicts.
    """
    digests = workplace.history.digests(tag)
    if not digests:
        raise BadFile(
            f"the ledger has no image of {tag}", mend=f"run the release of {tag} again: it goes on from there"
        )
    return digests[-1]
