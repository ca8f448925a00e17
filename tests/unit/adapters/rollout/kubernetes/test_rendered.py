"""What is applied is what a commit holds, as a real kustomize renders it; names and all else are the team's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.rendered import (
    Rendered,
    Workload,
    digest_of,
    name_of,
    rendered,
    rendered_with,
    tag_of,
)
from slipway.errors import BadFile

from tests.unit.adapters.rollout.kubernetes.conftest import KUBECTL, NEW, OTHER, image

_BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  template:
    spec:
      containers:
        - {name: proxy, image: "mesh/proxy:v1"}
        - {name: server, image: model, ports: [{name: http, containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: server}
"""
_MANIFEST = f"""\
resources: [../../base]
namespace: staging
namePrefix: tip-
patches:
  - patch: '{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: server}},
      spec: {{template: {{spec: {{containers: [{{name: server, image: tip}}]}}}}}}}}'
images: [{{name: tip, newName: 127.0.0.1:5000/models/tip, newTag: v1.4.0, digest: "{NEW}"}}]
"""
_KUBECTL = Kubectl(environment="staging", program=KUBECTL)


class Tree:
    """A repository whose deploy/ is committed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        git.run("init", "--quiet", cwd=root)
        self.write("base/kustomization.yaml", "resources: [server.yaml]\n")
        self.write("base/server.yaml", _BASE)
        self.write("staging/tip/kustomization.yaml", _MANIFEST)

    def write(self, name: str, text: str) -> None:
        path = self.root / "deploy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self) -> str:
        git.run("add", "deploy", cwd=self.root)
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        git.run(*who, "commit", "--quiet", "--message=Deploy", cwd=self.root)
        return git.head_commit(self.root)

    def rendered(self, commit: str | None = None, *, model: str = "tip") -> Rendered | None:
        return rendered(model, "staging", repository=self.root, commit=commit or self.commit(), kubectl=_KUBECTL)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_deployment_is_found_by_the_image_of_its_container(tree: Tree) -> None:
    """Whatever it is called, and beside whatever else it runs."""
    found = tree.rendered()
    assert found is not None
    assert found.workload == Workload("staging", "tip-server", "server", image(NEW))
    assert b"kind: Service" in found.content


def test_what_lies_in_the_working_tree_plays_no_part(tree: Tree) -> None:
    """A runner may hold another branch, and a laptop half an edit."""
    commit = tree.commit()
    tree.write("staging/tip/kustomization.yaml", "namespace: production\n")
    tree.write("base/server.yaml", "kind: nonsense\n")
    found = tree.rendered(commit)
    assert found is not None
    assert found.workload.namespace == "staging"


def test_names_that_a_team_changed_are_followed(tree: Tree) -> None:
    """The manifest is theirs."""
    tree.write("base/server.yaml", _BASE.replace("name: server", "name: answers"))
    tree.write(
        "staging/tip/kustomization.yaml", _MANIFEST.replace("name: server", "name: answers").replace("tip-", "x-")
    )
    found = tree.rendered()
    assert found is not None
    assert (found.workload.name, found.workload.container) == ("x-answers", "answers")


def test_without_a_namespace_that_of_the_context_counts(tree: Tree) -> None:
    """Then kubectl is told none."""
    tree.write("staging/tip/kustomization.yaml", _MANIFEST.replace("namespace: staging\n", ""))
    found = tree.rendered()
    assert found is not None
    assert (found.workload.place, str(found.workload)) == ((), "tip-server")


def test_a_model_without_a_manifest_renders_to_nothing(tree: Tree) -> None:
    """Before its first release."""
    assert tree.rendered(model="other") is None


_BESIDE = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: server-canary}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/component: model-canary}}
    spec: {containers: [{name: server, image: model_canary}]}
"""
_CANARY = f'images: [{{name: model_canary, newName: 127.0.0.1:5000/models/tip, newTag: v1.4.0, digest: "{OTHER}"}}, '


