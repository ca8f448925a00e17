"""Nothing runs that was not judged, and a commit wears the mark of what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from slipway.adapters import bringing_to_life, git, manifests
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.wanted_rollouts import Wanted, wanted
from slipway.domain.policy import QuarantineEntry
from slipway.domain.tag import ReleaseTag
from slipway.errors import NotReleasable, RolloutFailed, SlipwayError, Unreachable

from tests.team import ENVIRONMENT, MODEL, Team, Tip


@dataclass
class Noting:
    """An engine that notes what it is to serve."""

    applied: list[Deployment] = field(default_factory=list)

    def apply(self, deployment: Deployment) -> Live:
        self.applied.append(deployment)
        return Live(
            model=deployment.model,
            environment=deployment.environment,
            version=deployment.version,
            digest=deployment.digest,
            url="",
        )


@pytest.fixture
def found(team: Team) -> Wanted:
    """What the manifest names: v1.0.0."""
    git.fetch(team.root)
    there = wanted(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert there is not None
    return there


def test_what_was_judged_and_is_wanted_may_run(team: Team, found: Wanted) -> None:
    """Else the refusals below would prove nothing."""
    bringing_to_life.refuse_unjudged(found, team.workplace)
    bringing_to_life.refuse_unsigned(found, team.workplace)  # this team names no keys


def test_what_no_gate_passed_does_not_run_whatever_a_manifest_says(team: Team, found: Wanted) -> None:
    """A manifest is a file that anybody can edit."""
    with pytest.raises(NotReleasable, match=r"tip@v9\.9\.9, which the manifest names, has no passing verdicts"):
        bringing_to_life.refuse_unjudged(replace(found, tag=ReleaseTag.parse("tip@v9.9.9")), team.workplace)
    with pytest.raises(NotReleasable, match=r"no release of tip@v1\.0\.0 has that image"):
        bringing_to_life.refuse_unjudged(replace(found, digest=f"sha256:{'0' * 64}"), team.workplace)


def test_what_quarantine_holds_does_not_run(team: Team, found: Wanted) -> None:
    """It was left for a reason, and a merge of an old branch would bring it back."""
    entry = QuarantineEntry(model=MODEL, version="v1.0.0", reason="it was wrong", by="Ada")
    path = team.root / "deploy" / "quarantine.yaml"
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    team.commit("Hold it")

    with pytest.raises(NotReleasable, match="quarantined by Ada: it was wrong"):
        bringing_to_life.refuse_unjudged(found, team.workplace)


def test_an_engine_gets_the_files_of_that_very_image(team: Team, found: Wanted) -> None:
    """By digest: a name may lead to other bytes tomorrow."""
    engine = Noting()

    live = bringing_to_life.apply(found, team.workplace, engine, examine=None)  # type: ignore[arg-type]

    (asked,) = engine.applied
    assert live.digest == asked.digest == found.digest
    assert asked.image.endswith(f"/tip:v1.0.0@{found.digest}")
    assert (asked.model_directory / "model.onnx").read_bytes() == Tip().onnx()
    assert asked.served_log is not None
    assert not asked.is_canary


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (RolloutFailed("it never became ready", mend="read its log"), "failure"),
        (NotReleasable("it is quarantined\nby Ada", mend="ask her"), "failure"),
        (Unreachable("the registry does not answer", mend="run again"), "error"),
    ],
)
def test_a_commit_wears_what_became_of_it(team: Team, found: Wanted, failure: SlipwayError, state: str) -> None:
    """That nobody could look is no fault of the version."""
    forge = team.workplace.forge
    bringing_to_life.mark_failed(found, failure, forge)
    bringing_to_life.mark_failed(replace(found, is_canary=True), failure, forge)

    marks = forge.statuses(found.commit)
    assert set(marks) == {"slipway/production/tip", "slipway/production/tip/canary"}
    assert {mark.state for mark in marks.values()} == {state}
    assert marks["slipway/production/tip"].description == f"tip@v1.0.0: {failure.problem.splitlines()[0]}"

    bringing_to_life.mark_verified(found, "v1.0.0 is live", forge)
    assert forge.statuses(found.commit)["slipway/production/tip"].state == "success"


def test_a_mark_that_is_refused_hides_no_failure(team: Team, found: Wanted) -> None:
    """The failure itself is what the reader needs."""
    bringing_to_life.mark_failed(
        replace(found, commit="0" * 40), RolloutFailed("it fell over", mend="read its log"), team.workplace.forge
    )
