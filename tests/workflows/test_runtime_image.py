"""The runtime image, built by a real engine, pushed into a real registry, and run as production would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slipway.adapters import git
from slipway.adapters.bill_of_materials import packages_of
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.manifests import Image
from slipway.adapters.runtime_image import SOURCES
from slipway.domain.release import Image as Released

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.store import Thread
from tests.team import Team, Tip
from tests.workflows.attempts import Broken
from tests.workflows.conftest import Hosting, put_on
from tests.workflows.engine import answers, becomes, docker, infer, logs, running
from tests.workflows.rig import Ran, assert_whole

pytestmark = pytest.mark.xdist_group("docker")


@pytest.fixture(scope="module")
def proposed(
    base: str,
    _tooled: Team,
    _github: GitHub,
    registry_host: str,
    ready: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Hosting, Ran]:
    """What the workflow does of a push, once for all tests that look at it."""
    hosting = put_on(_github, _tooled, registry_host, tmp_path_factory.mktemp("runtime"), ready=ready)
    return hosting, _push(hosting, base)


@pytest.fixture
def pushed(
    broken: Broken | None, proposed: tuple[Hosting, Ran], base: str, request: pytest.FixtureRequest
) -> tuple[Hosting, Ran]:
    """The same, or a run of its own in which one step does nothing."""
    if broken is None:
        return proposed
    hosting: Hosting = request.getfixturevalue("hosting")
    return hosting, _push(hosting, base)


def _push(hosting: Hosting, base: str) -> Ran:
    return hosting.rig.with_app.run("runtime-image.yml", "push", variables={"SLIPWAY_BASE_IMAGE": base})


def proposal(hosting: Hosting) -> Thread:
    (pull,) = [thread for thread in hosting.hosted.threads.values() if thread.branch.startswith("runtime/")]
    return pull


def named(hosting: Hosting, branch: str) -> str:
    (line,) = [line for line in hosting.file(branch, "slipway.yaml").splitlines() if line.startswith("runtime_image:")]
    return line.removeprefix("runtime_image: ").strip('"')


def stored(reference: str) -> Image:
    address, _, digest = reference.partition("@")
    home, _, name = address.rpartition("/")
    return Image.read(open_registry(home).repository(name), digest)


def built(team: Team, base: str) -> str:
    """Run the script of the workflow's first job, in a checkout and without GitHub; what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SLIPWAY_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "actions/propose-runtime/build.sh"],
        cwd=team.root,
        env={**kept, "PATH": path, "BASE_IMAGE": base},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}"


def tag_in(said: str) -> str:
    return next(line for line in said.splitlines() if line.startswith("tag=")).removeprefix("tag=")


@pytest.mark.needs_each_step("runtime-image.yml")
def test_a_push_ends_in_an_image_and_the_proposal_of_its_digest(pushed: tuple[Hosting, Ran]) -> None:
    """A reviewer merges one line, and nothing is used before."""
    hosting, ran = pushed

    assert_whole(ran, "runtime-image.yml")
    reference = named(hosting, proposal(hosting).branch)
    assert reference.startswith(f"{hosting.registry}/runtime@sha256:")
    assert proposal(hosting).branch == f"runtime/{reference.partition('@')[2][7:19]}"
    assert reference.partition("@")[2] in (proposal(hosting).body or "")


def test_the_image_asks_for_nothing_and_says_where_it_comes_from(proposed: tuple[Hosting, Ran], base: str) -> None:
    """No user root and no form that needs a shell; and labels, by which the next proposal tells what changed."""
    hosting, _ran = proposed
    config: dict[str, Any] = stored(named(hosting, proposal(hosting).branch)).config["config"]

    assert config["User"] == "65532:65532"
    assert config["Healthcheck"]["Test"][0] == "CMD" and config["Entrypoint"][0] == "python3"
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["revision"] == hosting.hosted.line("log", "-1", "--format=%H", "main", "--", *SOURCES)
    assert labels["base.name"] == base
    assert labels["source"] == f"https://github.com/{hosting.hosted.name}"
    committed = datetime.fromtimestamp(int(hosting.hosted.line("log", "-1", "--format=%ct", labels["revision"])), UTC)
    assert labels["created"] == f"{committed:%Y-%m-%dT%H:%M:%SZ}"


def test_the_proposal_tells_of_all_packages_that_the_image_lists(proposed: tuple[Hosting, Ran]) -> None:
    """Those of Python, Python itself and the system's: what a scanner asks, and the next proposal compares."""
    hosting, _ran = proposed
    reference = named(hosting, proposal(hosting).branch)
    packages = packages_of(stored(reference), open_registry(hosting.registry).repository("runtime"))

    assert packages is not None
    assert {
        "pypi/onnxruntime",
        "pypi/numpy",
        "generic/python",
        "deb/debian/libc6",
        "deb/debian/dash",
    } <= packages.keys()
    assert not {"pypi/cyclonedx-bom", "pypi/lxml"} & packages.keys()  # what lists them stays out of the image
    assert f"The new image holds {len(packages)} packages." in (proposal(hosting).body or "")


