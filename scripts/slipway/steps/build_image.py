"""Append the judged model to the runtime image as one layer, push it, and sign it. No engine, no rebuild.

The layer holds only what is the same on any machine: the ONNX file, who was released from what, the profile of
the inputs, and the model card.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime

from slipway.adapters import git, runtime_image, signatures
from slipway.adapters.records import Record
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import Layer, model_layer
from slipway.adapters.signatures import PublicKey
from slipway.adapters.workplace import Workplace
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import Page
from slipway.domain.provenance import provenance_of
from slipway.domain.release import Image, Verdicts
from slipway.domain.verdict import Verdict
from slipway.errors import NotReleasable

log = logging.getLogger(__name__)


def run(record: Record, *, workplace: Workplace) -> Page[Image]:
    """Push the image of a release that did not fail, and write the page `image`.

    Raises:
        NotReleasable: the verdict is `fail`: nothing that failed has an image.
        NoRuntimeImage: the registry does not hold the runtime image, which slipway.yaml names or the revision is for.
        TagTaken: the image tag is at another digest; no tag is ever moved.
        CannotSign: slipway.yaml names keys, and the private one is not here or is of another pair.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    conversion = record.page(Conversion, written_by="convert-to-onnx").body
    evidence = record.page(Evidence, written_by="measure-consistency").body
    verdicts = record.page(Verdicts, written_by="judge")
    if verdicts.body.verdict is Verdict.FAIL:
        raise NotReleasable(
            f"{identity.release} failed: a version that failed gets no image",
            mend="read the verdicts above; the next number is free once they are mended",
        )
    key = signatures.signing_key(workplace)  # before anything is pushed that nobody could sign
    runtime = _runtime_of(identity, workplace)
    layer = model_layer(
        {
            "model.onnx": record.path(conversion.onnx),
            "identity.json": identity_of(identity),
            "profile.json": record.path(evidence.input_profile),
            "README.md": record.path(identity.card),
        }
    )
    reads = {"layer": layer.digest, "runtime": runtime.reference, "registry": workplace.settings.image_registry}
    # Also where the page is known: what is there is not sent, and an image that the registry lost is put back.
    image = _push(identity, layer, runtime, workplace)
    if key is not None:
        reads["key"] = key.digest
        image = image.model_copy(update={"signed_by": key.digest})
        _sign(identity, conversion, verdicts, image, key=key, workplace=workplace)
    return record.once(Image, reads=reads, make=lambda: image)


def _runtime_of(identity: Identity, workplace: Workplace) -> Base:
    if identity.rebase is None:
        return runtime_image.runtime_of(workplace)
    return runtime_image.runtime_at(identity.rebase.runtime, workplace, named_by=str(identity.release))


def _push(identity: Identity, layer: Layer, runtime: Base, workplace: Workplace) -> Image:
    log.info("appending a layer of %s bytes to %s", f"{layer.size:,}", runtime.reference[:19])
    digest = append_layer(
        workplace.registry,
        identity.model,
        base=runtime,
        layer=layer,
        origin=Origin(
            release=identity.tag,
            version=identity.version.removeprefix("v"),
            source=identity.model,
            revision=identity.commit,
            created=datetime.fromisoformat(identity.committed_at),
            base_name=runtime.repository,
        ),
        tag=identity.version,
    )
    return Image(
        repository=identity.model,
        tag=identity.version,
        digest=digest,
        layer_digest=layer.digest,
        layer_size=layer.size,
        runtime_digest=runtime.reference,
    )


def _sign(
    identity: Identity,
    conversion: Conversion,
    verdicts: Page[Verdicts],
    image: Image,
    *,
    key: PublicKey,
    workplace: Workplace,
) -> None:
    """Also an image that was there before: one that was not signed when it was pushed is signed by a second run."""
    told = provenance_of(
        identity,
        conversion,
        verdicts,
        image,
        tooling=git.head_commit(workplace.repository.root),
        repository=workplace.web,
    )
    signatures.sign(image.repository, image.digest, key=key, workplace=workplace)
    signatures.attest(image.repository, image.digest, key=key, predicate=told, workplace=workplace)


def identity_of(identity: Identity) -> bytes:
    """The part of the identity that is the same wherever the release runs."""
    told = {
        "tag": identity.tag,
        "tag_object": identity.tag_object,
        "commit": identity.commit,
        "source_digest": identity.source_digest,
    }
    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"
