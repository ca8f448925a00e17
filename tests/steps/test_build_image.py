"""The layer of a release: the same bytes wherever it is built, and none for what failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.manifests import Image as Stored
from slipway.adapters.registry.pull import pull_model_layer
from slipway.domain.pages import Page
from slipway.domain.release import Image
from slipway.errors import NoRuntimeImage, NotReleasable, TagTaken
from slipway.steps import build_image

from tests.team import Team, Tip


def built(team: Team, tag: str) -> Page[Image]:
    team.up_to_verdicts(tag)
    return build_image.run(team.record(tag), workplace=team.workplace)


def test_two_runs_in_two_checkouts_give_the_same_layer(team: Team) -> None:
    """Whoever doubts an image builds it again and compares one digest."""
    team.tag("tip@v1.0.0")
    other = team.clone("elsewhere")

    here, there = built(team, "tip@v1.0.0"), built(other, "tip@v1.0.0")

    assert here.body == there.body
    assert here.says_the_same_as(there)


def test_the_layer_holds_four_files_that_no_machine_changes(team: Team, tmp_path: Path) -> None:
    """Times, paths and hosts would make two digests of one model."""
    team.tag("tip@v1.0.0")

    image = built(team, "tip@v1.0.0").body

    files = pull_model_layer(team.workplace.registry, "tip", image.digest, tmp_path / "pulled")
    identity = json.loads(files["identity.json"].read_bytes())
    assert sorted(files) == ["README.md", "identity.json", "model.onnx", "profile.json"]
    assert identity.keys() == {"tag", "tag_object", "commit", "source_digest"}
    assert files["model.onnx"].read_bytes() == Tip().onnx()


def test_run_twice_it_returns_the_same_page(team: Team) -> None:
    """A run that was cut off is started again as a whole."""
    team.tag("tip@v1.0.0")
    first = built(team, "tip@v1.0.0")

    assert build_image.run(team.record("tip@v1.0.0"), workplace=team.workplace) == first


def test_an_image_that_the_registry_lost_is_put_back(live: Team) -> None:
    """The mend of a way back that is gone says so: build its tag again."""
    digest = live.record("tip@v1.0.0").page(Image, written_by="build-image").body.digest
    live.lose_images()

    again = build_image.run(live.record("tip@v1.0.0"), workplace=live.workplace)

    assert (again.number, again.body.digest) == (1, digest)
    assert pull_model_layer(live.workplace.registry, "tip", digest, live.workplace.layers)


def test_what_failed_has_no_image(team: Team) -> None:
    """An image in the registry is an invitation to deploy it."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))

    with pytest.raises(NotReleasable) as caught:
        built(team, "tip@v1.0.0")

    assert caught.value.problem == "tip@v1.0.0 failed: a version that failed gets no image"
    assert not (team.workplace.state / "registry").exists()


def test_no_tag_is_ever_moved_to_another_image(live: Team) -> None:
    """Another server below the same model is another image; who pulled v1.0.0 must still have v1.0.0."""
    live.write("serving/added.py", "# one file more\n")

    with pytest.raises(TagTaken):
        build_image.run(live.record("tip@v1.0.0"), workplace=live.workplace)


def name_runtime(team: Team, digest: str) -> None:
    text = (team.root / "slipway.yaml").read_text()
    team.write("slipway.yaml", f"{text}runtime_image: layout:.slipway/registry/runtime@{digest}\n")


def test_a_release_is_appended_to_the_runtime_image_that_is_named(team: Team) -> None:
    """What was merged runs: its layers first, and the model on top."""
    registry = team.workplace.registry
    digest = write_base_image(registry, "runtime", "3f2a", {"bin/python3": b"python"}, "linux/amd64")
    name_runtime(team, digest)
    team.commit("Name the runtime image")
    team.tag("tip@v1.0.0")

    image = built(team, "tip@v1.0.0").body

    base = Stored.read(registry.repository("runtime"), digest)
    stored = Stored.read(registry.repository("tip"), image.digest)
    assert image.runtime_digest == digest
    assert stored.layers[:-1] == base.layers
    assert stored.layers[-1].digest == image.layer_digest


def test_a_runtime_image_that_its_registry_does_not_hold_is_named_with_its_mend(team: Team) -> None:
    """A digest that was typed, or a package that somebody cleared: the release must say which, and what now."""
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")
    name_runtime(team, f"sha256:{'0' * 64}")

    with pytest.raises(NoRuntimeImage) as caught:
        build_image.run(team.record("tip@v1.0.0"), workplace=team.workplace)

    assert "slipway.yaml: runtime_image: its registry does not hold layout:.slipway/registry/runtime@" in str(
        caught.value
    )
    assert "merge the newest pull request of runtime-image.yml" in caught.value.mend
