"""Where an image comes from, as SLSA provenance v1 says it (https://slsa.dev/spec/v1.0/provenance).

No clock, host or run is in it: made again from the same pages by the same tooling, it is the same.
"""

from __future__ import annotations

from typing import Any

from slipway.domain.conversion import Conversion
from slipway.domain.identity import Identity
from slipway.domain.pages import Page, digest_of
from slipway.domain.release import Image, Verdicts
from slipway.domain.tag import ReleaseTag

BUILD_TYPE = "urn:slipway:release:v1"
ADOPTION = "urn:slipway:adoption:v1"
_BUILDER = "urn:slipway:tooling"


def provenance_of(
    identity: Identity,
    conversion: Conversion,
    verdicts: Page[Verdicts],
    image: Image,
    *,
    tooling: str,
    repository: str | None,
) -> dict[str, Any]:
    """The predicate of an attestation.

    Args:
        identity: names the tag, its object and the tagged commit.
        conversion: by which converter and versions the ONNX file was made.
        verdicts: the page of the gates, named as the ledger names it.
        image: what is attested.
        tooling: the commit of the default branch whose Slipway released it.
        repository: the address where people read the repository; None where it is on one machine alone.
    """
    at = f"git+{repository}" if repository else "git+file:."
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"tag": identity.tag, "repository": at},
            "internalParameters": {
                "framework": conversion.framework,
                "tools": dict(sorted(conversion.tools.items())),
                "policies": verdicts.body.policies_digest,
            },
            "resolvedDependencies": _read(identity, image, tooling=tooling, at=at),
        },
        "runDetails": {
            "builder": {"id": _BUILDER},
            "metadata": {},  # cosign writes it, so that what it shows is what was given
            "byproducts": _made_beside(identity, conversion, verdicts, image),
        },
    }


def provenance_of_adoption(tag: ReleaseTag, *, onnx: str, commit: str, repository: str | None) -> dict[str, Any]:
    """The predicate for an image that was made of a file which a person says runs: nothing was judged.

    Args:
        tag: what the file is called from then on; git need not have it.
        onnx: SHA-256 of its canonical form.
        commit: of the checkout whose Slipway made the image.
        repository: the address where people read the repository; None where it is on one machine alone.
    """
    at = f"git+{repository}" if repository else "git+file:."
    return {
        "buildDefinition": {
            "buildType": ADOPTION,
            "externalParameters": {"version": str(tag), "repository": at},
            "resolvedDependencies": [
                {"name": "tooling", "uri": at, "digest": {"gitCommit": commit}},
                {"name": "model.onnx", "digest": _sha256(onnx)},
            ],
        },
        "runDetails": {"builder": {"id": _BUILDER}, "metadata": {}},
    }


def _read(identity: Identity, image: Image, *, tooling: str, at: str) -> list[dict[str, Any]]:
    """What it was made of; `at` is where the repository is."""
    return [
        {"name": "tag", "uri": f"{at}@refs/tags/{identity.tag}", "digest": {"gitTag": identity.tag_object}},
        {"name": "tagged commit", "uri": at, "digest": {"gitCommit": identity.commit}},
        {"name": "tooling", "uri": at, "digest": {"gitCommit": tooling}},
        {**_source_of(identity), "digest": _sha256(identity.source_digest)},
        {"name": "samples", "digest": _sha256(identity.samples.sha256)},
        {"name": "runtime", "digest": _sha256(image.runtime_digest)},
    ]


def _source_of(identity: Identity) -> dict[str, str]:
    return {"name": "source", **({"uri": identity.origin.resolved} if identity.origin else {})}


def _made_beside(
    identity: Identity, conversion: Conversion, verdicts: Page[Verdicts], image: Image
) -> list[dict[str, Any]]:
    return [
        {"name": "model.onnx", "digest": _sha256(conversion.onnx.sha256)},
        {"name": "layer", "digest": _sha256(image.layer_digest)},
        {
            "name": f"{identity.model}/{identity.version}/{verdicts.file_name}",
            "digest": _sha256(digest_of(verdicts.to_json())),
            "annotations": {"verdict": str(verdicts.body.verdict)},
        },
    ]


def _sha256(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}
