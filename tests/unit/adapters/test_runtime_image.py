"""The image that a release is appended to: the server's code, and nothing of this machine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.runtime_image import (
    address_of,
    changes,
    digest_of_runtime,
    is_there,
    runtime_for_process,
    runtime_of,
)
from slipway.adapters.workplace import Workplace
from slipway.domain.runtime import Change
from slipway.domain.settings import RolloutEngine, Settings
from slipway.errors import NoRuntimeImage

from tests.team import ROOT, Team, new_team


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "serving", folder / "serving", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_same_code_gives_the_same_image_anywhere(tmp_path: Path) -> None:
    """Or every checkout would release another digest of one model."""
    one = runtime_for_process(LayoutRegistry(tmp_path / "a"), copied(tmp_path / "here"))
    two = runtime_for_process(LayoutRegistry(tmp_path / "b"), copied(tmp_path / "there"))

    assert one.reference == two.reference
    assert one.reference.startswith("sha256:")


def test_pushed_twice_it_is_there_once(tmp_path: Path) -> None:
    """Each release asks for it."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)

    assert runtime_for_process(registry, root) == runtime_for_process(registry, root)


def test_other_code_is_another_image_beside_the_old_one(tmp_path: Path) -> None:
    """Images of earlier releases still need theirs."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)
    before = runtime_for_process(registry, root).reference
    (root / "serving" / "server.py").write_text("# changed\n")

    after = runtime_for_process(registry, root).reference

    assert before != after
    assert registry.repository("runtime").manifest(before).digest == before


def test_what_python_compiled_is_no_part_of_it(tmp_path: Path) -> None:
    """A server that has run must not change the next release."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)
    before = runtime_for_process(registry, root)
    (root / "serving" / "__pycache__").mkdir()
    (root / "serving" / "__pycache__" / "server.cpython-311.pyc").write_bytes(b"x")

    assert runtime_for_process(registry, root) == before


def at(registry: LayoutRegistry, image_registry: str, folder: Path) -> Workplace:
    place = new_team(folder).workplace
    return replace(place, registry=registry, settings=Settings(image_registry=image_registry))


def test_an_image_is_looked_for_before_it_is_built(tmp_path: Path) -> None:
    """A tag is made of what goes in, so what lies under it need not be built, and must not be moved."""
    registry = LayoutRegistry(tmp_path / "images")
    place = at(registry, "ghcr.io/acme", tmp_path)
    assert address_of("3f2a", place) == "ghcr.io/acme/runtime:3f2a"
    assert not is_there("3f2a", place)

    write_base_image(registry, "runtime", "3f2a", {"bin/python3": b"python"}, "linux/amd64")

    assert is_there("3f2a", place)


def test_no_engine_is_sent_to_a_folder(tmp_path: Path) -> None:
    """A repository that was generated for a laptop, and pushed to GitHub: the workflow says what it lacks."""
    with pytest.raises(NoRuntimeImage) as caught:
        address_of("3f2a", at(LayoutRegistry(tmp_path / "images"), "layout:images", tmp_path))

    assert "`layout:images` is a folder" in caught.value.problem
    assert "HOST/PREFIX" in caught.value.mend


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if engine is not RolloutEngine.PROCESS])
def test_the_servers_code_alone_is_released_for_no_engine_that_runs_images(
    engine: RolloutEngine, tmp_path: Path
) -> None:
    """Such an image starts nowhere: it would fail in production what can be told before it is pushed."""
    place = at(LayoutRegistry(tmp_path / "images"), "ghcr.io/acme", tmp_path)
    switched = replace(place, settings=place.settings.model_copy(update={"rollout_engine": engine}))
    assert runtime_of(place).reference == digest_of_runtime(place)

    for ask in (runtime_of, digest_of_runtime):
        with pytest.raises(NoRuntimeImage, match=f"`{engine}` has nothing to run a model in") as caught:
            ask(switched)
        assert "runtime-image.yml" in caught.value.mend


def test_only_commits_that_changed_the_image_are_told(tmp_path: Path) -> None:
    """Between two images lie a hundred commits to models, which are nobody's business here."""
    team: Team = new_team(tmp_path)
    before = git.head_commit(team.root)
    team.write("policies/other.yaml", "x: 1\n")
    team.commit("Judge otherwise")
    team.write("requirements/serving.txt", "orjson==4\n")
    after = team.commit("Take a newer orjson")

    assert changes(team.root, before, after) == (Change(commit=after, subject="Take a newer orjson"),)
    assert changes(team.root, after, after) == ()


@pytest.mark.parametrize("before", ["", "0" * 40, "--output=pwned", "main; touch pwned"])
def test_a_commit_that_is_not_known_is_no_change_that_is_known(before: str, tmp_path: Path) -> None:
    """The label of an image is what somebody wrote into it."""
    team = new_team(tmp_path)

    assert changes(team.root, before, "HEAD") is None
    assert not list(tmp_path.rglob("pwned"))
