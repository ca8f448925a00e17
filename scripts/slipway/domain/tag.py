"""What a release is called: `fraud-detector@v1.4.0`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from semver import Version

from slipway.errors import BadTag

# The characters that a model's folder, an OCI repository name and a Kubernetes label have in common.
MODEL_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_NAME = 63  # of a Kubernetes label
_NAME_AT_VERSION = re.compile(r"(?P<name>[^@]+)@v(?P<version>.+)", re.ASCII)


class Bump(StrEnum):
    """Which promise a version makes against the one before it."""

    FIRST = "first"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class ReleaseTag:
    """A model and a version; prints as the git tag."""

    model: str
    version: Version

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a git tag.

        Raises:
            BadTag: the text is no `name@vX.Y.Z`, or carries build metadata.
        """
        match = _NAME_AT_VERSION.fullmatch(text)
        if match is None or not Version.is_valid(match["version"]):
            raise BadTag(
                f"`{text}` is no release tag: a release is called NAME@vMAJOR.MINOR.PATCH",
                mend=f"git tag -d '{text}', then for example git tag -a {_suggestion(text)}",
            )
        if not is_model_name(match["name"]):
            raise BadTag(
                f"`{text}` names the model `{match['name']}`: a model's name has lower-case letters, digits and "
                f"single dashes, at most {_LONGEST_NAME} characters",
                mend=f"git tag -d '{text}', then tag with the name of a folder under models/",
            )
        version = Version.parse(match["version"])
        if version.build is not None:
            raise BadTag(
                f"`{text}` carries build metadata (`+{version.build}`), which no image tag can hold",
                mend=f"git tag -d '{text}' && git tag -a {match['name']}@v{version.replace(build=None)}",
            )
        return cls(match["name"], version)

    @property
    def image_tag(self) -> str:
        """`v1.4.0`: `@` is illegal in an OCI tag."""
        return f"v{self.version}"

    def __str__(self) -> str:
        return f"{self.model}@v{self.version}"


def is_model_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and MODEL_NAME.fullmatch(text) is not None


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


def _suggestion(text: str) -> str:
    before, _, after = text.partition("@")
    name = before if is_model_name(before) else "flight-delay"
    numbers = [str(int(part)) for part in re.findall(r"\d+", after)[:3]] or ["1"]
    return f"{name}@v{'.'.join([*numbers, *['0'] * (3 - len(numbers))])}"
