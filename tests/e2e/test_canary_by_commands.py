"""A canary from its pull request to all of the traffic, and from a bad answer to what is gone: by commands alone.

The cluster is a file in which each pod is ready at once; what real ones do is asked in apiserver/ and cluster/.
"""

from __future__ import annotations

from slipway.adapters.forge.local import LocalForge
from slipway.adapters.history import History
from slipway.adapters.ledger import Ledger
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.release import Rollout, Withdrawal
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict

from tests.e2e.kills.canary import TAG
from tests.e2e.kills.kubectl_of_a_file import deployments_of
from tests.e2e.kills.stages import Built
from tests.e2e.kills.team import MODEL

_PLACE = (MODEL, "production")


def said(built: Built, stage: str) -> str:
    return built.world(stage).with_name("world.printed").read_text()


def runs(built: Built, stage: str) -> dict[str, str]:
    """Name of a Deployment → version."""
    images = deployments_of(built.world(stage))
    return {name: image.partition("@")[0].rpartition(":")[2] for name, image in images.items()}


def forge_of(built: Built, stage: str) -> LocalForge:
    return LocalForge(built.world(stage) / "flights.git")


def history_of(built: Built, stage: str) -> History:
    return History(Ledger(forge_of(built, stage)))


def test_a_share_is_proposed_first_and_runs_beside_what_has_the_rest(built: Built) -> None:
    """Who merges reads how much; who rolls out reads what it waits for."""
    (pull,) = forge_of(built, "canary-bump-manifest").open_pulls()
    assert pull.title.endswith("as a canary, 34 % of production")
    assert runs(built, "canary-rollout") == {"late-server": "v1.0.0", "late-server-canary": "v1.1.0"}
    assert "late in production: the canary v1.1.0 is live, 50 of 50 golden answers" in said(built, "canary-rollout")
    assert "late@v1.1.0 waits for all of production, because what it answers was not judged yet" in said(
        built, "canary-rollout"
    )


def test_the_watch_judges_it_and_the_next_rollout_proposes_all_of_the_traffic(built: Built) -> None:
    """No event is needed in between: each command reads what the one before recorded."""
    told = history_of(built, "canary-good-watch").canary_page(*_PLACE, "v1.1.0", CanaryVerdicts)
    assert told is not None
    assert (told.body.verdict, told.body.rows, told.body.hours) == (Verdict.PASS, 120, 167.9)
    assert "late@v1.1.0: all of production is proposed by pull request #4" in said(built, "canary-good-rollout")

    assert runs(built, "canary-whole-rollout") == {"late-server": "v1.1.0"}
    history = history_of(built, "canary-whole-rollout")
    tag = ReleaseTag.parse(TAG)
    assert [page.body.canary for page in history.pages(tag, Rollout)] == [True, False]
    assert [page.body.version for page in history.pages(tag, Withdrawal)] == ["v1.1.0"]
    assert history.failed_rollouts(*_PLACE) == []


def test_the_watch_withdraws_a_bad_one_and_the_next_rollout_sees_that_it_is_gone(built: Built) -> None:
    """One pull request and one issue, which is closed by what runs, and not by a merge."""
    assert "the canary v1.1.0 is withdrawn by pull request #4" in said(built, "canary-bad-watch")
    (issue,) = forge_of(built, "canary-bad-merge").open_issues()
    assert issue.title == "late, production: the canary v1.1.0 is worse on what it answered, withdraw it"

    assert "late in production: the canary v1.1.0 is gone" in said(built, "canary-gone-rollout")
    assert runs(built, "canary-gone-rollout") == {"late-server": "v1.0.0"}
    assert forge_of(built, "canary-gone-rollout").open_issues() == []
    history = history_of(built, "canary-gone-rollout")
    assert [page.body.version for page in history.pages(ReleaseTag.parse(TAG), Withdrawal)] == ["v1.1.0"]


def test_where_a_policy_says_so_it_is_withdrawn_by_a_commit_that_nobody_has_to_merge(built: Built) -> None:
    """It is gone from the manifest, and quarantined, before the watch ends."""
    stage = "canary-by-commit-watch"
    assert "late in production: the canary v1.1.0 is withdrawn by commit " in said(built, stage)
    forge = forge_of(built, stage)
    manifest = forge.read("main", f"deploy/production/{MODEL}/kustomization.yaml")
    assert manifest is not None
    assert b"canary" not in manifest
    assert b"v1.1.0" in (forge.read("main", "deploy/quarantine.yaml") or b"")
    assert list(forge.open_pulls()) == []
