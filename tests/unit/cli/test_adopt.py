"""The command of a team that never used Slipway before: what it prints, refuses and leaves alone."""

from __future__ import annotations

import json
import shutil

import pytest
from slipway.adapters import git
from slipway.adapters.trees import digest_of_tree

from tests.team import MODEL, Team
from tests.unit.cli.conftest import Run

_OPAQUE = f"registry.example.org/tips@sha256:{'7' * 64}"


@pytest.fixture
def new(team: Team) -> Team:
    """As if nothing had ever been released."""
    git.run("update-ref", "-d", "refs/heads/ledger", cwd=team.bare)
    shutil.rmtree(team.workplace.state)
    git.fetch(team.root)
    return team


def test_what_was_adopted_is_told_with_what_to_do_next(new: Team, run: Run) -> None:
    """The next lines are pasted by somebody who has read no guide."""
    said = run("adopt", MODEL, "--image", _OPAQUE, "--version", "v1.2.3")

    assert said.code == 0
    where = "deploy/production/tip/kustomization.yaml"
    commit = f'git add {where} && git commit -m "Say that production runs tip@v1.2.3" && git push'
    assert said.out.splitlines() == [
        f"tip@v1.2.3 is the baseline in production: image sha256:{'7' * 64}",
        f"  nothing of it can be asked: {_why(said.out)}",
        "  so the next release cannot be compared with it, and needs one waiver",
        f"  {where} says so; have it reviewed and merged: it changes nothing that runs",
        f"  next: {commit}, then slipway check tip",
    ]
    assert "newName: registry.example.org/tips\n" in (new.root / where).read_text()


def test_a_tag_before_the_digest_is_no_part_of_the_name(new: Team, run: Run) -> None:
    """So docker prints it; in a manifest the tag has a line of its own, and a name that holds one names nothing."""
    said = run("adopt", MODEL, "--image", _OPAQUE.replace("@", ":stable@"), "--version", "v1.2.3")

    assert said.code == 0
    assert "newName: registry.example.org/tips\n" in (new.root / "deploy/production/tip/kustomization.yaml").read_text()


def _why(out: str) -> str:
    return out.split("nothing of it can be asked: ", maxsplit=1)[1].split("\n", maxsplit=1)[0]


def test_the_page_is_json_and_a_dry_run_leaves_everything_as_it_is(new: Team, run: Run) -> None:
    """It is looked at before it is said for good."""
    before = digest_of_tree(new.root.parent)

    said = run("adopt", MODEL, "--image", _OPAQUE, "--version", "v1.2.3", "--dry-run", "--json")

    assert said.code == 0
    told = json.loads(said.out)
    assert (told["kind"], told["body"]["version"], told["body"]["environment"]) == ("baseline", "v1.2.3", "production")
    assert "dry run: would write deploy/production/tip/kustomization.yaml" in said.err
    assert "would commit to `ledger`" in said.err
    assert digest_of_tree(new.root.parent) == before


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--version", "v1.2.3"), "say what runs: --onnx FILE or --image DIGEST"),
        (("--image", _OPAQUE, "--onnx", "model.onnx", "--version", "v1.2.3"), "say what runs"),
        (("--image", "tips:latest", "--version", "v1.2.3"), "`tips:latest` is no digest"),
        (("--image", f"../tips@sha256:{'7' * 64}", "--version", "v1.2.3"), "or one of no name"),
        (("--image", f"https://ada@registry/tips@sha256:{'7' * 64}", "--version", "v1.2.3"), "or one of no name"),
        (("--image", _OPAQUE, "--version", "1.2.3"), "`1.2.3` is no version of a release: write it like v1.2.3"),
        (("--image", _OPAQUE, "--version", "v1.2.3+x"), "without build metadata"),
        (("--image", _OPAQUE, "--version", "v1.2.3", "--environment", "moon"), "none of slipway.yaml's environments"),
        (("--image", _OPAQUE), "Missing option '--version'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    new: Team, run: Run, words: tuple[str, ...], problem: str
) -> None:
    """Nobody who adopts knows the forms yet."""
    before = digest_of_tree(new.root.parent)

    said = run("adopt", MODEL, *words)

    assert said.code == 2
    assert problem in " ".join(said.err.split())
    assert digest_of_tree(new.root.parent) == before


@pytest.mark.parametrize("name", ["top", "../tip", "Tip"])
def test_a_name_of_no_model_is_called_that_and_no_wrong_tag(new: Team, run: Run, name: str) -> None:
    """Who adopts made no tag, and has none to delete."""
    said = run("adopt", name, "--image", _OPAQUE, "--version", "v1.2.3")

    assert said.code == 2
    assert f"models/{name}/model.yaml does not exist; declared models: tip" in said.err
    assert "git tag" not in said.err


def test_a_team_that_releases_already_is_told_so(run: Run) -> None:
    """A baseline is what ran before the first release."""
    said = run("adopt", MODEL, "--image", _OPAQUE, "--version", "v0.9.0")

    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "tip@v1.0.0 was released already: a baseline is what ran before the first release",
    )
