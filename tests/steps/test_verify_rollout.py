"""What the manifest names is what answers, and it answers as it did when it was judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from slipway.adapters import deploy_tree, manifests, onnx_session
from slipway.adapters.onnx_session import OnnxModel
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.domain.pages import Page
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Proposal, Rollout
from slipway.errors import BadFile, NotReleasable, RolloutFailed, Unreachable
from slipway.steps import verify_rollout

from tests.team import ENVIRONMENT, MODEL, Team, Tip

Batch = dict[str, npt.NDArray[Any]]
_ON = date(2026, 4, 1)


@dataclass
class InThisProcess:
    """An engine without servers: it loads the layer that it is given and answers from it, `off` by a little."""

    off: float = 0.0
    reachable: bool = True
    falls_over: bool = False
    asks_first: bool = False  # before it would let a request through
    started: list[Deployment] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    examined: list[str] = field(default_factory=list)  # and found good
    model: OnnxModel | None = None

    def apply(self, deployment: Deployment) -> Live:
        self.started.append(deployment)
        self.model = onnx_session.open_model(deployment.model_directory / "model.onnx")
        live = Live(
            model=deployment.model,
            environment=deployment.environment,
            version=deployment.version,
            digest=deployment.digest,
            url="",
            is_canary=deployment.is_canary,
        )
        if self.asks_first and deployment.examine is not None:
            deployment.examine(live)
            self.examined.append(deployment.version)
        return live

    def live(self, model: str, environment: str) -> Live | None:
        return None

    def ask(self, live: Live, batch: Batch, *, request_id: str | None = None, times: Any = None) -> Batch:
        assert self.model is not None
        if not self.reachable:
            raise Unreachable("nothing answers", mend="run again")
        return {name: column + np.float32(self.off) for name, column in self.model.predict(batch).items()}

    def watch(self, live: Live, *, seconds: float) -> None:
        self.watched.append(seconds)
        if self.falls_over:
            raise RolloutFailed("it was started 3 times", mend="read its log")

    def stop(self, model: str, environment: str) -> None:
        self.model = None


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "rollout"
    stop_all(tmp_path / "rollout")


def merged(team: Team) -> Team:
    team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    proposal = team.record("tip@v1.1.0").page(Proposal, written_by="bump-manifest").body
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)
    return team


def merge_all(team: Team) -> None:
    for pull in team.workplace.forge.open_pulls():
        team.workplace.forge.merge_pull(pull.number)


def verify(
    team: Team, engine: InThisProcess | ProcessRollout, *, on: date = _ON, environment: str = ENVIRONMENT
) -> Page[Rollout]:
    return verify_rollout.run(MODEL, environment=environment, on=on, workplace=team.workplace, engine=engine)


def manifest_with(team: Team, **changes: str) -> None:
    """A person edits the manifest on the default branch."""
    path = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    content = team.workplace.forge.read("main", path)
    assert live is not None
    assert content is not None
    wanted = {"new_name": live.new_name, "tag": live.tag, "digest": live.digest, **changes}
    head = team.workplace.forge.head("main")
    after = manifests.set_image(content, name=MODEL, **wanted)
    team.workplace.forge.commit("main", onto=head, changes={path: after}, message="Edit by hand")


def test_a_real_server_answers_with_the_golden_rows(live: Team, state: Path) -> None:
    """The whole way: manifest, image by digest, process, protocol, answers."""
    page = verify(merged(live), ProcessRollout(state=state))

    body = page.body
    assert (body.version, body.golden_rows, body.golden_equal, body.live_since) == ("v1.1.0", 50, 50, _ON)
    wanted = deploy_tree.deployed(live.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert wanted is not None
    assert body.digest == wanted.digest
    assert body.commit == live.workplace.forge.head("release/production/tip/v1.1.0")


def test_verified_twice_it_is_live_since_the_first_day(live: Team) -> None:
    """The watch counts its windows from there; a restart on Friday must not begin them anew."""
    engine = InThisProcess()
    first = verify(merged(live), engine)

    again = verify(live, engine, on=date(2026, 5, 1))

    assert again == first
    assert len(engine.started) == 2  # it was brought to life again, if it had died


def test_another_checkout_can_verify(live: Team) -> None:
    """Who rolls out has not released; everything is in the ledger and the registry."""
    merged(live)
    other = live.clone("elsewhere")
    (other.workplace.state / "registry").parent.mkdir(parents=True, exist_ok=True)
    (other.workplace.state / "registry").symlink_to(live.workplace.state / "registry")

    assert verify(other, InThisProcess()).body.golden_equal == 50


def test_an_engine_that_can_asks_before_the_version_gets_a_request(live: Team) -> None:
    """Wrong answers are found while only Slipway sees them; what was verified once is not asked again."""
    good, wrong = InThisProcess(asks_first=True), InThisProcess(asks_first=True, off=0.01)
    verify(live, good)
    verify(live, good)

    with pytest.raises(RolloutFailed, match="50 of 50 golden rows otherwise"):
        verify(merged(live), wrong)

    assert good.examined == ["v1.0.0"]
    assert wrong.examined == []


def test_answers_that_are_others_than_when_it_was_judged_fail_the_rollout(live: Team) -> None:
    """It may be another processor, another file, another model: it is not what passed."""
    with pytest.raises(RolloutFailed) as caught:
        verify(merged(live), InThisProcess(off=0.01))

    assert caught.value.problem == (
        "v1.1.0 answers in production, but 50 of 50 golden rows otherwise than when it was judged"
    )
    assert caught.value.exit_code == 10
    assert caught.value.mend == (
        "slipway rollout tip --environment production tells its owners and goes back, as policies/rollout.yaml says; "
        "one by one: judge, revert-manifest, file-issue, record-pages, each with "
        "tip/production/2026-04-01-rollout-failed-v1.1.0"
    )
    assert live.record("tip@v1.1.0").latest(Rollout) is None


def marks(team: Team) -> dict[str, str]:
    """Of the commit that brought the newest manifest."""
    found = verify_rollout.wanted(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    return {name: mark.state for name, mark in team.workplace.forge.statuses(found.commit).items()}


def test_a_rollout_that_fails_marks_the_commit_until_one_does_not(live: Team) -> None:
    """Who merged looks at the commit, not at the run of a workflow that somebody's push started."""
    merged(live)

    with pytest.raises(RolloutFailed):
        verify(live, InThisProcess(off=0.01))
    assert marks(live)["slipway/production/tip"] == "failure"

    with pytest.raises(Unreachable):
        verify(live, InThisProcess(reachable=False))
    assert marks(live)["slipway/production/tip"] == "error"  # nobody knows whether it is bad

    verify(live, InThisProcess())
    assert marks(live)["slipway/production/tip"] == "success"