def test_a_release_runs_without_root_shell_capabilities_or_a_root_to_write(proposed: tuple[Hosting, Ran]) -> None:
    """The whole point: what a tag released, pulled by its digest, answers as the model does."""
    hosting, _ran = proposed
    image = released_on(hosting, proposal(hosting).branch)
    inputs = [
        {"name": "bill", "datatype": "FP32", "shape": [2, 1], "data": [20.0, 70.5]},
        {"name": "kitchen", "datatype": "BYTES", "shape": [2, 1], "data": ["grill", "pizza"]},
    ]

    docker("pull", "--quiet", image)
    with running(image) as (name, address):
        assert becomes(lambda: answers(address)), logs(name)
        answer = infer(address, "tip", inputs)
        healthy = becomes(lambda: docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy")
        users = [line.split()[1] for line in docker("top", name, "-eo", "pid,uid").splitlines()[1:]]
        docker("stop", name)
        said = logs(name)
        state = json.loads(docker("inspect", "--format", "{{json .State}}", name))

    assert answer["model_version"] == "v1.0.0"
    assert answer["outputs"][0]["data"] == expected(inputs)
    assert healthy and set(users) == {"65532"}
    assert state["ExitCode"] == 0
    assert "serving tip" in said and "telemetry" not in said  # onnxruntime warns of what it cannot write


def released_on(hosting: Hosting, branch: str) -> str:
    """Merge the proposal, release; the image of the release, by digest."""
    team = hosting.team
    git.run("fetch", "--quiet", "origin", branch, cwd=team.root)
    git.run("merge", "--quiet", "--no-edit", "FETCH_HEAD", cwd=team.root)
    team.commit("Merge")
    tag = team.tag("tip@v1.0.0", "Begin")
    team.release(tag)
    released = team.record(tag).page(Released, written_by="build-image").body
    assert named(hosting, "main").endswith(released.runtime_digest)
    return f"{hosting.registry}/tip@{released.digest}"


def expected(inputs: list[dict[str, Any]]) -> Any:
    """What the source of the model says."""
    kinds = {"FP32": np.float32, "BYTES": object}
    asked = {one["name"]: np.array(one["data"], kinds[one["datatype"]]).reshape(one["shape"]) for one in inputs}
    return pytest.approx(Tip().answers(asked)["score"].ravel().tolist(), abs=1e-6)


def test_what_is_there_is_not_built_again(hosting: Hosting, base: str) -> None:
    """A workflow that is started again costs seconds, and never moves a tag that people rely on."""
    first = built(hosting.team, base)
    before = at_tag(hosting, tag_in(first))
    hosting.team.write("policies/other.yaml", "x: 1\n")
    hosting.team.commit("Change what no image holds")

    again = built(hosting.team, base)

    assert "Step 1/" in first or "building" in first
    assert again == f"tag={tag_in(first)}\n"
    assert at_tag(hosting, tag_in(again)).digest == before.digest


def test_the_same_files_give_the_same_layers_and_another_server_another_image(hosting: Hosting, base: str) -> None:
    """Two checkouts must agree on what a runtime is; and what old releases stand on stays beside the new one."""
    one = at_tag(hosting, tag_in(built(hosting.team, base)))
    hosting.team.write("serving/notes.py", '"""Nothing yet."""\n')
    hosting.team.commit("Note something")
    two = at_tag(hosting, tag_in(built(hosting.team, base)))
    git.run("rm", "--quiet", "serving/notes.py", cwd=hosting.team.root)
    hosting.team.write("requirements/serving.txt", (hosting.team.root / "requirements/serving.txt").read_text() + "\n")
    hosting.team.commit("Take it back, with an empty line")
    three = at_tag(hosting, tag_in(built(hosting.team, base)))

    assert one.layers[0] == two.layers[0]
    assert one.config["rootfs"] != two.config["rootfs"]
    assert one.config["rootfs"] == three.config["rootfs"]


def test_a_base_that_cannot_be_had_is_named(hosting: Hosting) -> None:
    """A variable with a slip of the pen, or a mirror that is down."""
    said = built(hosting.team, "localhost/nowhere:1")

    assert "::error::the base image localhost/nowhere:1 cannot be pulled: " in said
    assert "%0A  mend: name one that can, in the variable SLIPWAY_BASE_IMAGE" in said


def at_tag(hosting: Hosting, tag: str) -> Image:
    return Image.read(open_registry(hosting.registry).repository("runtime"), tag)
