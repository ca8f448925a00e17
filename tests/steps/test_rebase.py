"""A deployed version on another runtime image: a revision, with pages, gates and a pull request of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from semver import Version
from slipway.adapters.registry.platforms import Platforms
from slipway.cli.rebase import rebased
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.rebased import Rebased
from slipway.domain.release import Image, Proposal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import BadTag, NotReleasable
from slipway.steps import check_manifests, rebase, resolve_tag, status

from tests.team import ENVIRONMENT, MODEL, Team, copy_of

V1, R2, R3 = ReleaseTag(MODEL, Version(1)), ReleaseTag(MODEL, Version(1), 2), ReleaseTag(MODEL, Version(1), 3)


def change_runtime(team: Team, name: str) -> None:
    """The runtime image of the engine `process` is made of the server's code."""
    team.write(f"serving/{name}.py", '"""Mend the server."""\n')
    team.commit(f"Mend the server: {name}")


def rebase_of(team: Team) -> Rebased:
    """As the command does it."""
    place = team.workplace
    found = rebase.plan(MODEL, environment=ENVIRONMENT, workplace=place)
    return rebased(found, place)


def merge(team: Team, done: Rebased) -> None:
    assert done.pull is not None
    team.workplace.forge.merge_pull(done.pull)


@pytest.fixture(scope="session")
def _rebased(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> tuple[Team, Rebased]:
    team = copy_of(_live, tmp_path_factory.mktemp("rebased"))
    change_runtime(team, "first")
    return team, rebase_of(team)


@pytest.fixture
def revised(_rebased: tuple[Team, Rebased], tmp_path: Path) -> tuple[Team, Rebased]:
    """v1.0.0 is live, and its second revision is proposed."""
    team, done = _rebased
    return copy_of(team, tmp_path), done


def test_the_model_stays_and_the_runtime_changes(revised: tuple[Team, Rebased]) -> None:
    """One layer of two images: nothing of the model was built again, and no tag was moved."""
    team, done = revised
    before, after = (team.history.page(tag, Image).body for tag in (V1, R2))  # type: ignore[union-attr]

    assert (done.of, done.revision, done.verdict) == ("v1.0.0", "v1.0.0_r2", Verdict.PASS)
    assert (after.layer_digest, after.layer_size) == (before.layer_digest, before.layer_size)
    assert after.runtime_digest != before.runtime_digest
    images = team.workplace.registry.repository(MODEL)
    assert images.manifest("v1.0.0").digest == before.digest
    assert images.manifest("v1.0.0_r2").digest == after.digest
    first, second = (Platforms.read(images, tag).images[0].config for tag in ("v1.0.0", "v1.0.0_r2"))
    assert first["created"] == second["created"]
    assert second["config"]["Labels"]["org.opencontainers.image.base.digest"] == after.runtime_digest
    assert second["config"]["Labels"]["org.opencontainers.image.version"] == "1.0.0_r2"


def test_it_is_measured_and_judged_for_itself(revised: tuple[Team, Rebased]) -> None:
    """The pages of the version say nothing about another onnxruntime, and are not written to."""
    team, _ = revised
    evidence, verdicts = team.history.page(R2, Evidence), team.history.page(R2, Verdicts)
    identity = team.history.page(R2, Identity)

    assert evidence is not None and verdicts is not None and identity is not None
    assert evidence.body.rebase is not None
    assert (evidence.body.rebase.rows, evidence.body.rebase.unlike_rows) == (50, 0)
    assert evidence.body.rebase.metrics_moved["f1"] == 0.0
    assert "Same answers on the new runtime" in [one.title for one in verdicts.body.findings]
    assert (identity.body.tag, identity.body.version) == ("tip@v1.0.0", "v1.0.0_r2")
    assert len(team.history.pages(V1, Evidence)) == 1


def test_run_again_it_is_the_same_revision_and_the_same_request(revised: tuple[Team, Rebased]) -> None:
    """A run that was killed is run again; here, and where nothing but the ledger knows of it."""
    team, done = revised
    pages = team.workplace.ledger.pages()

    assert rebase_of(team) == done
    assert team.workplace.ledger.pages() == pages
    team.record("tip@v1.0.0_r2").folder.rename(team.root / "lost")
    assert rebase_of(team) == done


def test_merged_it_is_a_version_like_any_other(revised: tuple[Team, Rebased]) -> None:
    """Checks of manifests, the table of what runs, and a second rebase know it."""
    team, done = revised
    merge(team, done)
    team.commit("Look at what was merged")

    assert check_manifests.run(workplace=team.workplace).problems == ()
    assert status.run(workplace=team.workplace)[0].version == "v1.0.0_r2"
    found = rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert (found.of, found.revision) == (R2, None)


def test_another_runtime_is_another_revision(revised: tuple[Team, Rebased]) -> None:
    """Also of a revision; the model is still the one that was tagged."""
    team, done = revised
    merge(team, done)
    change_runtime(team, "second")
    again = rebase_of(team)

    assert (again.of, again.revision, again.verdict) == ("v1.0.0_r2", "v1.0.0_r3", Verdict.PASS)
    proposal = team.history.page(R3, Proposal)
    assert proposal is not None and proposal.body.replaces == "v1.0.0_r2"


def test_the_revision_is_no_git_tag(team: Team) -> None:
    """Whoever pushes one would release a model under the name of another runtime image."""
    team.tag("tip@v1.0.0_r2")

    with pytest.raises(BadTag, match="has no git tag of its own"):
        resolve_tag.run("tip@v1.0.0_r2", workplace=team.workplace)


def test_nothing_deployed_is_nothing_to_rebase(team: Team) -> None:
    """The first release stands on the newest runtime by itself."""
    with pytest.raises(NotReleasable, match="runs no version of tip"):
        rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
