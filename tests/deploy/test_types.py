"""What Argo CD, Argo Rollouts, Flux, gateways and Prometheus read has types of its own; none of it runs here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from slipway.adapters.yaml_files import read_yaml
from slipway.domain.settings import RolloutEngine, Settings

from tests.deploy.test_guide import GATEWAY, ROLLOUTS, written
from tests.deploy.trees import Document, edit, of_kind, released, rendered
from tests.template.bench import PROJECT, ROOT, bench_with_our_caches, copy_of_the_template

pytestmark = pytest.mark.xdist_group("manifest types")
TYPES = Path(__file__).with_name("types")
PACKAGES = "@kubernetes-models"
IMPORTS = {
    "ApplicationSet": f"{PACKAGES}/argo-cd/argoproj.io/v1alpha1/ApplicationSet",
    "GitRepository": f"{PACKAGES}/flux-cd/source.toolkit.fluxcd.io/v1/GitRepository",
    "HTTPRoute": f"{PACKAGES}/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
    "Kustomization": f"{PACKAGES}/flux-cd/kustomize.toolkit.fluxcd.io/v1/Kustomization",
    "Rollout": f"{PACKAGES}/argo-rollouts/argoproj.io/v1alpha1/Rollout",
    "ServiceMonitor": f"{PACKAGES}/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor",
}
MISTAKES = {  # by kind: a field that is misspelt, and one with a value of another type
    "ApplicationSet": [('"directories"', '"directory"'), ('"goTemplate": true', '"goTemplate": "true"')],
    "GitRepository": [('"interval"', '"every"'), ('"branch": "main"', '"branch": 1')],
    "HTTPRoute": [('"backendRefs"', '"backends"'), ('"weight": 25', '"weight": "25"')],
    "Kustomization": [('"sourceRef"', '"sourceref"'), ('"prune": true', '"prune": "yes"')],
    "Rollout": [('"workloadRef"', '"workloadref"'), ('"setWeight": 25', '"setWeight": "25"')],
    "ServiceMonitor": [('"endpoints"', '"endpoint"'), ('"port": "http"', '"port": 8080')],
}


def _as_typescript(kind: str, document: str) -> str:
    return f'import type {{ I{kind} }} from "{IMPORTS[kind]}";\nexport const manifest: I{kind} = {document};\n'


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[RolloutEngine, Path]:
    """A repository of each engine that reads something of it."""
    folder = tmp_path_factory.mktemp("generated")
    bench, template = bench_with_our_caches(folder), copy_of_the_template(folder / "slipway")
    return {
        engine: bench.generated(
            template,
            into=folder / engine,
            answers={"rollout_engine": engine, "image_registry": "ghcr.io/acme", "repo_slug": "Team_models.2"},
        )
        for engine in RolloutEngine
    }


@pytest.fixture(scope="module")
def documents(generated: dict[RolloutEngine, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    argo_cd = generated[RolloutEngine.ARGO_CD] / "deploy" / "engine" / "argo-cd"
    flux = generated[RolloutEngine.FLUX] / "deploy" / "engine" / "flux"
    found = {
        "ApplicationSet": yaml.safe_load((argo_cd / "application-set.yaml").read_text()),
        "GitRepository": yaml.safe_load((flux / "source.yaml").read_text()),
        "HTTPRoute": of_kind("HTTPRoute", rendered(written(GATEWAY, tmp_path_factory.mktemp("gateway")))),
        "Kustomization": yaml.safe_load((flux / "environments.yaml").read_text()),
        "Rollout": of_kind("Rollout", rendered(written(ROLLOUTS, tmp_path_factory.mktemp("rollouts")))),
        "ServiceMonitor": of_kind("ServiceMonitor", _monitored(tmp_path_factory.mktemp("monitored"))),
    }
    assert [document["kind"] for document in found.values()] == list(found)
    return found


def _monitored(folder: Path) -> list[Document]:
    """With the component that deploy/base names in a comment."""
    model = released(folder, engine=RolloutEngine.KUBERNETES)
    edit(folder / "deploy" / "base" / "kustomization.yaml", "# components: ", "components: ")
    return rendered(model)


@pytest.fixture(scope="module")
def errors(documents: dict[str, Document], tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """By file, how many errors TypeScript finds: of each kind, and of the same with each mistake."""
    folder = tmp_path_factory.mktemp("types") / "types"
    shutil.copytree(TYPES, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=240)
    for name, text in _files(documents):
        (folder / f"{name}.ts").write_text(text)
    done = subprocess.run(
        ["node_modules/.bin/tsc", "--pretty", "false"], cwd=folder, capture_output=True, text=True, check=False
    )
    found = re.findall(r"^(\w+)\.ts\(", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return Counter(found)


def _files(documents: dict[str, Document]) -> Iterator[tuple[str, str]]:
    for kind, document in documents.items():
        told = json.dumps(document)
        yield kind, _as_typescript(kind, told)
        for number, (before, after) in enumerate(MISTAKES[kind]):
            assert before in told
            yield f"{kind}{number}", _as_typescript(kind, told.replace(before, after))


@pytest.mark.parametrize("kind", IMPORTS)
def test_a_manifest_has_the_types_of_who_reads_it(kind: str, errors: Counter[str]) -> None:
    """No controller of theirs runs here, so this is the only look before a team's cluster."""
    assert errors[kind] == 0


