"""The manifest of a model as kustomize renders it: of a commit, and not of what lies in the working tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from slipway.adapters import git
from slipway.adapters.deploy_tree import FOLDER, manifest_path
from slipway.adapters.exported import export
from slipway.adapters.rollout.kubernetes import objects
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.errors import BadFile, GitRefused

_SCHEME = "kubernetes:"
_COMPONENT, _CANARY = "app.kubernetes.io/component", "model-canary"  # as deploy/base/canary says
OF_CANARIES = f"{_COMPONENT}={_CANARY}"


@dataclass(frozen=True, slots=True)
class Workload:
    """The Deployment that serves a model, and which of its containers does.

    `namespace` is empty where the manifest names none: it is then that of the kubeconfig's context. `image` is what the
    manifest asks for, empty where that is not known.
    """

    namespace: str
    name: str
    container: str
    image: str = ""

    @classmethod
    def at(cls, url: str) -> Self:
        """The workload that `url` names."""
        namespace, name, container = url.removeprefix(_SCHEME).split("/")
        return cls(namespace, name, container)

    @property
    def url(self) -> str:
        """Where it is, for who has the kubeconfig: names of Kubernetes have no slash."""
        return f"{_SCHEME}{self.namespace}/{self.name}/{self.container}"

    @property
    def place(self) -> tuple[str, ...]:
        """Its namespace, as kubectl takes it."""
        return ("--namespace", self.namespace) if self.namespace else ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Rendered:
    """`content` is what is applied, as kustomize printed it; `path` is the manifest that it came from.

    `canary` gets a share of the requests beside `workload`; it is None where that gets all of them.
    """

    path: str
    content: bytes
    workload: Workload
    canary: Workload | None = None


def rendered(model: str, environment: str, *, repository: Path, commit: str, kubectl: Kubectl) -> Rendered | None:
    """What `deploy/<environment>/<model>` of a commit renders to; None where that commit has no such folder.

    The Deployment is found by the image of one of its containers: names, labels and all else are the team's to edit.
    That of a canary has the same image, and is told by the label by which the Service leaves it out without it.

    Raises:
        BadFile: kustomize cannot render it, or it holds not one Deployment with a container of the model's image, or
            more than one of a canary.
    """
    manifest = git.read_file(repository, commit, manifest_path(environment, model))
    if manifest is None:
        return None
    return rendered_with(manifest, model, environment, repository=repository, commit=commit, kubectl=kubectl)


def rendered_with(
    manifest: bytes, model: str, environment: str, *, repository: Path, commit: str, kubectl: Kubectl
) -> Rendered:
    """What that folder of a commit would render to with another `manifest`.

    Raises:
        BadFile: as `rendered`.
    """
    path = manifest_path(environment, model)
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        tree = Path(folder) / FOLDER
        export(repository, commit, FOLDER, into=tree)
        (Path(folder) / path).write_bytes(manifest)
        return rendered_here(model, environment, root=Path(folder), kubectl=kubectl)


def rendered_here(model: str, environment: str, *, root: Path, kubectl: Kubectl) -> Rendered:
    """What the files under `root` render to, as they lie there.

    Raises:
        BadFile: as `rendered`.
    """
    path = manifest_path(environment, model)
    content = _built(root / FOLDER / environment / model, path, kubectl)
    found = list(_workloads(content, model, path))
    stable = [workload for tried, workload in found if not tried]
    canaries = [workload for tried, workload in found if tried]
    if len(stable) != 1 or len(canaries) > 1:
        raise _not_one(path, model, stable if len(stable) != 1 else canaries)
    return Rendered(path, content, stable[0], canaries[0] if canaries else None)


def fetched(repository: Path, commit: str) -> str:
    """A commit of the default branch, brought here where it is not here yet."""
    try:
        return git.commit_of(repository, commit)
    except GitRefused:
        git.fetch(repository)
        return git.commit_of(repository, commit)


def _built(folder: Path, path: str, kubectl: Kubectl) -> bytes:
    ended = kubectl.ended("kustomize", str(folder))
    if ended.code != 0:
        said = ended.said.replace(str(folder.parents[2]), "").replace(f"/{FOLDER}/", f"{FOLDER}/")
        raise BadFile(
            f"{path}: kustomize cannot render it: {said or 'it did not end'}",
            mend=f"correct what it names; this renders it: kubectl kustomize {Path(path).parent}",
        )
    return ended.out


def _not_one(path: str, model: str, found: Sequence[Workload]) -> BadFile:
    named = ", ".join(str(one) for one in found) or "none"
    return BadFile(
        f"{path}: one Deployment has to run {model}, in a container whose image is called so; found: {named}",
        mend="build on deploy/base, as the manifest of a new model does, and leave `images:` to name the model",
    )


def _workloads(content: bytes, model: str, path: str) -> Iterator[tuple[bool, Workload]]:
    """Each with whether it is that of a canary."""
    for document in documents(content, path):
        if document.get("kind") == "Deployment":
            deployment = objects.read(document, objects.Deployment)
            for container in deployment.spec.template.spec.containers:
                if name_of(container.image) == model:
                    where = deployment.metadata
                    yield is_canary(deployment), Workload(where.namespace, where.name, container.name, container.image)


def is_canary(deployment: objects.Deployment) -> bool:
    """As the Service tells its pods from those that have the rest of the requests."""
    return deployment.spec.template.metadata.labels.get(_COMPONENT) == _CANARY


def documents(content: bytes, path: str) -> list[dict[str, Any]]:
    """What was rendered, object by object.

    Raises:
        BadFile: it is no YAML.
    """
    try:
        found = list(yaml.load_all(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} renders to what is no YAML: {error}", mend="correct what it builds on") from error
    return [document for document in found if isinstance(document, dict)]


def name_of(image: str) -> str:
    """`model` of `host:5000/prefix/model:v1.4.0@sha256:…`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def tag_of(image: str) -> str:
    """`v1.4.0` of it; empty where there is none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def digest_of(image: str) -> str:
    """`sha256:…` of it; empty where there is none."""
    return image.partition("@")[2]
