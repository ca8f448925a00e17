"""A canary in the workflow that looks at production each morning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from slipway.domain.release import Image
from slipway.steps import build_image

from tests.steps.conftest import WORSE
from tests.steps.test_canary import name_canary, roll_out_canary
from tests.team import Team, Tip
from tests.workflows.conftest import Hosting

_TAG, _TODAY = "tip@v2.0.0", datetime.now(UTC).date()
_POLICY = "question: Q?\nmotivation: M.\nremedy: R.\nlimit: {settle_seconds: 0, canary: {share: 0.25, rows: 200}}\n"


def _with_canary(team: Team) -> None:
    """v2.0.0 has a share since today, beside v1.0.0, and says to some what is no number."""
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    team.write("policies/rollout.yaml", _POLICY)
    team.publish(_TAG, WORSE, breaks="v2.0.0")
    team.up_to_verdicts(_TAG)
    build_image.run(team.record(_TAG), workplace=team.workplace)
    team.record_pages(_TAG)
    team.edit("slipway.yaml", "environments:", "rollout_engine: kubernetes\nenvironments:")
    team.commit("Serve on a cluster")
    name_canary(team, _TAG)
    roll_out_canary(team)
    team.record_pages(_TAG)
    team.serve("v2.0.0", [_TODAY, _TODAY + timedelta(days=1)], tip=Tip(nan_above=30.0), labelled=False)


def test_a_bad_canary_is_withdrawn_by_the_job_that_reads_the_log_and_recorded_by_another(hosting: Hosting) -> None:
    """The commit that brought it lies deep in the history, and the two jobs share pages and no folder."""
    _with_canary(hosting.team)

    ran = hosting.rig.with_app.run("watch.yml", "schedule", payload={"schedule": "17 5 * * *"})

    assert {name: ran.jobs[name] for name in ("plan", "watch 1", "record")} == dict.fromkeys(
        ("plan", "watch 1", "record"), "success"
    ), ran.said
    assert "Answers of the canary finite? fail" in ran.summary
    (pull,) = [thread for thread in hosting.hosted.threads.values() if thread.branch]
    assert pull.branch == "revert/production/tip/v2.0.0-to-v1.0.0"
    image = hosting.team.record(_TAG).page(Image, written_by="build-image").body
    assert image.digest not in hosting.file(pull.branch, "deploy/production/tip/kustomization.yaml")
    (issue,) = [thread for thread in hosting.hosted.threads.values() if not thread.branch]
    assert issue.title == "tip, production: the canary v2.0.0 is worse on what it answered, withdraw it"
    assert hosting.ledger("tip/production/canaries/v2.0.0") == ["canary-verdicts.1.json", "canary.1.json"]
