"""What runs is held against git and the ledger, and what never passed has one issue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from slipway.adapters.forge import Issue
from slipway.adapters.rollout import Deployment, Listing, Live, Stray
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.domain.live import LiveReport, LiveRow, LiveState
from slipway.domain.release import Image
from slipway.errors import ClusterRefused, Unreachable
from slipway.reports.live import live_table
from slipway.steps import compare_live

from tests.steps.test_verify_rollout import InThisProcess, merged, verify
from tests.team import ENVIRONMENT, MODEL, Team

_STRANGE, _STRANGER = (f"sha256:{digit * 64}" for digit in "ef")


@dataclass
class Told(InThisProcess):
    """An engine that says what it is told to say, as any cluster may; what it does not know, it cannot list."""

    runs: dict[tuple[str, str], Live] = field(default_factory=dict)

    def live(self, model: str, environment: str) -> Live | None:
        if not self.reachable:
            raise Unreachable("nothing answers", mend="run again")
        return self.runs.get((model, environment))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ProcessRollout]:
    """Real servers."""
    yield ProcessRollout(state=tmp_path / "rollout")
    stop_all(tmp_path / "rollout")


def look(team: Team, engine: ProcessRollout | InThisProcess) -> LiveReport:
    return compare_live.run(workplace=team.workplace, engine=engine)


def only(team: Team, engine: ProcessRollout | InThisProcess) -> LiveRow:
    (row,) = look(team, engine).rows
    return row


def running(digest: str, *, model: str = MODEL, version: str = "v9.9.9") -> dict[tuple[str, str], Live]:
    live = Live(model=model, environment=ENVIRONMENT, version=version, digest=digest, url="")
    return {(model, ENVIRONMENT): live}


def image_of(team: Team, tag: str) -> str:
    return team.record(tag).page(Image, written_by="build-image").body.digest


def issues(team: Team) -> list[Issue]:
    return list(team.workplace.forge.open_issues(compare_live.NEVER_PASSED))


def tell(team: Team, engine: InThisProcess) -> None:
    compare_live.tell(look(team, engine), workplace=team.workplace)


def test_real_servers_are_in_step_behind_and_strange(live: Team, engine: ProcessRollout) -> None:
    """The whole way, by the engine's own files and locks: a merge, its rollout, and somebody's own start."""
    assert only(live, engine).state is LiveState.NOTHING
    verify(live, engine)
    assert only(live, engine).state is LiveState.IN_STEP

    merged(live)
    behind = only(live, engine)
    assert (behind.state, behind.wanted, behind.version) == (LiveState.BEHIND, "v1.1.0", "v1.0.0")
    verify(live, engine)
    assert (only(live, engine).state, only(live, engine).version) == (LiveState.IN_STEP, "v1.1.0")

    layer = live.workplace.layers / image_of(live, "tip@v1.0.0").removeprefix("sha256:")
    (model_directory,) = [path.parent for path in layer.rglob("model.onnx")] or [layer]
    by_hand = Deployment(
        model="unknown",
        environment=ENVIRONMENT,
        version="v9.9.9",
        digest=_STRANGE,
        image="",
        commit="",
        model_directory=model_directory,
        served_log=None,
    )
    engine.apply(by_hand)
    known, strange = look(live, engine).rows
    assert (known.model, known.state) == (MODEL, LiveState.IN_STEP)
    assert (strange.model, strange.state, strange.wanted) == ("unknown", LiveState.NEVER_PASSED, None)
    engine.stop("unknown", ENVIRONMENT)
    assert only(live, engine).model == MODEL
    assert isinstance(engine, Listing) and not isinstance(InThisProcess(), Listing)


def test_what_passed_and_is_not_what_git_says_is_something_else(newer: Team) -> None:
    """Somebody went back by hand at night, and git does not know."""
    newer.commit("Bring what was merged")
    verify(newer, InThisProcess())
    newer.record_pages("tip@v1.1.0")

    row = only(newer, Told(runs=running(image_of(newer, "tip@v1.0.0"), version="v1.0.0")))

    assert (row.state, row.wanted, row.version) == (LiveState.ANOTHER, "v1.1.0", "v1.0.0")


def test_a_digest_is_known_by_the_ledger_and_not_by_what_it_is_called(newer: Team) -> None:
    """A name in production is anybody's."""
    row = only(newer, Told(runs=running(image_of(newer, "tip@v1.1.0"), version="latest")))
    assert (row.state, row.version, row.called) == (LiveState.IN_STEP, "v1.1.0", "latest")

    strange = only(newer, Told(runs=running(_STRANGE, version="v1.1.0")))
    assert (strange.state, strange.version, strange.called) == (LiveState.NEVER_PASSED, None, "v1.1.0")


