"""A model whose source lies elsewhere: two workflows fetch it in a job that alone can, run for real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from slipway.adapters import git

from tests.sources.web import WebServer
from tests.tip import TIP
from tests.workflows.conftest import Hosting
from tests.workflows.rig import Ran, expected_steps, workflow

pytestmark = pytest.mark.xdist_group("sources of workflows")
TAG = "tip@v1.0.0"
MERGE = "refs/pull/7/merge"
_RECEIVING = {"./actions/setup", "actions/download-artifact", "Receive the source"}
_OF_THE_CHECK = {title.split("@")[0] for title in expected_steps(workflow("check-models.yml")["jobs"]["source"])}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    server = WebServer(tmp_path_factory.mktemp("web"))
    server.files["/weights.json"] = TIP.as_json().encode()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def elsewhere(hosting: Hosting, web: WebServer) -> Hosting:
    """The certificate, without which nothing is fetched, is told by the secret."""
    secret = {"SLIPWAY_SOURCE_ENVIRONMENT": f"SSL_CERT_FILE={web.certificate}"}
    return replace(hosting, rig=replace(hosting.rig, secrets=secret))


def _point(hosting: Hosting, web: WebServer) -> None:
    declared = TIP.declaration().replace("source: source", f"source: {web.address('/weights.json')}")
    hosting.team.write("models/tip/model.yaml", declared)
    shutil.rmtree(hosting.team.folder / "source")


def _check(hosting: Hosting, *, fork: str = "") -> Ran:
    hosting.team.commit("Propose", push=False)
    git.run("push", "--quiet", "origin", f"HEAD:{MERGE}", cwd=hosting.team.root)
    head = {"ref": "mine", "repo": {"full_name": fork or hosting.hosted.name}}
    pull = {"number": 7, "base": {"ref": "main"}, "head": head}
    return hosting.rig.run("check-models.yml", "pull_request", ref=MERGE, payload={"pull_request": pull})


def _shown(ran: Ran) -> set[str]:
    """The jobs of which a script was given the secret."""
    return {
        job for job, scripts in ran.environments.items() if any("SLIPWAY_SOURCE_ENVIRONMENT" in one for one in scripts)
    }


def _origin(page: Mapping[str, object]) -> object:
    body = page["body"]
    assert isinstance(body, dict)
    return body["origin"]


@pytest.mark.needs_each_step(
    "release.yml", only={"source": {"./actions/fetch-source", "actions/upload-artifact"}, "fetch": _RECEIVING}
)
def test_a_release_fetches_its_source_where_alone_the_credentials_are(elsewhere: Hosting, web: WebServer) -> None:
    """What is converted is what lay there; and who takes over the job that converts finds no way to the store."""
    _point(elsewhere, web)
    elsewhere.team.commit("Point at the source")
    elsewhere.team.tag(TAG)

    ran = elsewhere.rig.run("release.yml", "workflow_dispatch", payload={"inputs": {"tag": TAG, "model": "tip"}})

    assert (ran.jobs["source"], ran.jobs["fetch"]) == ("success", "success"), ran.said
    assert _shown(ran) == {"source"}
    pages = [json.loads(elsewhere.file("ledger", f"tip/v1.0.0/{kind}.1.json")) for kind in ("source", "identity")]
    assert _origin(pages[0]) == _origin(pages[1])


@pytest.mark.needs_each_step("check-models.yml", only={"source": _OF_THE_CHECK, "fetch": {"actions/download-artifact"}})
def test_a_branch_has_its_source_fetched_by_the_tooling_of_the_default_branch(
    elsewhere: Hosting, web: WebServer
) -> None:
    """A reviewer reads what a release would say; what it changes of our tooling never runs beside the secret."""
    _point(elsewhere, web)
    elsewhere.team.write("requirements/sources.txt", "of-the-branch==1.0\n")

    ran = _check(elsewhere)

    assert (ran.jobs["source tip"], ran.jobs["fetch tip"]) == ("success", "success"), ran.said
    assert _shown(ran) == {"source"}


def test_a_fork_is_told_that_its_model_is_not_examined(elsewhere: Hosting, web: WebServer) -> None:
    """GitHub gives it no secrets; a green check without a look would be taken for a good model."""
    _point(elsewhere, web)

    ran = _check(elsewhere, fork="stranger/waiters")

    assert "source tip" not in ran.jobs
    assert _shown(ran) == set()
    assert any("its model is not examined" in error for error in ran.errors), ran.said
