"""Record what runs today as the baseline: no training, no release, nothing that runs is touched.

The next release is compared with it, and a way back leads to it, as if it had been released; that nobody judged it
stays to be read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slipway.adapters import adopted, deploy_tree, git, onnx_session, signatures, tables
from slipway.adapters.adopted import Adoption
from slipway.adapters.processes import environments
from slipway.adapters.records import Record, sha256_of
from slipway.adapters.signatures import PublicKey
from slipway.adapters.workplace import Workplace
from slipway.converters import CONVERTERS
from slipway.converters.batches import write_batch
from slipway.domain.baseline import Baseline, Measured
from slipway.domain.edge_rows import edge_rows
from slipway.domain.model import Framework, Model
from slipway.domain.pages import File, Page
from slipway.domain.provenance import provenance_of_adoption
from slipway.domain.rows import Batch, LabelledRows, is_number
from slipway.domain.signature import DataType
from slipway.domain.tag import Bump, next_version
from slipway.errors import BadFile, BadTag, NotReleasable
from slipway.maths.profile import ColumnProfile, profile_of_columns
from slipway.measures import drift, metrics, unlabelled, way_back

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was adopted: an image, its model, and what the model answers."""

    image: str
    onnx: str | None
    measured: Measured | None
    note: str


def run(asked: Adoption, *, workplace: Workplace) -> Page[Baseline]:
    """Write the page `baseline`, and the manifest into the working tree; both are left as they are where they say so.

    Raises:
        UnknownModel: models/ has no such model.
        BadTag: the version is a revision.
        NotReleasable: a version of the model was released already, another one was adopted for the environment, the
            version is quarantined, or the manifest deploys something else.
        BadFile: there is no such file, model.yaml declares something else, or nobody knows where the image lies.
        CannotSign: slipway.yaml names keys, nobody signed the image yet, and the private one is not here.
    """
    model = workplace.repository.model(asked.tag.model)
    git.fetch(workplace.repository.root)
    _refuse(asked, workplace)
    record = workplace.release(asked.tag)
    record.seed(workplace.history.pages_of(asked.tag))
    rows = _samples(model, workplace)
    found = (
        _from_file(asked, model, rows, record, workplace)
        if asked.onnx
        else _from_image(asked, model, rows, record, workplace)
    )
    _refuse_other(asked, found.onnx, workplace)
    page = record.once_for_each(
        Baseline,
        reads={"environment": asked.environment, "image": found.image, "onnx": found.onnx or "none"},
        make=lambda: _baseline(asked, found, model, workplace),
    )
    adopted.write_manifest(asked, found.image, workplace)
    return page


def _refuse(asked: Adoption, workplace: Workplace) -> None:
    tag, history = asked.tag, workplace.history
    if tag.revision > 1:
        raise BadTag(f"`{tag}` is a revision, which a rebase makes", mend=f"--version v{tag.version}")
    adoptions = history.baselines(tag.model)
    is_known = any((one.version, one.environment) == (tag.image_tag, asked.environment) for one in adoptions)
    released = [one for one in history.releases(tag.model) if history.passed(one) and history.baseline(one) is None]
    if released and not is_known:
        raise NotReleasable(
            f"{released[-1]} was released already: a baseline is what ran before the first release",
            mend=f"release what you have: git tag -a {tag.model}@v{next_version(released[-1].version, Bump.PATCH)}",
        )
    deploy_tree.refuse_quarantined(workplace.forge, model=tag.model, version=tag.image_tag, called=f"`{tag}`")
    for other in adoptions:
        if other.environment == asked.environment and other.version != tag.image_tag:
            raise NotReleasable(
                f"{other.environment} runs {other.release} by the ledger: {other.by} adopted it on {other.when}",
                mend=f"release what came after it by a tag: git tag -a {tag}",
            )


def _refuse_other(asked: Adoption, onnx: str | None, workplace: Workplace) -> None:
    """One version is one model in one image, whichever environment it was adopted for."""
    there = workplace.history.baseline(asked.tag)
    if there is None or (there.onnx == onnx and asked.image in (None, there.image)):
        return
    raise NotReleasable(
        f"{asked.tag} was adopted as {_named(there.image, there.onnx)} by {there.by} on {there.when}; "
        f"this is {_named(asked.image, onnx)}",
        mend="name what was adopted; what runs beside it under another version is adopted by that version",
    )


def _named(image: str | None, onnx: str | None) -> str:
    return " ".join([*([f"image {image[:19]}"] if image else []), *([f"model {onnx[:12]}"] if onnx else [])])


def _samples(model: Model, workplace: Workplace) -> LabelledRows | None:
    shown_as = Path("models") / model.name / model.samples.path
    path = workplace.repository.root / shown_as
    return tables.read_samples(path, model, shown_as=shown_as) if path.exists() else None


def _from_file(
    asked: Adoption, model: Model, rows: LabelledRows | None, record: Record, workplace: Workplace
) -> _Found:
    """The file in canonical form, put into an image of ours: that is where versions are fetched from."""
    assert asked.onnx is not None  # the caller looked
    root = workplace.repository.root
    kept = _canonical(
        asked.onnx, model, rows.batch if rows else None, record=record, requirements=root / "requirements"
    )
    _refuse_other(asked, kept.sha256, workplace)
    path = record.path(kept)
    adopted.refuse_other_manifest(asked, record, workplace)
    profile = (
        None if rows is None else json.dumps(_told(_profile(rows.batch)), indent=1, sort_keys=True).encode() + b"\n"
    )
    there = workplace.history.baseline(asked.tag)
    commit = there.commit if there else git.head_commit(root)  # the same image again, where the registry lost it
    key = _key_for(asked.tag.model, there.image if there else None, workplace)  # before what nobody could sign
    image = adopted.pushed(asked.tag, path, profile=profile, commit=commit, workplace=workplace)
    if key is not None:
        told = provenance_of_adoption(asked.tag, onnx=kept.sha256, commit=commit, repository=workplace.web)
        signatures.sign(asked.tag.model, image, key=key, workplace=workplace)
        signatures.attest(asked.tag.model, image, key=key, predicate=told, workplace=workplace)
    return _Found(image, kept.sha256, _measure(path, model, rows, workplace), _note(rows))