def test_what_does_not_answer_keeps_nothing_else_from_being_shown(live: Team) -> None:
    """One cluster that is down must not hide what runs in another; and nobody knows is no verdict."""
    live.write("deploy/production/broken/kustomization.yaml", "images: {}\n")
    live.commit("Deploy by hand")

    broken, tip = look(live, Told(runs=running(_STRANGE))).rows

    assert (broken.model, broken.state, tip.state) == ("broken", LiveState.NOT_SEEN, LiveState.NEVER_PASSED)
    assert "deploy/production/broken/kustomization.yaml" in broken.problem
    down = [row for row in look(live, Told(reachable=False)).rows if row.model == MODEL]
    assert [(row.state, row.problem, row.wanted) for row in down] == [(LiveState.NOT_SEEN, "nothing answers", "v1.0.0")]


def test_what_never_passed_has_one_issue_that_follows_it(live: Team) -> None:
    """It is told when it appears, not again each day, and says what runs now."""
    engine = Told(runs=running(_STRANGE))
    for _ in range(2):
        tell(live, engine)
    (issue,) = issues(live)
    assert issue.title == f"tip, production: runs what never passed ({'e' * 12})"
    assert "slipway verify-rollout tip --environment production" in issue.body and "v1.0.0" in issue.body

    tell(live, Told(runs=running(_STRANGER)))

    assert [(one.number, "f" * 64 in one.body, "e" * 64 in one.body) for one in issues(live)] == [
        (issue.number, True, False)
    ]


def test_the_issue_is_left_while_nobody_can_look_and_closed_when_it_is_gone(live: Team) -> None:
    """An outage is no recovery."""
    tell(live, Told(runs=running(_STRANGE)))
    (issue,) = issues(live)
    tell(live, Told(reachable=False))
    assert issues(live) == [issue]

    tell(live, Told(runs=running(image_of(live, "tip@v1.0.0"))))

    assert issues(live) == []
    assert list(live.workplace.forge.comments(issue.number)) == [
        "tip in production: v1.0.0, which passed, runs. Closed by `slipway status --live`."
    ]


def test_an_issue_that_a_person_closed_is_opened_again_while_it_runs(live: Team) -> None:
    """A new one each day would bury the talk in the first."""
    tell(live, Told(runs=running(_STRANGE)))
    (issue,) = issues(live)
    live.workplace.forge.close_issue(issue.number)

    tell(live, Told(runs=running(_STRANGE)))

    assert [one.number for one in issues(live)] == [issue.number]
    assert "It is not over" in live.workplace.forge.comments(issue.number)[-1]


def test_a_model_that_git_does_not_know_is_told_with_how_to_take_it_away(live: Team) -> None:
    """There is nothing to bring back."""
    engine = Told(runs={**running(image_of(live, "tip@v1.0.0")), **running(_STRANGE, model="ghost")})
    listing = _Lists(**vars(engine))

    tell(live, listing)

    (issue,) = issues(live)
    assert "end the ghost of production" in issue.body and "nothing" in issue.body
    tell(live, replace(listing, runs=running(image_of(live, "tip@v1.0.0"))))
    assert issues(live) == []


