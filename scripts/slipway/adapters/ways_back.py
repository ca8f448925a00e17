"""Whether a version could be gone back to: what quarantine holds, whose image is gone, and whose is not signed.

What does not answer is no obstacle: it is an error, and nobody goes anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from slipway.adapters import deploy_tree, known_answers, signatures
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.domain import commands
from slipway.domain.baseline import Baseline
from slipway.domain.model import Model
from slipway.domain.tag import ReleaseTag
from slipway.errors import DigestMismatch, NoSuchImage, NotSigned, UnusableImage

GONE = (NoSuchImage, UnusableImage, DigestMismatch)


class Obstacle(NamedTuple):
    """Why nobody may go back, and what to do about it."""

    problem: str
    mend: str


@dataclass(frozen=True, slots=True)
class VersionBefore:
    """As far as it can be had: no model where it is `gone`, or where it was not to be asked anything."""

    tag: ReleaseTag
    digest: str | None = None
    declaration: Model | None = None
    onnx: Path | None = None
    gone: str = ""


def version_before(tag: ReleaseTag | None, workplace: Workplace, *, is_asked: bool) -> VersionBefore | None:
    """What is there of a version that could be gone back to, its ONNX file where it `is_asked` something.

    Raises:
        Unreachable: the registry does not answer, which says nothing about the version.
    """
    if tag is None:
        return None
    declaration, digests = known_answers.declaration(tag, workplace.history), workplace.history.digests(tag)
    if declaration is None or not digests:
        return VersionBefore(tag, gone=f"the ledger has no {'image' if declaration else 'model'} of it")
    before = VersionBefore(tag, digests[-1], declaration)
    try:
        workplace.registry.repository(tag.model).manifest(digests[-1])  # also where a copy of it is at hand
        if not is_asked:
            return before
        files = pull_model_layer(workplace.registry, tag.model, digests[-1], workplace.layers)
    except GONE as error:
        return replace(before, gone=error.problem)
    return replace(before, onnx=files["model.onnx"])


def held(running: ReleaseTag, *, above: ReleaseTag | None, workplace: Workplace) -> tuple[str, ...]:
    """The versions that passed and that quarantine holds, each with its reason, but for those below `above`."""
    entries = [one for one in deploy_tree.quarantine(workplace.forge) if one.model == running.model]
    if not entries:
        return ()
    releases = [tag for tag in workplace.history.releases(running.model) if tag != running]
    others = [tag for tag in releases if above is None or tag.precedence > above.precedence]
    found = ((tag, next((one for one in entries if one.holds(tag.model, tag.image_tag)), None)) for tag in others)
    return tuple(
        entry.says_of(tag.image_tag) for tag, entry in found if entry is not None and workplace.history.passed(tag)
    )


def why_gone(model: str, digest: str, workplace: Workplace) -> str:
    """What of an image the registry does not have, or has otherwise; empty where all of it is there.

    Raises:
        Unreachable: the registry does not answer, so nobody knows.
        RegistryRefused: it refuses us.
    """
    repository = workplace.registry.repository(model)
    try:
        images = Platforms.read(repository, digest).images
    except GONE as error:
        return error.problem
    layers = dict.fromkeys(layer.digest for image in images for layer in image.layers)
    missing = next((layer for layer in layers if not repository.has(layer)), None)
    return "" if missing is None else f"the layer {missing} of {model} {digest} is not in the registry"


def obstacle(target: ReleaseTag, digest: str, *, environment: str, workplace: Workplace) -> Obstacle | None:
    """What forbids to deploy an earlier version now; None where nothing does.

    Raises:
        Unreachable: registry or forge does not answer.
    """
    other = f"go back to another version: {commands.rollback(target.model, environment=environment)}"
    baseline = workplace.history.baseline(target)
    if baseline is not None and baseline.is_opaque:
        problem = f"{target} was adopted by its digest alone: nobody can start it here, or ask whether it answers"
        by_hand = f"put {digest[:19]} back into {deploy_tree.manifest_path(environment, target.model)} by hand"
        return Obstacle(problem, f"{by_hand}, where Argo CD or Flux applies it; or {other}")
    entry = deploy_tree.quarantined(workplace.forge, model=target.model, version=target.image_tag)
    if entry is not None:
        problem = entry.says_of(str(target))
        return Obstacle(problem, f"{other}; or let an owner take the entry out of {deploy_tree.QUARANTINE}")
    if gone := why_gone(target.model, digest, workplace):
        return Obstacle(f"{target} cannot be pulled: {gone}", f"{how_to_restore(target, baseline)}; or {other}")
    try:
        signatures.verify(target.model, digest, workplace=workplace, mend=other)
    except NotSigned as unsigned:
        signing = signatures.how_to_sign(target, digest, workplace=workplace)
        return Obstacle(unsigned.problem, f"{other}; or, if {target} is yours, {signing}")
    return None


def how_to_restore(target: ReleaseTag, baseline: Baseline | None) -> str:
    """What puts an image back into the registry; what was adopted has no tag that is released."""
    if baseline is not None:
        adopt = commands.adopt(
            target.model, environment=baseline.environment, version=baseline.version, what="--onnx FILE"
        )
        return f"adopt it again from its file, which pushes its image: {adopt}"
    return f"release the tag of {target.image_tag} again, which restores its image"
