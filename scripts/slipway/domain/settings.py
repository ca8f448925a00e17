"""What a repository answers once, in `slipway.yaml`."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from slipway.domain.declared import Declared
from slipway.domain.log_address import LogAddress, is_table
from slipway.domain.tag import is_model_name

_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")
_IMAGE = re.compile(r"[^\s@]+/[a-z0-9._-]+@sha256:[0-9a-f]{64}")


class RolloutEngine(StrEnum):
    """What runs a deployed model; for `argo-cd` and `flux` somebody else applies, and Slipway waits."""

    PROCESS = "process"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"
    ARGO_CD = "argo-cd"
    FLUX = "flux"

    @property
    def pulls_images(self) -> bool:
        """Whether it runs whole images, of a registry and on a runtime image; `process` has the server's code here."""
        return self is not RolloutEngine.PROCESS

    @property
    def is_cluster(self) -> bool:
        """Whether a manifest is what kustomize renders into a Deployment."""
        return self in (RolloutEngine.KUBERNETES, RolloutEngine.ARGO_CD, RolloutEngine.FLUX)


def _an_environment(name: str) -> str:
    if not is_model_name(name) or (name[:1] == "v" and name[1:2].isdigit()):
        raise ValueError("must have lower-case letters, digits and dashes only, and must not look like a version")
    return name


def _a_context(name: str) -> str:
    if re.fullmatch(r"[^\s-]\S*", name) is None:
        raise ValueError("must be the name of a context, as `kubectl config get-contexts` lists it")
    return name


def _an_image(reference: str) -> str:
    if _IMAGE.fullmatch(reference) is None:
        raise ValueError(
            "must be HOST/PREFIX/NAME@sha256: and 64 hexadecimal digits; a tag may be another image tomorrow"
        )
    return reference


def _a_place(address: str) -> str:
    if is_table(address):
        LogAddress.parse(address)
        return address
    scheme, found, rest = address.partition("://")
    if found and (scheme not in ("s3", "gs") or not rest or "@" in rest or "?" in rest):
        raise ValueError(
            "must be a folder, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or DRIVER://?database=…&table=…; "
            "credentials come from the environment"
        )
    return address


def _a_public_key(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not path.endswith(".pub") or path.startswith("/") or ".." in parts:
        raise ValueError("must be a file of this repository whose name ends in .pub, such as cosign.pub")
    return path


def _a_receiver(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_near = host in ("localhost", "::1") or _LOOPBACK.fullmatch(host) is not None
    if not host or parts.username or parts.scheme not in (("https", "http") if is_near else ("https",)):
        raise ValueError(
            "must be https://HOST/PATH, without credentials; http is for this machine alone, such as 127.0.0.1"
        )
    return url


class LogMode(StrEnum):
    """`rows`: all inputs and outputs; `sketch`: how many rows fell into which cell of the profile, and no value."""

    ROWS = "rows"
    SKETCH = "sketch"


class WatchOn(StrEnum):
    """`process`: rows of the served log are counted by the process that watches; `spark`: by Spark, where they lie."""

    PROCESS = "process"
    SPARK = "spark"


class Environment(Declared):
    """`context` is one of the kubeconfig, for engines that ask a cluster; without one, the current one."""

    name: Annotated[str, AfterValidator(_an_environment)]
    context: Annotated[str, AfterValidator(_a_context)] | None = None


class Settings(Declared):
    """`image_registry` is `HOST/PREFIX`, or `layout:FOLDER` for a folder in OCI image layout.

    `runtime_image` is what releases append their model to; without one, to the server's code alone. `served_log` and
    `labels` are folders, `s3://BUCKET/FOLDER`, `gs://BUCKET/FOLDER`, or tables that somebody else writes:
    `DRIVER://?database=…&table=…`. `signing_keys` are public keys of cosign: the first one's pair signs releases, and a
    signature by any of them is good. `incident_webhook` is told what becomes of incidents.
    """

    image_registry: str = Field(min_length=1)
    runtime_image: Annotated[str, AfterValidator(_an_image)] | None = None
    rollout_engine: RolloutEngine = RolloutEngine.PROCESS
    environments: tuple[Environment, ...] = (Environment(name="production"),)
    served_log: Annotated[str, AfterValidator(_a_place)] = ".slipway/served"
    log_mode: LogMode = LogMode.ROWS
    watch_on: WatchOn = WatchOn.PROCESS
    labels: Annotated[str, AfterValidator(_a_place)] = ".slipway/labels"

    incident_webhook: Annotated[str, AfterValidator(_a_receiver)] | None = None
    signing_keys: tuple[Annotated[str, AfterValidator(_a_public_key)], ...] = ()

    @model_validator(mode="after")
    def _signatures_have_a_registry(self) -> Self:
        if self.signing_keys and self.image_registry.startswith("layout:"):
            raise ValueError("signing_keys: cosign signs in a registry, and image_registry is a folder")
        return self

    @model_validator(mode="after")
    def _engines_have_a_registry(self) -> Self:
        if self.rollout_engine.pulls_images and self.image_registry.startswith("layout:"):
            raise ValueError(
                f"rollout_engine: {self.rollout_engine} pulls images from a registry, and image_registry is a folder: "
                "name a registry, such as ghcr.io/OWNER"
            )
        return self

    @model_validator(mode="after")
    def _contexts_are_of_clusters(self) -> Self:
        named = [environment.name for environment in self.environments if environment.context is not None]
        if named and not self.rollout_engine.is_cluster:
            raise ValueError(
                f"environments: {named[0]}: context: the engine {self.rollout_engine} asks no cluster; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _spark_reads_files(self) -> Self:
        if self.watch_on is WatchOn.SPARK and is_table(self.served_log):
            raise ValueError("watch_on: spark reads folders and buckets, and served_log is a table")
        return self

    @model_validator(mode="after")
    def _servers_write_files(self) -> Self:
        if self.log_mode is LogMode.SKETCH and is_table(self.served_log):
            raise ValueError("log_mode: servers write counts into folders and buckets, and served_log is a table")
        return self

    @model_validator(mode="after")
    def _environments_differ(self) -> Self:
        names = [environment.name for environment in self.environments]
        if not names or len(set(names)) != len(names):
            raise ValueError("environments: name at least one, each once")
        return self

    @property
    def first(self) -> str:
        """The first environment of the list: where a release is proposed."""
        return self.environments[0].name

    @property
    def production(self) -> str:
        """The last environment of the list: where users are."""
        return self.environments[-1].name

    def after(self, name: str) -> str | None:
        """The environment that a version passes next; None after the last, and for one that is not listed."""
        names = [environment.name for environment in self.environments]
        following = names[names.index(name) + 1 :] if name in names else []
        return following[0] if following else None
