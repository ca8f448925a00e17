"""The template's folder links to the one source, completely, and tools see that source once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.template.bench import PROJECT, ROOT

# What a generated repository does not get, and why.
TEMPLATE_ONLY = {
    ".ci": "the template's own checks",
    ".github": "workflows are linked one by one, see below",
    "CHANGELOG.md": "of the template's releases; a team has its own",
    "cookiecutter.json": "the questions",
    "demo": "tells the story of the template",
    "deploy": "linked by folder, see below; deploy/engine is rendered by the answer",
    "hooks": "run while generating",
    "models": "only the example, and only where it is wanted",
    "tests": "linked by folder, see below",
    PROJECT: "the template itself",
}
TEMPLATE_ONLY_TESTS = {
    "benchmarks": "compare the template with what people use instead; started by hand",
    "contract": "other servers' clients take 400 MB; whoever edits the server has its unit tests",
    "databases": "need PostgreSQL; whoever edits the log has its unit tests, with SQLite",
    "demo": "the demo stays behind",
    "deploy": "hold what is rendered against types of npm; `make lint` of a team needs no network",
    "e2e": "the whole loop and the template, from outside",
    "guides": "follow the guides from a clone of the template; a team gets the pages as they are",
    "mlflow": "need a whole MLflow server, 700 MB; what is told has tests without one",
    "models": "only the example's",
    "monitoring": "need Prometheus, Alertmanager, Pushgateway, node_exporter and npm; the dashboard has its unit test",
    "mutations": "show what the bounds of the fidelity gate catch, which nobody changes by an answer",
    "neighbours": "need GTO, DVC and the Hub's library; the tags, pointers and cards that they read have unit tests",
    "orchestrators": "need Airflow and Prefect, a minute to install; what they run has its own tests",
    "object_stores": "need Debian's Swift and an emulator; whoever edits the log has its unit tests",
    "pictures": "make those of docs/, which a team gets as they are",
    "signatures": "need cosign and a registry",
    "sources": "need Swift, emulators of other stores and a registry; addresses have unit tests",
    "spark": "need Java and Spark; the kernel that runs there has its unit tests",
    "template": "this folder",
    "workflows": "run the workflows by act, with the example; a team has the same files",
}
RENDERED = {".gitattributes", ".gitignore", "CODEOWNERS", "README.md", "slipway.yaml", "models/README.md"}
ENGINES = {  # of which an answer keeps one folder at most
    "deploy/engine/argo-cd/application-set.yaml",
    "deploy/engine/flux/environments.yaml",
    "deploy/engine/flux/source.yaml",
    "deploy/engine/kubernetes/README.md",
}


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _tracked(folder: str = "") -> set[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", folder or "."], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name for name in listing.stdout.split("\0") if name}


def _links() -> dict[str, str]:
    """Each link of the template's folder and the root's path that it leads to."""
    project = ROOT / PROJECT
    links = [path for name in _tracked(PROJECT) if (path := ROOT / name).is_symlink()]
    return {path.relative_to(project).as_posix(): path.resolve().relative_to(ROOT).as_posix() for path in links}


def test_every_part_of_the_root_is_linked_rendered_or_left_behind_with_a_reason() -> None:
    """A new folder that nobody links is missing in every team's repository."""
    parts = {Path(name).parts[0] for name in _tracked()}
    assert sorted(parts - set(_links()) - RENDERED - set(TEMPLATE_ONLY)) == []


def test_every_folder_of_tests_is_linked_or_left_behind_with_a_reason() -> None:
    """A team that edits vendored code needs the tests of that code."""
    parts = {"/".join(Path(name).parts[:2]) for name in _tracked("tests")}
    left_behind = {f"tests/{name}" for name in TEMPLATE_ONLY_TESTS}
    assert sorted(parts - set(_links()) - left_behind) == []


def test_every_part_of_deploy_is_linked() -> None:
    """A base that a team lacks is a cluster that runs nothing."""
    parts = {"/".join(Path(name).parts[:2]) for name in _tracked("deploy")}
    assert sorted(parts - set(_links())) == []


def test_every_workflow_but_the_templates_own_is_linked() -> None:
    """A workflow that is not linked never runs at a team; one of the template's own must not."""
    workflows = {name for name in _tracked() if name.startswith(".github/workflows/")}
    wanted = {name for name in workflows if not Path(name).name.startswith("template-")}
    assert {name for name in _links() if name.startswith(".github/workflows/")} == wanted


def test_links_lead_to_tracked_files_of_the_same_name() -> None:
    """A link to something that only lies on one machine is broken on all others."""
    tracked = _tracked()
    for link, target in _links().items():
        assert link == target
        assert any(name == target or name.startswith(f"{target}/") for name in tracked)


def test_links_and_nothing_else_are_copied_without_rendering() -> None:
    """A linked folder that is not named there arrives empty, since cookiecutter does not walk through links."""
    patterns = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))["_copy_without_render"]
    assert [name for name in patterns if "*" in name] == [".github/workflows/*.yml"]
    links = {name for name in _links() if not name.startswith(".github/workflows/")}
    assert {name for name in patterns if "*" not in name} == links


def test_what_is_rendered_is_known() -> None:
    """Anything else in the folder is a copy of a file that would have to be kept up to date twice."""
    inside = {Path(name).relative_to(PROJECT).as_posix() for name in _tracked(PROJECT)}
    assert inside - set(_links()) == RENDERED | ENGINES


def test_the_two_gitignore_files_agree() -> None:
    """git follows no link for this file, so there have to be two."""
    assert (ROOT / PROJECT / ".gitignore").read_text() == (ROOT / ".gitignore").read_text()


def test_tools_see_each_file_once() -> None:
    """Through the links every test would run twice, and every finding would be told twice."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    checked = _output(sys.executable, "-m", "ruff", "check", "--show-files", ".")

    assert "hooks/pre_gen_project.py" in checked
    assert PROJECT not in checked
    assert settings["pytest"]["ini_options"]["testpaths"] == ["tests"]
    assert any(re.search(pattern, f"{PROJECT}/scripts/slipway/errors.py") for pattern in settings["mypy"]["exclude"])


@pytest.mark.parametrize("name", ["deploy", "models"])
def test_updates_are_told_to_leave_a_teams_folders_alone(name: str) -> None:
    """An update must never change what runs."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert name in settings["cruft"]["skip"]