def test_an_edit_of_other_lines_does_not_begin_its_days_anew(live: Team) -> None:
    """A team that changes its replicas has the same version, and the watch goes on counting."""
    first = verify(merged(live), InThisProcess())
    live.commit("Bring what was merged")
    live.edit(deploy_tree.manifest_path(ENVIRONMENT, MODEL), "kind: Kustomization\n", "kind: Kustomization # ours\n")
    live.commit("Comment")

    assert verify(live, InThisProcess(), on=date(2026, 5, 1)) == first


def test_an_image_that_comes_back_is_verified_anew(live: Team) -> None:
    """After a way back, what served in March says nothing about whether it serves now."""
    path = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
    manifest = live.workplace.forge.read("main", path)
    first = verify(live, InThisProcess())
    verify(merged(live), InThisProcess())
    head = live.workplace.forge.head("main")
    live.workplace.forge.commit("main", onto=head, changes={path: manifest}, message="Go back")

    again = verify(live, InThisProcess(), on=date(2026, 5, 1))

    assert (first.body.version, again.body.version) == ("v1.0.0", "v1.0.0")
    assert again.body.live_since == date(2026, 5, 1)


def test_environments_are_verified_each_for_itself(staged: Team) -> None:
    """Verified again, the first must not become the newest page of all."""
    engine = InThisProcess()
    staged.release(staged.tag("tip@v1.0.0"), environment="staging")
    merge_all(staged)
    first = verify(staged, engine, environment="staging")
    staged.propose("tip@v1.0.0")
    merge_all(staged)
    second = verify(staged, engine)

    assert verify(staged, engine, environment="staging") == first
    assert [page.number for page in staged.record("tip@v1.0.0").pages(Rollout)] == [1, 2]
    assert (first.body.environment, second.body.environment) == ("staging", "production")


def test_what_ends_with_its_run_is_not_said_to_stay(live: Team) -> None:
    """On a hosted runner the server is gone with the job: it was tried, and nothing serves."""
    merged(live)
    page = verify_rollout.run(
        MODEL, environment=ENVIRONMENT, on=_ON, workplace=live.workplace, engine=InThisProcess(), stays=False
    )

    assert (page.body.golden_equal, page.body.stays) == (50, False)


def test_before_the_first_merge_there_is_nothing_to_verify(team: Team) -> None:
    """The workflow that follows every push to main runs on such a repository too."""
    with pytest.raises(NotReleasable) as caught:
        verify(team, InThisProcess())

    assert caught.value.problem == "deploy/production/tip/kustomization.yaml deploys nothing yet"
    assert caught.value.mend == "merge a release's pull request"


def test_a_version_that_was_never_judged_does_not_run(live: Team) -> None:
    """Whatever somebody writes into a manifest."""
    manifest_with(live, tag="v3.0.0")
    engine = InThisProcess()

    with pytest.raises(NotReleasable, match="has no passing verdicts in the ledger"):
        verify(live, engine)

    assert engine.started == []


def test_another_image_under_a_judged_version_does_not_run(live: Team) -> None:
    """The name in a manifest is for people; the digest is what runs, so the digest must have been judged."""
    manifest_with(live, digest=f"sha256:{'0' * 64}")
    engine = InThisProcess()

    with pytest.raises(NotReleasable, match="and no release of tip@v1") as caught:
        verify(live, engine)

    assert caught.value.mend.endswith("put deploy/production/tip/kustomization.yaml back")
    assert engine.started == []


def test_a_quarantined_version_does_not_run(live: Team) -> None:
    """An old pull request can still be merged by mistake."""
    path = live.root / deploy_tree.QUARANTINE
    entry = QuarantineEntry(model=MODEL, version="v1.0.0", reason="answers late", by="Ada")
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    live.commit("Hold it back")

    with pytest.raises(NotReleasable, match="is quarantined by Ada: answers late"):
        verify(live, InThisProcess())


def test_a_manifest_whose_tag_is_no_version_is_named(live: Team) -> None:
    """The mend for a file is in that file, not in git tags."""
    manifest_with(live, tag="latest")

    with pytest.raises(BadFile) as caught:
        verify(live, InThisProcess())

    assert caught.value.problem == ("deploy/production/tip/kustomization.yaml: newTag: `latest` is no version of tip")
    assert caught.value.mend == "write the version that the digest belongs to, like newTag: v1.4.0"


def test_what_a_rollout_would_serve_is_told_without_serving_it(live: Team) -> None:
    """`--dry-run` looks at the same manifest, and refuses the same."""
    found = verify_rollout.wanted(MODEL, environment=ENVIRONMENT, workplace=live.workplace)
    assert str(found.tag) == "tip@v1.0.0"
    assert not (live.workplace.state / "rollout").exists()