@dataclass
class _Lists(Told):
    """An engine that knows all that it serves, but for a namespace that it may not look into."""

    beside: tuple[Live, ...] = ()
    may_list: bool = True

    def strays(self, environment: str, *, known: Collection[Live]) -> list[Stray]:
        if not self.may_list:
            raise ClusterRefused("deployments cannot be listed", mend="give the right")
        found = [live for live in (*self.runs.values(), *self.beside) if live not in known]
        return [Stray(live=live, ended_by=f"end the {live.model} of {environment}") for live in found]


def test_a_second_server_of_a_known_model_is_told_beside_the_one_that_git_names(live: Team) -> None:
    """It has the same labels, so the Service sends it requests; `slipway stop` would end the right one, too."""
    right = running(image_of(live, "tip@v1.0.0"), version="v1.0.0")
    (by_hand,) = running(_STRANGE).values()
    engine = _Lists(runs=right, beside=(by_hand,))

    git_names, strange = look(live, engine).rows
    assert (git_names.version, strange.state, strange.wanted) == ("v1.0.0", LiveState.NEVER_PASSED, None)

    for _ in range(2):
        tell(live, engine)
    (issue,) = issues(live)
    assert "e" * 64 in issue.body and "end the tip of production" in issue.body and "slipway stop" not in issue.body

    tell(live, _Lists(runs=right))
    assert issues(live) == []


def test_a_canary_that_is_in_no_manifest_any_more_is_told(live: Team) -> None:
    """Argo CD that prunes nothing leaves it; what passed once is no digest for an issue."""
    version = image_of(live, "tip@v1.0.0")
    (left,) = running(version, version="v1.0.0").values()
    row = look(live, _Lists(runs=running(version), beside=(replace(left, is_canary=True),))).rows[-1]

    assert (row.state, row.canary, row.wanted) == (LiveState.ANOTHER, True, None)


def test_two_that_never_passed_at_one_place_have_one_issue(live: Team) -> None:
    """First what git can bring back; the other one is told when that is done."""
    (second,) = running(_STRANGER).values()
    engine = _Lists(runs=running(_STRANGE), beside=(second,))
    for _ in range(2):
        tell(live, engine)

    (issue,) = issues(live)
    assert "e" * 64 in issue.body and "verify-rollout" in issue.body
    tell(live, _Lists(runs=running(image_of(live, "tip@v1.0.0")), beside=(second,)))
    assert [(one.number, "f" * 64 in one.body) for one in issues(live)] == [(issue.number, True)]


def test_a_right_that_is_missing_is_told_and_closes_no_issue(live: Team) -> None:
    """Who may not list cannot say that nothing else runs."""
    right = running(image_of(live, "tip@v1.0.0"))
    tell(live, _Lists(runs={**right, **running(_STRANGE, model="ghost")}))

    report = look(live, _Lists(runs=right, may_list=False))
    compare_live.tell(report, workplace=live.workplace)

    tip, all_else = report.rows
    assert (tip.state, all_else.state, report.is_whole) == (LiveState.IN_STEP, LiveState.NOT_SEEN, False)
    assert "(all else) in production: deployments cannot be listed\n  mend: give the right" in live_table(report)
    assert len(issues(live)) == 1


def test_what_runs_with_hostile_names_stays_text(live: Team) -> None:
    """Names come from a cluster, where anybody may have written them."""
    tell(live, Told(runs=running(_STRANGE, version="x` | @octocat <!-- slipway {} --> fixes #1")))

    (issue,) = issues(live)
    assert "@octocat" not in issue.body.replace("@\u200boctocat", "")
    tell(live, Told(runs=running(_STRANGE, version="x` | @octocat <!-- slipway {} --> fixes #1")))
    assert len(issues(live)) == 1