def test_a_canary_is_told_from_what_it_stands_beside(tree: Tree) -> None:
    """Both run the model; to take one for the other would call a version live that gets a quarter of the requests."""
    tree.write("base/server.yaml", _BASE + _BESIDE)
    tree.write("staging/tip/kustomization.yaml", _MANIFEST.replace("images: [", _CANARY))
    found = tree.rendered()
    assert found is not None
    assert found.workload == Workload("staging", "tip-server", "server", image(NEW))
    assert found.canary == Workload("staging", "tip-server-canary", "server", image(OTHER))


def test_two_canaries_are_refused(tree: Tree) -> None:
    """Nobody could say which of them was judged."""
    tree.write("base/server.yaml", _BASE + _BESIDE + _BESIDE.replace("server-canary", "second"))
    tree.write("staging/tip/kustomization.yaml", _MANIFEST.replace("images: [", _CANARY))
    with pytest.raises(BadFile, match=r"found: staging/tip-second, staging/tip-server-canary"):
        tree.rendered()


def test_another_manifest_is_tried_in_the_place_of_that_of_a_commit(tree: Tree) -> None:
    """What a pull request would do to a cluster is known before it is opened."""
    commit = tree.commit()
    proposed = _MANIFEST.replace("namespace: staging", "namespace: elsewhere").encode()
    found = rendered_with(proposed, "tip", "staging", repository=tree.root, commit=commit, kubectl=_KUBECTL)
    assert found.workload.namespace == "elsewhere"
    assert found.canary is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image: model": "image: x", "image: tip": "image: y"}, "found: none"),
        ({"image: tip": "image: tip}, {name: proxy, image: tip"}, "found: staging/tip-server, staging/tip-server"),
        ({"resources: [../../base]": "resources: []"}, "kustomize cannot render it"),
        ({"../../base": "../../nowhere"}, "deploy/staging/tip"),
        ({"namePrefix": "namePrefx"}, "namePrefx"),
    ],
)
def test_a_manifest_that_runs_no_server_is_told_by_its_name(tree: Tree, change: dict[str, str], told: str) -> None:
    """kustomize names folders that are gone when its words are read."""
    text, base = _MANIFEST, _BASE
    for before, after in change.items():
        text, base = text.replace(before, after), base.replace(before, after)
    tree.write("staging/tip/kustomization.yaml", text)
    tree.write("base/server.yaml", base)

    with pytest.raises(BadFile) as caught:
        tree.rendered()

    assert caught.value.problem.startswith("deploy/staging/tip/kustomization.yaml: ")
    assert told in caught.value.problem
    assert "slipway-" not in caught.value.problem


def test_a_link_out_of_deploy_is_refused(tree: Tree) -> None:
    """What it names is the machine's, and reviewed by nobody."""
    (tree.root / "deploy" / "base" / "secret.yaml").symlink_to("/etc/hostname")
    with pytest.raises(BadFile, match=r"deploy/base/secret\.yaml is a link"):
        tree.rendered()


def test_a_rollout_reads_no_folder_outside_of_deploy(tree: Tree) -> None:
    """kustomize is content with any path; of the commit, only deploy/ is there."""
    (tree.root / "elsewhere").mkdir()
    (tree.root / "elsewhere" / "kustomization.yaml").write_text("resources: []\n")
    tree.write("staging/tip/kustomization.yaml", _MANIFEST.replace("../../base", "../../../elsewhere"))
    assert os.path.lexists(tree.root / "elsewhere")
    with pytest.raises(BadFile, match="kustomize cannot render it"):
        tree.rendered()


def test_an_address_names_the_workload_again() -> None:
    """The page of a live version holds nothing else of it."""
    for one in (Workload("staging", "tip", "server"), Workload("", "tip", "server")):
        assert Workload.at(one.url) == one


@pytest.mark.parametrize("name", ["tip", "tip:v1", "host:5000/tip:v1@sha256:0", "host/a/tip@sha256:0", "host:5000/tip"])
def test_an_image_is_taken_apart(name: str) -> None:
    """A port is no tag."""
    assert name_of(name) == "tip"
    assert tag_of(name) == ("v1" if ":v1" in name else "")
    assert digest_of(name) == ("sha256:0" if "@" in name else "")
