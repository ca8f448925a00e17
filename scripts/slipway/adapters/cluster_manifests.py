"""The manifest of a model on a cluster: what kustomize makes of deploy/base, with the model's name and image."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, Field

from slipway.adapters.yaml_files import parse_yaml, read_bounded
from slipway.domain.cluster_names import refused_service
from slipway.domain.upkeep import ManifestProblem
from slipway.errors import BadFile

BASE = "deploy/base/kustomization.yaml"
CANARY = "deploy/base/canary/kustomization.yaml"
_GUIDE = "docs/kubernetes.md"


class _Kustomization(BaseModel):
    resources: tuple[str, ...] | None = None
    components: tuple[str, ...] | None = None
    name_prefix: str | None = Field(default=None, alias="namePrefix")
    name_suffix: str | None = Field(default=None, alias="nameSuffix")
    namespace: str | None = None


def lines_for(model: str, *, environment: str) -> str:
    """What a manifest holds beside its header and its `images:`, to be applied as it is.

    All names begin with the model's, and the container `server` gets its image by a name that `images:` then replaces:
    kustomize writes `HOST/PREFIX/<model>:<version>@<digest>`. Prometheus' kind is none of Kubernetes, so its selector
    has to be named.
    """
    name, namespace = _plain(model), _plain(environment)
    container = f"{{name: server, image: {name}}}"
    return f"""\
resources: [../../base]
namespace: {namespace}
namePrefix: {model}-
labels:
  - pairs: {{app.kubernetes.io/name: {name}}}
    includeSelectors: true
    fields: [{{kind: ServiceMonitor, path: spec/selector/matchLabels, create: true}}]
patches: # the server's image is the one below
  - target: {{kind: Deployment, name: server}}
    patch: >-
      {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: server}},
      spec: {{template: {{spec: {{containers: [{container}]}}}}}}}}
"""


def problems_of(path: str, content: bytes, *, root: Path, model: str, environment: str) -> Iterator[ManifestProblem]:
    """A manifest that was written for another engine, or by a template whose deploy/base was empty: nothing would run.

    Nor would a cluster take names that are too long; what builds on something else than deploy/base is the team's own.

    Raises:
        BadFile: the manifest or deploy/base is no YAML, or names resources in another form than a list.
    """
    found = parse_yaml(content, _Kustomization, where=path)
    if not found.resources and not found.components:
        lines = lines_for(model, environment=environment).rstrip("\n").replace("\n", "\n    ")
        yield ManifestProblem(
            path=path,
            problem="it builds on nothing: a cluster would run no server of it",
            mend=f"add these lines, and leave `images:` as it is ({_GUIDE} says more):\n    {lines}",
        )
    elif "../../base" in (found.resources or ()):
        yield from _of_base(path, found, root)


def problems_in(root: Path, *, environments: Collection[str]) -> Iterator[ManifestProblem]:
    """The same of all manifests of a checkout, also of those that cannot be read."""
    for file in sorted(root.glob("deploy/*/*/kustomization.yaml")):
        path = file.relative_to(root).as_posix()
        _, environment, model, _ = path.split("/")
        if environment in environments:
            try:
                yield from problems_of(path, read_bounded(file), root=root, model=model, environment=environment)
            except BadFile as wrong:
                yield ManifestProblem(path=path, problem=wrong.problem, mend=wrong.mend)


def _of_base(path: str, found: _Kustomization, root: Path) -> Iterator[ManifestProblem]:
    if _is_empty(root / BASE):
        yield ManifestProblem(
            path=path,
            problem=f"it builds on {BASE}, which has no resources: a cluster would run no server of it",
            mend=f"take deploy/base from the template of today, as {_GUIDE} says",
        )
    refused = refused_service(found.name_prefix or "", found.name_suffix or "")
    if refused is not None:
        yield ManifestProblem(
            path=path,
            problem=f"namePrefix: {refused}",
            mend="write a shorter prefix that begins with a letter; the model keeps its name in labels and images",
        )


def in_one_namespace(
    root: Path, model: str, *, environment: str, contexts: Mapping[str, str | None]
) -> tuple[str, ...]:
    """The other environments whose manifest of a model goes to the same namespace of the same cluster.

    There the rollout of one finds the canary of the other by the model's name, and takes it away as one that no
    manifest names. What a manifest takes in from elsewhere is not looked at.

    Args:
        root: the checkout.
        model: whose manifests.
        environment: the one that has a canary.
        contexts: of the kubeconfig, by each environment; None is the current one.

    Raises:
        BadFile: one of these manifests is none.
    """
    same_cluster = [name for name, context in contexts.items() if context == contexts.get(environment)]
    files = {name: root / "deploy" / name / model / "kustomization.yaml" for name in same_cluster}
    namespaces = {name: _namespace(file) for name, file in files.items() if file.is_file()}
    here = namespaces.get(environment)
    return tuple(name for name, there in namespaces.items() if name != environment and there == here)


def _namespace(file: Path) -> str | None:
    return parse_yaml(read_bounded(file), _Kustomization, where=str(file)).namespace


def no_canary_component(path: str) -> ManifestProblem:
    """A repository whose deploy/base is of before there were canaries; updates leave deploy/ alone."""
    return ManifestProblem(
        path=path,
        problem=f"a canary needs {CANARY}, which is not there",
        mend=f"take deploy/base/canary from the template of today, as {_GUIDE} says",
    )


def _is_empty(base: Path) -> bool:
    return not base.is_file() or not parse_yaml(read_bounded(base), _Kustomization, where=BASE).resources


def _plain(name: str) -> str:
    """In quotes where YAML would read something else than a text, such as `on`."""
    return name if yaml.safe_load(name) == name else json.dumps(name)
