"""The model that ran before Slipway came: out of a file, or out of an image that may hold none."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from slipway.adapters import git, runtime_image
from slipway.adapters.processes import environments
from slipway.adapters.records import Record
from slipway.adapters.registry.append import append_layer
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.converters import CONVERTERS
from slipway.converters.batches import write_batch
from slipway.domain.edge_rows import edge_rows
from slipway.domain.model import Framework, Model
from slipway.domain.pages import File
from slipway.domain.rows import Batch
from slipway.domain.signature import DataType
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, NoSuchImage, UnusableImage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What an image gave: its model, or in `problem` why it has none to ask."""

    onnx: Path | None
    problem: str = ""
    is_there: bool = True


def canonical(file: Path, model: Model, samples: Batch | None, *, record: Record, requirements: Path) -> File:
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


def pulled(model: str, digest: str, workplace: Workplace) -> Pulled:
    """The model in an image of our registry; an image of another kind, or of another registry, is opaque.

    Raises:
        Unreachable: the registry does not answer, so nobody knows.
        DigestMismatch: bytes that are not of their digest.
    """
    try:
        files = pull_model_layer(workplace.registry, model, digest, workplace.layers)
    except NoSuchImage as error:
        return Pulled(None, error.problem, is_there=False)
    except UnusableImage as error:
        return Pulled(None, error.problem)
    return Pulled(files["model.onnx"])


def pushed(tag: ReleaseTag, onnx: Path, *, profile: bytes | None, commit: str, workplace: Workplace) -> str:
    """Append the model to the runtime image, push it, and return the image's digest.

    What lies under the tag and holds this very model is taken as it is: a run that was killed had pushed it, perhaps
    from another commit.

    Raises:
        TagTaken: the image tag is at an image that does not hold this model.
        NoRuntimeImage: the registry does not hold the runtime image that slipway.yaml names.
    """
    there = _there_already(tag, onnx, workplace)
    if there is not None:
        return there
    runtime = runtime_image.runtime_of(workplace)
    identity = json.dumps({"tag": str(tag), "commit": commit}, indent=1, sort_keys=True).encode() + b"\n"
    card = workplace.repository.root / "models" / tag.model / "README.md"
    files: dict[str, Path | bytes] = {"model.onnx": onnx, "identity.json": identity}
    if profile is not None:
        files["profile.json"] = profile
    if card.is_file():
        files["README.md"] = card
    log.info("pushing the model of %s as one layer on %s", tag, runtime.reference[:19])
    return append_layer(
        workplace.registry,
        tag.model,
        base=runtime,
        layer=model_layer(files),
        origin=Origin(
            release=str(tag),
            version=str(tag.version),
            source=tag.model,
            revision=commit,
            created=datetime.fromisoformat(git.committed_at(workplace.repository.root, commit)),
            base_name=runtime.repository,
        ),
        tag=tag.image_tag,
    )


def _there_already(tag: ReleaseTag, onnx: Path, workplace: Workplace) -> str | None:
    try:
        digest = workplace.registry.repository(tag.model).manifest(tag.image_tag).digest
    except NoSuchImage:
        return None
    found = pulled(tag.model, digest, workplace)
    return digest if found.onnx is not None and found.onnx.read_bytes() == onnx.read_bytes() else None


def _one_row(model: Model) -> Batch:
    """Something to ask, where a model has no samples: zeros, and empty words."""
    return {
        feature.name: np.full((1, *feature.shape), "", dtype=object)
        if feature.dtype is DataType.STRING
        else np.zeros((1, *feature.shape), dtype=feature.dtype.value)
        for feature in model.inputs
    }