@pytest.mark.parametrize("kind", IMPORTS)
def test_a_mistake_would_be_found(kind: str, errors: Counter[str]) -> None:
    """Where types are loose, every manifest passes."""
    assert [errors[f"{kind}{number}"] > 0 for number in range(len(MISTAKES[kind]))] == [True, True]


@pytest.mark.parametrize("engine", RolloutEngine)
def test_a_repository_has_the_files_of_its_engine_alone(
    engine: RolloutEngine, generated: dict[RolloutEngine, Path]
) -> None:
    """An ApplicationSet in a repository of Flux would be applied by whoever finds it."""
    of_template = {path.name for path in (ROOT / PROJECT / "deploy" / "engine").iterdir()}
    here = generated[engine] / "deploy" / "engine"

    assert read_yaml(generated[engine] / "slipway.yaml", Settings).rollout_engine is engine
    assert {path.name for path in here.glob("*")} == {engine.value} & of_template
    assert of_template == {one.value for one in RolloutEngine if one.is_cluster}


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if engine.is_cluster])
def test_the_first_release_of_a_generated_repository_renders(
    engine: RolloutEngine, generated: dict[RolloutEngine, Path]
) -> None:
    """What was generated is all that it builds on."""
    documents = rendered(released(generated[engine], engine=engine, model="tip"))

    assert of_kind("Deployment", documents)["metadata"]["name"] == "tip-server"


def test_a_new_model_is_found_without_a_change_of_the_cluster(
    documents: dict[str, Document], generated: dict[RolloutEngine, Path]
) -> None:
    """Argo CD takes what its globs match, and Flux each folder with a kustomization.yaml below its path."""
    repository = generated[RolloutEngine.ARGO_CD]
    released(repository, engine=RolloutEngine.ARGO_CD, model="new")
    (generator,) = documents["ApplicationSet"]["spec"]["generators"]
    taken = {path for path in repository.glob("deploy/*/*") if path.is_dir()}
    for directory in generator["git"]["directories"]:
        there = set(repository.glob(directory["path"]))
        taken = taken - there if directory.get("exclude") else taken & there

    assert "deploy/production/new" in {path.relative_to(repository).as_posix() for path in taken}
    assert {path.parent.name for path in taken} == {"production"}
    assert documents["Kustomization"]["spec"]["path"] == "./deploy/production"


def test_the_names_are_such_as_a_cluster_takes(documents: dict[str, Document]) -> None:
    """A repository may be called Team_models.2, and nothing of Kubernetes may."""
    source = documents["GitRepository"]
    assert documents["ApplicationSet"]["metadata"]["name"] == source["metadata"]["name"] == "team-models-2"
    assert documents["Kustomization"]["spec"]["sourceRef"]["name"] == "team-models-2"
    assert source["spec"]["url"] == "https://github.com/acme/Team_models.2.git"


def test_prometheus_finds_the_servers_of_one_model_under_the_names_that_the_rules_ask(
    documents: dict[str, Document],
) -> None:
    """Two monitors that select each other's servers would count each request twice."""
    spec = documents["ServiceMonitor"]["spec"]

    assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] == "flight-delay"
    told = {rule["targetLabel"]: rule for rule in spec["endpoints"][0]["relabelings"]}
    assert told["job"]["replacement"] == "slipway-server"
    assert told["environment"]["sourceLabels"] == ["__meta_kubernetes_namespace"]
