"""Who released an image: signatures and provenance by a key of the team, whose public part the default branch holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.manifests import blobs_of
from slipway.adapters.registry.protocol import Repository
from slipway.adapters.repository import SETTINGS
from slipway.adapters.signatures.cosign import KEY, Cosign, written
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import parse_yaml
from slipway.domain import commands
from slipway.domain.settings import Settings
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, CannotSign, DigestMismatch, NoSuchImage, NotSigned, Unreachable

log = logging.getLogger(__name__)

_HEAD = b"-----BEGIN PUBLIC KEY-----"


class PublicKey(NamedTuple):
    """A file of the default branch."""

    path: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)


def public_keys(workplace: Workplace) -> tuple[PublicKey, ...]:
    """Those that slipway.yaml names, both as the default branch holds them; none: nothing is signed or checked.

    Raises:
        BadFile: one is missing on the default branch, or is no public key; or its slipway.yaml cannot be read.
    """
    commit = workplace.forge.head(workplace.forge.default_branch)
    content = None if commit is None else workplace.forge.read(commit, SETTINGS)
    if commit is None or content is None:
        return ()
    where = f"{SETTINGS} of {workplace.forge.default_branch}"
    paths = parse_yaml(content, Settings, where=where).signing_keys
    return tuple(_public_key(path, commit, workplace) for path in paths)


def signing_key(workplace: Workplace) -> PublicKey | None:
    """The key whose pair this process was given; None where no key is set, and nothing is to be signed.

    A dry run needs no private key.

    Raises:
        CannotSign: the private key is missing, cannot be read, or is not the pair of the first of `signing_keys`.
    """
    keys = public_keys(workplace) if workplace.settings.signing_keys else ()
    if not keys:
        return None
    if workplace.only_reads:
        return keys[0]
    if Cosign(_host(workplace)).public_key().split() != keys[0].content.split():
        raise CannotSign(
            f"the private key in {KEY} is not the pair of {keys[0].path}, the first of signing_keys",
            mend=f"put the public key of what signs first in slipway.yaml, or set {KEY} to the pair of {keys[0].path}",
        )
    return keys[0]


def sign(model: str, digest: str, *, key: PublicKey, workplace: Workplace) -> None:
    """Sign a pushed image; one that the key signed already is not signed again.

    Raises:
        Unreachable: the registry did not take it; run again.
    """
    if workplace.only_reads:
        log.warning("dry run: would sign %s@%s by the pair of %s", model, digest, key.path)
        return
    cosign, image = Cosign(_host(workplace)), _image(workplace.registry.repository(model), digest)
    with written(key.content) as public:
        if cosign.verifies(image, public) is not True:
            log.info("signing %s", image)
            cosign.sign(image)


def attest(model: str, digest: str, *, key: PublicKey, predicate: Mapping[str, Any], workplace: Workplace) -> None:
    """Say beside an image where it comes from, signed; what is there already is not written again.

    Raises:
        Unreachable: the registry did not take it; run again.
    """
    if workplace.only_reads:
        log.warning("dry run: would attest where %s@%s comes from", model, digest)
        return
    cosign, image = Cosign(_host(workplace)), _image(workplace.registry.repository(model), digest)
    with written(key.content) as public:
        if cosign.attested(image, public) != [predicate]:
            log.info("attesting where %s comes from", image)
            cosign.attest(image, predicate)


def verify(model: str, digest: str, *, workplace: Workplace, mend: str) -> None:
    """See that one of the keys of the default branch signed this digest; nothing is asked where no key is set.

    Raises:
        NotSigned: none did, or the signature is not whole. `mend` is told.
        Unreachable: nobody can tell now.
    """
    keys = public_keys(workplace)
    if not keys:
        return
    repository = workplace.registry.repository(model)
    repository.manifest(digest)  # a registry that is down, refuses us or lost the image says so here
    answers = [_answer(repository, digest, key, workplace) for key in keys]
    if True in answers:
        return
    unclear = next((answer for answer in answers if isinstance(answer, str)), "")
    if unclear and _is_whole(repository, digest):
        raise Unreachable(f"cosign could not tell who signed {model}@{digest[:19]}: {unclear}", mend="run again")
    raise NotSigned(f"{model}@{digest[:19]} is not signed by {_named(keys)}{_how(unclear)}", mend=mend)


def is_signed(model: str, digest: str, *, workplace: Workplace) -> bool:
    """Whether `verify` lets this digest pass; what the registry does not have is signed by nobody.

    Raises:
        Unreachable: nobody can tell now.
    """
    try:
        verify(model, digest, workplace=workplace, mend="")
    except (NotSigned, NoSuchImage):
        return False
    return True


def how_to_sign(tag: ReleaseTag, digest: str, *, workplace: Workplace) -> str:
    """What signs an image that is pushed already: no workflow could be given a revision, or what was adopted."""
    adopted = workplace.history.baseline(tag)
    if adopted is not None:
        adopt = commands.adopt(
            tag.model, environment=adopted.environment, version=tag.image_tag, what=f"--image {digest}"
        )
        return f"adopt it again where the signing key is set, which signs the image that is there: {adopt}"
    if tag.revision > 1:
        return (
            "build it again where the signing key is set, which signs the image that is there: "
            f"slipway build-image {tag}"
        )
    return (
        "release it again, which signs the image that is there: "
        f"gh workflow run release.yml -f tag={tag} -f model={tag.model}"
    )


def _answer(repository: Repository, digest: str, key: PublicKey, workplace: Workplace) -> bool | str:
    with written(key.content) as public:
        return Cosign(_host(workplace)).verifies(_image(repository, digest), public)


def _is_whole(repository: Repository, digest: str) -> bool:
    """Whether all of the signature can be read; what is gone or altered will not come back by another try."""
    try:
        manifest = repository.manifest(f"{digest.replace(':', '-')}.sig")
        for blob in blobs_of(manifest.content):
            with repository.blob(blob) as chunks:
                for _ in chunks:
                    pass
    except (NoSuchImage, DigestMismatch):
        return False
    return True


def _public_key(path: str, commit: str, workplace: Workplace) -> PublicKey:
    forge = workplace.forge
    content = forge.read(commit, path)
    if content is None or not content.lstrip().startswith(_HEAD):
        lacks = "does not exist" if content is None else "is no public key of cosign"
        raise BadFile(
            f"{path}, which slipway.yaml names among signing_keys, {lacks} on {forge.default_branch}",
            mend=f"cosign generate-key-pair, then commit its cosign.pub as {path}",
        )
    return PublicKey(path, content)


def _named(keys: tuple[PublicKey, ...]) -> str:
    paths = ", ".join(key.path for key in keys)
    return paths if len(keys) == 1 else f"any of {paths}"


def _how(unclear: str) -> str:
    return f": its signature is not whole ({unclear})" if unclear else ""


def _host(workplace: Workplace) -> str:
    return workplace.settings.image_registry.partition("/")[0]


def _image(repository: Repository, digest: str) -> str:
    return f"{repository.home}/{repository.name}@{digest}"
