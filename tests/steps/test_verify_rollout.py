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
from slipway.errors import BadFile, NotReleasable, RolloutFailed
from slipway.steps import verify_rollout

from tests.team import ENVIRONMENT, MODEL, Team, Tip

Batch = dict[str, npt.NDArray[Any]]
_ON = date(2026, 4, 1)


@dataclass
class InThisProcess:
    """An engine without servers: it loads the layer that it is given and answers from it, `off` by a little."""

    off: float = 0.0
    started: list[Deployment] = field(default_factory=list)
    model: OnnxModel | None = None

    def apply(self, deployment: Deployment) -> Live:
        self.started.append(deployment)
        self.model = onnx_session.open_model(deployment.model_directory / "model.onnx")
        names = {"model": deployment.model, "environment": deployment.environment, "version": deployment.version}
        return Live(**names, digest=deployment.digest, url="", pid=0)

    def live(self, model: str, environment: str) -> Live | None:
        return None

    def ask(self, live: Live, batch: Batch, *, request_id: str | None = None, times: Any = None) -> Batch:
        assert self.model is not None
        return {name: column + np.float32(self.off) for name, column in self.model.predict(batch).items()}

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


def verify(team: Team, engine: InThisProcess | ProcessRollout, *, on: date = _ON) -> Page[Rollout]:
    return verify_rollout.run(MODEL, environment=ENVIRONMENT, on=on, workplace=team.workplace, engine=engine)


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


def test_answers_that_are_others_than_when_it_was_judged_fail_the_rollout(live: Team) -> None:
    """It may be another processor, another file, another model: it is not what passed."""
    with pytest.raises(RolloutFailed) as caught:
        verify(merged(live), InThisProcess(off=0.01))

    assert caught.value.problem == (
        "v1.1.0 answers in production, but 50 of 50 golden rows otherwise than when it was judged"
    )
    assert caught.value.mend == "slipway rollback tip --environment production"
    assert live.record("tip@v1.1.0").latest(Rollout) is None


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
    assert found.tag == "v1.0.0"
    assert not (live.workplace.state / "rollout").exists()
