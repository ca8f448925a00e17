"""What a release is called: `fraud-detector@v1.4.0`; the same model on another runtime image: `…@v1.4.0_r2`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from semver import Version

from slipway.errors import BadTag

# The characters that a model's folder, an OCI repository name and a Kubernetes label have in common.
MODEL_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_NAME = 63  # of a Kubernetes label; a version becomes the value of one
_LONGEST_MESSAGE = 72  # characters: the first line of what git shows
_NAME_AT_VERSION = re.compile(r"(?P<name>[^@]+)@v(?P<version>.+?)(?:_r(?P<revision>[2-9]|[1-9][0-9]{1,5}))?", re.ASCII)


class Bump(StrEnum):
    """Which promise a version makes against the one before it."""

    FIRST = "first"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A model and a version; prints as the git tag.

    `revision` counts the runtime images that the version was put on. The first is the release itself; a later one has
    no git tag of its own.
    """

    model: str
    version: Version
    revision: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a git tag, or the name of a revision.

        Raises:
            BadTag: the text is no `name@vX.Y.Z` or `name@vX.Y.Z_rN`, or carries build metadata.
        """
        match = _NAME_AT_VERSION.fullmatch(text)
        version = _version(match["version"]) if match and len(text.rpartition("@v")[2]) < _LONGEST_NAME else None
        if match is None or version is None:
            raise BadTag(
                f"`{text}` is no release tag: a release is called NAME@vMAJOR.MINOR.PATCH", mend=_tag_instead(text)
            )
        if not is_model_name(match["name"]):
            raise BadTag(
                f"`{text}` names the model `{match['name']}`: a model's name has lower-case letters, digits and "
                f"single dashes, at most {_LONGEST_NAME} characters, as its folder under models/ has",
                mend=_tag_instead(text),
            )
        if version.build is not None:
            raise BadTag(
                f"`{text}` carries build metadata (`+{version.build}`), which no image tag can hold",
                mend=_tag_instead(text, cls(match["name"], version.replace(build=None))),
            )
        return cls(match["name"], version, int(match["revision"] or 1))

    @property
    def image_tag(self) -> str:
        """`v1.4.0` or `v1.4.0_r2`: `@` and `+` are illegal in an OCI tag."""
        return f"v{self.version}" if self.revision == 1 else f"v{self.version}_r{self.revision}"

    @property
    def git_tag(self) -> str:
        """The tag that every revision of the version comes from."""
        return f"{self.model}@v{self.version}"

    @property
    def precedence(self) -> tuple[Version, int]:
        """v1.4.0 < v1.4.0_r2 < v1.4.0_r10 < v1.4.1."""
        return self.version, self.revision

    def at_revision(self, revision: int) -> Self:
        return replace(self, revision=revision)

    def __str__(self) -> str:
        return f"{self.model}@{self.image_tag}"


def is_model_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and MODEL_NAME.fullmatch(text) is not None


def release_named(model: str, version: str) -> ReleaseTag | None:
    """What `v1.4.0` or `v1.4.0_r2` is of a model; None where it is no version."""
    try:
        return ReleaseTag.parse(f"{model}@{version}")
    except BadTag:
        return None


def version_in(name: str) -> Version:
    """The version that `v1.4.0` or `v1.4.0_r2` names.

    Raises:
        ValueError: it is neither.
    """
    match = _NAME_AT_VERSION.fullmatch(f"any@{name}")
    if match is None:
        raise ValueError(f"{name} is no version")
    return Version.parse(match["version"])


def covers(named: str, version: str) -> bool:
    """Whether what was said of `named` holds for `version`: of a version it holds for its revisions too.

    They are one model. What was said of a revision is about its runtime image, and holds for no other.
    """
    return named == version or named == f"v{version_in(version)}"


def bump_between(lower: Version | None, higher: Version) -> Bump:
    """Name the promise that `higher` makes; below 1.0.0 every minor may break, as SemVer says."""
    if lower is None:
        return Bump.FIRST
    if lower.major != higher.major:
        return Bump.MAJOR
    if lower.minor != higher.minor:
        return Bump.MAJOR if higher.major == 0 else Bump.MINOR
    return Bump.PATCH


def next_version(lower: Version | None, bump: Bump) -> Version:
    """The smallest version above `lower` that makes the promise `bump`."""
    if lower is None:
        return Version(1, 0, 0)
    if bump is Bump.PATCH:
        return lower.bump_patch()
    if bump is Bump.MINOR:
        return lower.bump_minor()
    return lower.bump_minor() if lower.major == 0 else lower.bump_major()


def tag_and_push(tag: ReleaseTag, message: str) -> tuple[str, str]:
    """The two lines that release: to paste into a shell, whatever the message holds."""
    text = first_line(message)
    quoted = shlex.quote(text) if set(text) & set('"$`\\!') else f'"{text}"'
    return f"git tag -a {tag} -m {quoted}", f"git push origin {tag}"


def first_line(message: str) -> str:
    """What git shows of a tag that is given this message: one line, of 72 characters at most, and never empty."""
    printable = "".join(character if character.isprintable() else " " for character in message)
    return " ".join(printable.split())[:_LONGEST_MESSAGE] or "Say what changed"


def _version(text: str) -> Version | None:
    """None where it is no version, or one that is too long for the image's tag."""
    if len(text) >= _LONGEST_NAME:
        return None
    try:
        return Version.parse(text)
    except ValueError:
        return None


def _tag_instead(text: str, better: ReleaseTag | None = None) -> str:
    """What to paste; a tag may hold quotes and dollars, so it is quoted for the shell."""
    return f"git tag -d {shlex.quote(text)}, then for example git tag -a {better or _suggestion(text)}"


def _suggestion(text: str) -> ReleaseTag:
    before, _, after = text.partition("@")
    name = before.lower() if is_model_name(before.lower()) else "flight-delay"
    numbers = [int(digits[:9]) for digits in re.findall(r"[0-9]+", after)[:3]] or [1]
    return ReleaseTag(name, Version(*numbers))
