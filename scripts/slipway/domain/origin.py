"""Where the source of a release came from, when it did not lie in its commit: address, digests, and its training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from slipway.domain.pages import Body, File, Frozen


class Dataset(Frozen):
    """What a model was trained on, by the name and digest that were logged."""

    name: str
    digest: str


class Training(Frozen):
    """What a tracking server tells of the run that made a model; what it does not tell is None or empty.

    `tracking_server` is a host's name, without credentials. `commit` is the one that was trained from.
    """

    tracking_server: str | None = None
    run_id: str | None = None
    experiment: str | None = None
    datasets: tuple[Dataset, ...] = ()
    commit: str | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    model_name: str | None = None
    model_version: str | None = None


class FetchedFile(File):
    """One file of a source; its `name` is its path below the source's folder, with `/`."""

    @property
    def path(self) -> str:
        return self.name


class Origin(Frozen):
    """A source that was fetched: `address` as model.yaml names it, `resolved` what that meant then, for good.

    `resolved` is the address with a commit, a digest, or a version in place of what can move; `sha256` is the digest of
    all files, `sha256:…` as `digest_of_files` makes it.
    """

    address: str
    resolved: str
    sha256: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    files: tuple[FetchedFile, ...] = Field(min_length=1)
    training: Training | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Source(Body):
    """What was fetched for one tag or working tree, by the only job that has the credentials for it."""

    kind: ClassVar[str] = "source"

    origin: Origin


def digest_of_files(files: Iterable[FetchedFile]) -> str:
    """As `digest_of_tree` of a folder that holds these files."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path.split("/")):
        digest.update(f"{file.path}\0{file.sha256}\n".encode())
    return f"sha256:{digest.hexdigest()}"
