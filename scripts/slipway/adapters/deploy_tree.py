"""What the default branch says should run, and what must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from slipway.adapters import manifests
from slipway.adapters.forge import Branches
from slipway.adapters.manifests import Deployed
from slipway.domain.policy import QuarantineEntry
from slipway.domain.tag import release_named
from slipway.errors import BadFile, NotReleasable

QUARANTINE = "deploy/quarantine.yaml"
FOLDER = "deploy"
_MANIFEST = re.compile(r"deploy/([^/]+)/([^/]+)/kustomization\.yaml")


def manifest_path(environment: str, model: str) -> str:
    return f"deploy/{environment}/{model}/kustomization.yaml"


def release_branch(environment: str, model: str, version: str) -> str:
    """Where a release is proposed for an environment."""
    return f"release/{environment}/{model}/{version}"


def proposed_by(branch: str) -> tuple[str, str] | None:
    """Environment and model of such a branch; None of any other."""
    match branch.split("/"):
        case ["release", environment, model, _]:
            return environment, model
    return None


def deployed(forge: Branches, *, environment: str, model: str) -> Deployed | None:
    """What the manifest at the head of the default branch deploys; None before the first release.

    Raises:
        BadFile: it is no manifest, or its newTag is no version.
    """
    path = manifest_path(environment, model)
    content = _at_head(forge, path)
    return None if content is None else _told(content, model=model, path=path)


def canary(forge: Branches, *, environment: str, model: str) -> Deployed | None:
    """What that manifest gives a share of the traffic beside it; None where no canary runs.

    Raises:
        BadFile: as `deployed`.
    """
    path = manifest_path(environment, model)
    content = _at_head(forge, path)
    if content is None:
        return None
    return _of_a_release(manifests.canary_of(content, name=model, where=path), model=model, path=path)


def everything_deployed(forge: Branches) -> Mapping[tuple[str, str], Deployed | BadFile]:
    """By environment and model, what the manifests at the head of the default branch deploy, all read at once.

    A manifest that cannot be read counts, with what is wrong; one that deploys nothing does not.
    """
    return deployed_by(files_at_head(forge, FOLDER))


def files_at_head(forge: Branches, *folders: str) -> Mapping[str, bytes]:
    """Path → content of what lies in `folders` of the default branch, of one commit and read at once."""
    head = forge.head(forge.default_branch)
    if head is None:
        return {}
    files = {path: blob for folder in folders for path, blob in forge.list_files(head, folder).items()}
    contents = forge.read_blobs(files.values())
    return {path: contents[blob] for path, blob in files.items()}


def deployed_by(files: Mapping[str, bytes]) -> Mapping[tuple[str, str], Deployed | BadFile]:
    """What the manifests among `files` deploy, as `everything_deployed` tells it."""
    places = {path: match for path in sorted(files) if (match := _MANIFEST.fullmatch(path))}
    found = {
        (match[1], match[2]): _told_or_wrong(files[path], model=match[2], path=path) for path, match in places.items()
    }
    return {place: told for place, told in found.items() if told is not None}


def _told_or_wrong(content: bytes, *, model: str, path: str) -> Deployed | BadFile | None:
    try:
        return _told(content, model=model, path=path)
    except BadFile as wrong:
        return wrong


def _told(content: bytes, *, model: str, path: str) -> Deployed | None:
    return _of_a_release(manifests.deployed(content, name=model, where=path), model=model, path=path)


def _of_a_release(found: Deployed | None, *, model: str, path: str) -> Deployed | None:
    if found is not None and not _is_release(model, found.tag):
        raise BadFile(
            f"{path}: newTag: `{found.tag}` is no version of {model}",
            mend="write the version that the digest belongs to, like newTag: v1.4.0",
        )
    return found


def quarantine(forge: Branches) -> tuple[QuarantineEntry, ...]:
    content = _at_head(forge, QUARANTINE)
    return () if content is None else manifests.entries(content, where=QUARANTINE)


def quarantined(forge: Branches, *, model: str, version: str) -> QuarantineEntry | None:
    """The entry that holds a version, read `v1.4.0`."""
    return next((entry for entry in quarantine(forge) if entry.holds(model, version)), None)


def refuse_quarantined(forge: Branches, *, model: str, version: str, called: str, otherwise: str = "") -> None:
    """Let nobody go on with a version, read `v1.4.0`, that an entry holds.

    `called` begins the refusal, and `otherwise` its mend: what to do but to ask for the entry to go.

    Raises:
        NotReleasable: it is in quarantine.
    """
    entry = quarantined(forge, model=model, version=version)
    if entry is not None:
        out = f"let an owner take the entry out of {QUARANTINE}"
        raise NotReleasable(
            entry.says_of(called),
            mend=f"{otherwise}, or {out}" if otherwise else out,
        )


@cache
def _is_release(model: str, version: str) -> bool:
    """Environments mostly run the same of a model."""
    return release_named(model, version) is not None


def _at_head(forge: Branches, path: str) -> bytes | None:
    head = forge.head(forge.default_branch)
    return None if head is None else forge.read(head, path)
