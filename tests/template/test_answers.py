"""Answers that cannot work are refused before a file is written, with what would work."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.yaml_files import read_yaml
from slipway.domain.settings import RolloutEngine, Settings

from tests.template.bench import GOOD, Bench

BAD = {
    "a slug with a space": ({"repo_slug": "team models"}, "write it as team-models"),
    "a slug with a slash": ({"repo_slug": "acme/models"}, "write it as acme-models"),
    "a slug that git takes off": ({"repo_slug": "models.git"}, "write it as models"),
    "a slug that is an option": ({"repo_slug": "-models"}, "write it as models"),
    "a slug too long": ({"repo_slug": "m" * 101}, f"write it as {'m' * 100}"),
    "an empty owner": ({"github_owner": ""}, "name who owns the repository"),
    "an owner with a slash": ({"github_owner": "acme/models"}, "name who owns the repository"),
    "reviewers without @": ({"code_owners": "acme"}, "write @user or @organisation/team"),
    "one reviewer of two without @": ({"code_owners": "@acme/ml-team bob"}, "write @user or @organisation/team"),
    "no reviewers": ({"code_owners": ""}, "write @user or @organisation/team"),
    "a registry with a scheme": ({"image_registry": "https://ghcr.io/acme"}, "or such as ghcr.io/acme"),
    "a registry in upper case": ({"image_registry": "ghcr.io/Acme"}, "or such as ghcr.io/acme"),
    "a registry outside": ({"image_registry": "layout:../images"}, "write layout:.slipway/registry"),
    "a registry that is a host": ({"image_registry": "ghcr.io"}, "write layout:.slipway/registry"),
    "an engine of tomorrow": ({"rollout_engine": "nomad"}, "use one of: process, docker, kubernetes, argo-cd, flux"),
    "an engine that pulls, and a folder": ({"rollout_engine": "flux"}, "answer image_registry with HOST/PREFIX"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_answer_is_refused_with_its_mend(case: str, pristine: Path, bench: Bench) -> None:
    """Found out at the first release, the same answer would cost an afternoon."""
    answers, mend = BAD[case]
    done = bench.cookiecutter(pristine, into=bench.folder / "out", answers=answers)

    assert done.returncode != 0
    assert f"{next(iter(answers))}: `" in done.stderr
    assert f"mend: {mend}" in " ".join(done.stderr.split("\n  ")) or mend in done.stderr
    assert [path for path in (bench.folder / "out").rglob("*") if path.is_file()] == []


def test_all_bad_answers_are_told_at_once(pristine: Path, bench: Bench) -> None:
    """Six questions must not take six tries."""
    answers = {"github_owner": "", "code_owners": "bob", "rollout_engine": "ship"}
    told = bench.cookiecutter(pristine, into=bench.folder / "out", answers=answers).stderr

    assert [name for name in answers if f"{name}: `" in told] == list(answers)


def test_an_answer_never_becomes_code(pristine: Path, bench: Bench) -> None:
    """The hooks are Python with the answers written into them."""
    answers = {"code_owners": '"""); open("owned", "w").close()  # \\'}
    done = bench.cookiecutter(pristine, into=bench.folder / "out", answers=answers)

    assert "names nobody on GitHub" in done.stderr
    assert list(bench.folder.rglob("owned")) == []


def test_cruft_refuses_the_same(pristine: Path, bench: Bench) -> None:
    """Two ways to generate must not have two opinions."""
    done = bench.create(pristine, into=bench.folder / "out", answers={"github_owner": ""})

    assert done.returncode != 0
    assert "github_owner: `` is no GitHub user" in done.stderr
    assert list((bench.folder / "out").rglob("*")) == []


def test_the_engines_on_offer_are_those_that_exist(pristine: Path, bench: Bench) -> None:
    """An engine that Slipway learns must be offered, and no other."""
    engines = [engine.value for engine in RolloutEngine]
    told = bench.cookiecutter(pristine, into=bench.folder / "out", answers={"rollout_engine": "ship"}).stderr

    assert f"use one of: {', '.join(engines)}\n" in told


@pytest.mark.parametrize("registry", ["ghcr.io/acme", "localhost:5000/models", "layout:.slipway/registry"])
def test_answers_arrive_where_they_are_read(registry: str, pristine: Path, bench: Bench) -> None:
    """An answer that is asked for and then lost is worse than no question."""
    answers = {"image_registry": registry, "code_owners": "@acme/ml-team @bob", "repo_slug": "Team_models.2"}
    repository = bench.generated(pristine, into=bench.folder / "out", answers=answers)

    settings = read_yaml(repository / "slipway.yaml", Settings)
    assert (settings.image_registry, settings.rollout_engine) == (registry, RolloutEngine.PROCESS)
    assert "\n* @acme/ml-team @bob\n" in (repository / "CODEOWNERS").read_text()
    assert (repository / "README.md").read_text().startswith("# Team_models.2\n")


def test_without_the_example_nothing_of_it_is_left(pristine: Path, bench: Bench) -> None:
    """A team that declined the example must not have to find out what to delete."""
    repository = bench.generated(pristine, into=bench.folder / "out", answers={**GOOD, "include_example": "no"})

    assert list(repository.rglob("flight-delay")) == []
    assert [path.name for path in (repository / "models").iterdir()] == ["README.md"]
