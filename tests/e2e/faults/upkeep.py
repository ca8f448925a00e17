"""What keeps a repository true, and speaks to GitHub."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime

from slipway.adapters.adopted import Adoption
from slipway.domain.tag import ReleaseTag
from slipway.steps import (
    adopt,
    check_manifests,
    compare_live,
    doctor,
    propose_runtime,
    rebase,
    reconcile,
    record_pages,
    rejudge,
    replay,
    status,
    status_page,
)

from tests.e2e.faults.disturbing import ALIKE, Step
from tests.e2e.faults.release import live
from tests.e2e.faults.world import HostedTeam
from tests.steps.test_compare_live import Told, running
from tests.steps.test_propose_runtime import push
from tests.team import ENVIRONMENT, MODEL, ROOT, Tip

_TODAY = date(2026, 3, 20)
_NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
_RELEASE, _ROLLOUT = "release.yml", "rollout.yml"
_STRANGE = f"sha256:{'e' * 64}"


def merged(team: HostedTeam) -> None:
    """The checkout is where the default branch is."""
    team.commit("Bring what was merged")


def _missed(team: HostedTeam) -> None:
    """Two releases and a rollout were never started, one is not tried again, and no watch looked for weeks."""
    given = "on: {workflow_dispatch: {inputs: {model: {}, environment: {}}}}\njobs: {}\n"
    team.write(f".github/workflows/{_ROLLOUT}", given)
    team.write(f".github/workflows/{_RELEASE}", "on: {workflow_dispatch: {inputs: {tag: {}, model: {}}}}\njobs: {}\n")
    team.publish("tip@v1.1.0", Tip(weight=0.0201))
    team.publish("tip@v1.2.0", Tip(weight=0.0202))
    team.publish("tip@v1.3.0", Tip(weight=0.0203))
    for number in range(4):
        team.break_off("tip@v1.3.0", number=number)


def _seen_to(team: HostedTeam) -> None:
    """A person mended all that was told."""
    _start(team)
    team.hosted.dispatches.clear()
    for tag in ("tip@v1.1.0", "tip@v1.2.0", "tip@v1.3.0"):
        team.release(tag)
    team.serve("v1.0.0", [date(2026, 3, day) for day in range(1, 15)])
    team.look(date(2026, 3, 14))


def _built(team: HostedTeam) -> None:
    """Two runtime images; the first is proposed."""
    push(team, "one")
    propose_runtime.run("one", workplace=team.workplace)
    team.write("serving/server.py", "# another server\n")
    team.commit("Serve faster")
    push(team, "two")


def _generated(team: HostedTeam) -> None:
    shutil.copytree(ROOT / ".github" / "rulesets", team.root / ".github" / "rulesets")


def _start(team: HostedTeam) -> None:
    """The command with --start."""
    place = team.workplace
    found = reconcile.run(today=_TODAY, workplace=place, workflow=_RELEASE)
    reconcile.tell(found, workplace=place)
    reconcile.start(found.due, workflow=_RELEASE, forge=place.forge)
    reconcile.start_rollouts(found.rollouts, forge=place.forge)
    reconcile.start_checks(found.checks, forge=place.forge)
    beat = record_pages.Heartbeat("reconcile", _TODAY, None)
    record_pages.run_on_windows([], ledger=place.ledger, beat=beat)


def _adopt(team: HostedTeam) -> object:
    """The command."""
    asked = Adoption(
        ReleaseTag.parse("tip@v0.9.0"),
        ENVIRONMENT,
        by="Ada",
        now=_NOW,
        image=_STRANGE,
        image_name="registry.example.org/tips",
    )
    page = adopt.run(asked, workplace=team.workplace)
    record_pages.run_on_baseline(page, ledger=team.workplace.ledger)
    return page


def _check(team: HostedTeam) -> object:
    return check_manifests.run(workplace=team.workplace)


def _status(team: HostedTeam) -> object:
    return status.run(workplace=team.workplace)


def _page(team: HostedTeam) -> object:
    out = team.root.with_name("page")
    moment = datetime(2026, 3, 8, tzinfo=UTC)
    return status_page.run(out=out, now=moment, workplace=team.workplace).models


def _compare(team: HostedTeam, digest: str | None = None) -> object:
    """The command with --live and --issue."""
    place, engine = team.workplace, Told(runs={} if digest is None else running(digest))
    report = compare_live.run(workplace=place, engine=engine)
    compare_live.tell(report, workplace=place)
    return report


def _compare_strange(team: HostedTeam) -> object:
    return _compare(team, _STRANGE)


def _close_issues(team: HostedTeam) -> None:
    """A person, though it still runs."""
    for issue in team.workplace.forge.open_issues(compare_live.NEVER_PASSED):
        team.workplace.forge.close_issue(issue.number)


def _rejudge(team: HostedTeam) -> object:
    place = team.workplace
    return rejudge.run(policies=place.repository.policies(), today=_TODAY, workplace=place)


def _replay(team: HostedTeam) -> object:
    """What it fetches; the measuring that follows asks nobody."""
    replaying = replay.prepare("tip@v1.0.0", workplace=team.workplace)
    return replaying.notices, replaying.differences, replaying.can_be_measured


def _another_runtime(team: HostedTeam) -> None:
    """The runtime image of the engine `process` is made of the server's code."""
    team.write("serving/mended.py", '"""Mend the server."""\n')
    team.commit("Mend the server")


def _rebase(team: HostedTeam) -> object:
    """What it asks for; what follows are the steps of a release, which fail elsewhere in these tests."""
    return rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)


def _propose(team: HostedTeam) -> object:
    return propose_runtime.run("two", workplace=team.workplace)


def _fix(team: HostedTeam) -> None:
    doctor.fix(workplace=team.workplace)


STEPS: Mapping[str, Step] = {
    "reconcile": Step((live, _missed), _start, leaves_the_rest=True),
    "reconcile when all is well again": Step((live, _missed, _seen_to), _start, faults=ALIKE, leaves_the_rest=True),
    "adopt": Step((), _adopt),
    "check-manifests": Step((live, merged), _check),
    "status": Step((live,), _status),
    "status-page": Step((live,), _page),
    "compare-live": Step((live,), _compare_strange, leaves_the_rest=True),
    "compare-live when it is gone": Step((live, _compare_strange), _compare, faults=ALIKE, leaves_the_rest=True),
    "compare-live of an issue that was closed": Step(
        (live, _compare_strange, _close_issues), _compare_strange, leaves_the_rest=True
    ),
    "rejudge": Step((live,), _rejudge),
    "replay": Step((live,), _replay),
    "rebase": Step((live, _another_runtime), _rebase),
    "propose-runtime": Step((_built,), _propose),
    "doctor --fix": Step((_generated,), _fix, leaves_the_rest=True),
}
