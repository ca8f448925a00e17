"""What the manifest of a model says on a cluster; tests/deploy shows what kustomize makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from slipway.adapters.cluster_manifests import in_one_namespace, lines_for, problems_in, problems_of
from slipway.adapters.manifests import new_manifest, set_image
from slipway.domain.settings import RolloutEngine

_PATH = "deploy/staging/tip/kustomization.yaml"


def found(content: bytes, root: Path) -> list[str]:
    problems = problems_of(_PATH, content, root=root, model="tip", environment="staging")
    return [f"{one.problem}\n{one.mend}" for one in problems]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    base = tmp_path / "deploy" / "base" / "kustomization.yaml"
    base.parent.mkdir(parents=True)
    base.write_text("resources: [deployment.yaml]\n")
    return tmp_path


@pytest.mark.parametrize("engine", RolloutEngine)
def test_only_an_engine_of_a_cluster_has_more_than_an_image_in_a_manifest(engine: RolloutEngine) -> None:
    """Those that read the image alone get a manifest without a line that nothing reads."""
    told = yaml.safe_load(new_manifest("tip", environment="staging", engine=engine))
    more = {"resources", "namespace", "namePrefix", "labels", "patches"} if engine.is_cluster else set()

    assert set(told) == {"apiVersion", "kind", "images"} | more


@pytest.mark.parametrize("name", ["on", "1", "1e3", "null", "flight-delay"])
def test_a_name_stays_a_text(name: str) -> None:
    """`on` is a name that a team may choose, and YAML's word for true."""
    told = yaml.safe_load(lines_for(name, environment=name))
    (patch,) = told["patches"]

    assert (told["namespace"], told["namePrefix"]) == (name, f"{name}-")
    assert told["labels"][0]["pairs"] == {"app.kubernetes.io/name": name}
    assert yaml.safe_load(patch["patch"])["spec"]["template"]["spec"]["containers"][0]["image"] == name


def test_a_new_manifest_builds_on_the_base(root: Path) -> None:
    """Or each first release would end in a red check."""
    assert found(new_manifest("tip", environment="staging", engine=RolloutEngine.FLUX), root) == []


def test_a_manifest_of_another_engine_is_told_with_the_lines_that_it_lacks(root: Path) -> None:
    """A repository that changed its engine: kustomize is content with nothing, and so would be the cluster."""
    image = {"name": "tip", "new_name": "ghcr.io/acme/tip", "tag": "v1.0.0", "digest": f"sha256:{'a' * 64}"}
    before = set_image(new_manifest("tip", environment="staging", engine=RolloutEngine.PROCESS), **image)
    (told,) = found(before, root)
    lines = "\n".join(line[4:] for line in told.split("more):\n")[1].splitlines())

    mended = before.replace(b"images:", f"{lines}\nimages:".encode())

    assert found(mended, root) == []
    assert mended == set_image(new_manifest("tip", environment="staging", engine=RolloutEngine.KUBERNETES), **image)


@pytest.mark.parametrize("base", ["resources: []\n", "kind: Kustomization\n", None])
def test_an_empty_base_is_told(base: str | None, root: Path) -> None:
    """That of an older template held nothing, and no update touches deploy/."""
    path = root / "deploy" / "base" / "kustomization.yaml"
    path.write_text(base) if base else path.unlink()

    (told,) = found(new_manifest("tip", environment="staging", engine=RolloutEngine.ARGO_CD), root)

    assert "deploy/base/kustomization.yaml, which has no resources" in told


@pytest.mark.parametrize("own", ["resources: [server.yaml]\n", "components: [../../mine]\n"])
def test_a_manifest_that_builds_on_something_else_is_a_teams_own(own: str, root: Path) -> None:
    """deploy/ is theirs."""
    (root / "deploy" / "base" / "kustomization.yaml").unlink()
    assert found(own.encode(), root) == []


def test_a_prefix_that_makes_no_name_of_a_cluster_is_told_with_its_field(root: Path) -> None:
    """The apiserver would refuse the Service, and with it the whole manifest, after the merge."""
    long = f"{'a' * 57}-"
    (told,) = found(f"resources: [../../base]\nnamePrefix: {long}\n".encode(), root)

    assert told.startswith(f"namePrefix: the Service would be called `{long}server`, 64 characters")
    assert found(b"resources: [../../base]\nnamePrefix: short-\n", root) == []
    assert found(f"resources: [server.yaml]\nnamePrefix: {long}\n".encode(), root) == []


def test_all_manifests_of_a_checkout_are_looked_at_and_nothing_else(root: Path) -> None:
    """Folders of deploy/base are no models, and one that cannot be read hides no other."""
    for place, text in {
        "staging/tip": "images: []\n",
        "staging/broken": "images: [\n",
        "staging/well": "resources: [../../base]\n",
        "base/canary": "images: []\n",
    }.items():
        (root / "deploy" / place).mkdir(parents=True)
        (root / "deploy" / place / "kustomization.yaml").write_text(text)

    told = {one.path.split("/")[2]: one.problem for one in problems_in(root, environments=["staging"])}

    assert set(told) == {"broken", "tip"}
    assert "it builds on nothing" in told["tip"]


@pytest.mark.parametrize(
    ("namespaces", "contexts", "others"),
    [
        ({"dev": "dev", "prod": "prod"}, {"dev": None, "prod": None}, ()),
        ({"dev": "models", "prod": "models"}, {"dev": None, "prod": None}, ("dev",)),
        ({"dev": "models", "prod": "models"}, {"dev": "kind", "prod": "live"}, ()),  # two clusters
        ({"dev": None, "prod": None}, {"dev": "live", "prod": "live"}, ("dev",)),  # both go to that of the context
        ({"prod": "models"}, {"dev": None, "prod": None}, ()),  # the model is not in dev
    ],
)
def test_environments_that_share_a_namespace_are_found(
    root: Path, namespaces: dict[str, str | None], contexts: dict[str, str | None], others: tuple[str, ...]
) -> None:
    """The rollout of one would take the other's canary for one that was left behind, and delete it."""
    for environment, namespace in namespaces.items():
        path = root / "deploy" / environment / "tip" / "kustomization.yaml"
        path.parent.mkdir(parents=True)
        line = f"namespace: {namespace}\n" if namespace else ""
        path.write_text(f"resources: [../../base]\n{line}images: []\n")

    assert in_one_namespace(root, "tip", environment="prod", contexts=contexts) == others