def _from_image(
    asked: Adoption, model: Model, rows: LabelledRows | None, record: Record, workplace: Workplace
) -> _Found:
    """The model in the image, where there is one; an opaque image stays a digest."""
    assert asked.image is not None  # the caller looked
    there = adopted.pulled(asked.tag.model, asked.image, workplace)
    adopted.refuse_other_manifest(asked, record, workplace)
    if there.onnx is None:
        if not there.is_there:
            adopted.refuse_unknown_place(asked, workplace)
        return _Found(asked.image, None, None, f"nothing of it can be asked: {there.problem}")
    onnx = sha256_of(there.onnx)
    _refuse_other(asked, onnx, workplace)
    key = _key_for(asked.tag.model, asked.image, workplace)
    found = _Found(asked.image, onnx, _measure(there.onnx, model, rows, workplace), _note(rows))
    if key is not None:  # by whoever built it: nothing is attested here
        signatures.sign(asked.tag.model, asked.image, key=key, workplace=workplace)
    return found


def _key_for(model: str, image: str | None, workplace: Workplace) -> PublicKey | None:
    """What is to sign it; None where no key is set, or where one of them did: that needs no private key again."""
    if image is not None and signatures.is_signed(model, image, workplace=workplace):
        return None
    return signatures.signing_key(workplace)


def _note(rows: LabelledRows | None) -> str:
    return "" if rows is not None else "it was asked nothing: there are no samples"


def _measure(onnx: Path, model: Model, rows: LabelledRows | None, workplace: Workplace) -> Measured | None:
    opened = onnx_session.open_model(onnx)
    _refuse_other_signature(opened.signature.changes_to(model.signature), model)
    if rows is None:
        return None
    policies = workplace.repository.policies()
    named = policies.metrics.limit_for(model.name).named(model.decision.kind)
    days = policies.drift.limit_for(model.name).window_days
    log.info("asking it %s rows", f"{len(rows):,}")
    answers = opened.predict(rows.batch)
    return Measured(
        golden=way_back.golden(rows.batch, answers),
        metrics=metrics.measure(rows, answers, model.decision, named=tuple(named)),
        calibration=drift.calibrate(_profile(rows.batch), rows.batch, rows.days, window_days=days),
        unlabelled=unlabelled.check(rows, answers, model.decision, window_days=days),
        output_profile=_told(_profile(answers)),
    )


def _refuse_other_signature(changes: tuple[str, ...], model: Model) -> None:
    if changes:
        raise BadFile(
            f"models/{model.name}/model.yaml declares something else than what runs: {'; '.join(changes)}",
            mend="declare there what runs today, adopt it, and change it with the next release",
        )


def _profile(batch: Batch) -> dict[str, ColumnProfile]:
    words = {name for name, column in batch.items() if not is_number(column)}
    return profile_of_columns({name: column.ravel() for name, column in batch.items()}, categories=words)


def _told(profile: Mapping[str, ColumnProfile]) -> dict[str, dict[str, Any]]:
    return {name: column.to_json() for name, column in profile.items()}


def _baseline(asked: Adoption, found: _Found, model: Model, workplace: Workplace) -> Baseline:
    root, tag = workplace.repository.root, asked.tag
    above = (one for one in git.release_tags(root, model=tag.model) if one.version > tag.version)
    return Baseline(
        model=tag.model,
        version=tag.image_tag,
        environment=asked.environment,
        image=found.image,
        onnx=found.onnx,
        by=asked.by,
        when=asked.now.isoformat(timespec="seconds"),
        note=found.note,
        commit=git.head_commit(root),
        declaration=None if found.onnx is None else model,
        measured=found.measured,
        tags_above=tuple(str(one) for one in above),
    )


def _canonical(file: Path, model: Model, samples: Batch | None, *, record: Record, requirements: Path) -> File:
    """The ONNX file in the form in which releases are kept, made by the process that converts those.

    Raises:
        BadFile: there is no such file.
        ConversionFailed, ModelRefused: it is no ONNX file, or not of the signature that model.yaml declares.
    """
    if not file.is_file():
        raise BadFile(f"{file} is no file", mend="name the ONNX file that runs today: --onnx model.onnx")
    converter = CONVERTERS[Framework.ONNX]
    scratch = record.scratch("adoption")
    rows = samples or _one_row(model)
    write_batch(scratch / "samples.npz", rows)
    write_batch(scratch / "edges.npz", edge_rows(model, rows))
    environments.convert(
        environments.environment_for(
            converter.requirements, requirements=requirements / f"{converter.requirements}.txt"
        ),
        converter.name,
        source=file,
        samples=scratch / "samples.npz",
        edges=scratch / "edges.npz",
        signature=model.signature,
        out=scratch,
        folder=scratch / "process",
    )
    return record.keep(scratch / "model.onnx", name="model.onnx")


def _one_row(model: Model) -> Batch:
    """Something to ask, where a model has no samples: zeros, and empty words."""
    return {
        feature.name: np.full((1, *feature.shape), "", dtype=object)
        if feature.dtype is DataType.STRING
        else np.zeros((1, *feature.shape), dtype=feature.dtype.value)
        for feature in model.inputs
    }
