"""pages.yml: what runs where, for everybody, once a team says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.workflows.conftest import Hosting
from tests.workflows.rig import TOKEN, Ran, assert_whole, workflow

ON = {"SLIPWAY_PAGES": "on"}


@pytest.fixture
def live(hosting: Hosting) -> Hosting:
    """v1.0.0 runs since the first of March."""
    hosting.team.release(hosting.team.tag("tip@v1.0.0", "Begin"))
    hosting.team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    return hosting


def _shown(ran: Ran) -> dict[str, str]:
    folder = ran.artifacts / "deployed"
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.needs_each_step("pages.yml")
def test_what_runs_is_shown_once_the_variable_says_so(live: Hosting) -> None:
    """Who let it in is told too, so that the whole history has to be there."""
    ran = live.rig.run("pages.yml", "schedule", payload={"schedule": "37 6 * * *"}, variables=ON)

    assert_whole(ran, "pages.yml")
    pages = _shown(ran)
    assert list(pages) == ["index.html", "models/tip.html"]
    assert "<td>production</td><td>v1.0.0</td><td>2026-03-01</td><td>Slipway <a href=" in pages["index.html"]
    assert ran.tokens("build") == {TOKEN}


@pytest.mark.parametrize("variables", [{}, {"SLIPWAY_PAGES": "off"}, {"SLIPWAY_PAGES": "true"}])
def test_nothing_is_shown_before(live: Hosting, variables: dict[str, str]) -> None:
    """The pages of a private repository are public on most plans: nobody may be surprised by that."""
    rig = replace(live.rig, variables=variables)

    ran = rig.run("pages.yml", "workflow_dispatch")

    assert set(ran.jobs.values()) <= {"skipped"}
    assert not (ran.artifacts / "deployed").exists()


def test_one_job_may_deploy_and_it_runs_nothing_of_ours() -> None:
    """A right to write pages is a right to write under the team's address."""
    deploy = workflow("pages.yml")["jobs"]["deploy"]

    assert [step["uses"].split("@")[0] for step in deploy["steps"]] == ["actions/deploy-pages"]
    assert deploy["environment"]["name"] == "github-pages"
