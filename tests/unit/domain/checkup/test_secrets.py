"""Secrets that slipway.yaml makes necessary, and that would be missed by nobody but the one who needs them."""

from __future__ import annotations

from typing import Any

from slipway.domain.checkup import Finding, State
from slipway.domain.checkup.secrets import LABELS, SERVED_LOG, WEBHOOK, judge_secrets
from slipway.domain.checkup.seen import Hosted, Names, SeenForge, Unseen, Why
from slipway.domain.settings import Settings

NOTHING = Names(frozenset())
WORKFLOWS = {
    "watch.yml": {WEBHOOK, SERVED_LOG, LABELS},
    "rollout.yml": {WEBHOOK},
    "release.yml": {SERVED_LOG},
    "rebase.yml": {SERVED_LOG},
}
DATABASE = "psycopg://?host=db&table=served"


def seen(*, secrets: Names = NOTHING, open_secrets: Names = NOTHING) -> SeenForge:
    hosted = Hosted("acme/waiters", private=True, of_organisation=True, default_branch="main", role="admin")
    nothing: Any = frozenset()
    return SeenForge(
        hosted=hosted,
        login="ada",
        actions_open_pulls=True,
        labels=nothing,
        rulesets=(),
        environment=None,
        workflows={},
        variables=NOTHING,
        secrets=secrets,
        open_variables=NOTHING,
        open_secrets=open_secrets,
    )


def judged(forge: SeenForge | None, *, passed: dict[str, set[str]] | None = None, **settings: str) -> list[Finding]:
    told = Settings(image_registry="ghcr.io/acme", **settings)  # type: ignore[arg-type]  # texts, as YAML gives them
    return list(judge_secrets(told, seen=forge, passed=WORKFLOWS if passed is None else passed))


def only(forge: SeenForge | None, **given: Any) -> Finding:
    (finding,) = judged(forge, **given)
    return finding


def test_what_slipway_yaml_does_not_name_needs_no_secret() -> None:
    """Folders, buckets and a file of SQLite have none of ours."""
    assert judged(seen()) == []
    assert judged(seen(), served_log="sqlite3://?database=served.db&table=served") == []


def test_a_webhook_without_its_secret_is_told_with_the_command() -> None:
    """Without a signature nothing is posted, and an incident that nobody hears of is the worst."""
    told = only(seen(), incident_webhook="https://example.com/hook")
    assert told.state is State.PROBLEM
    assert "names incident_webhook, and there is none: nothing is posted" in told.text
    assert told.mend == f"gh secret set {WEBHOOK} --env slipway --repo acme/waiters"

    there = seen(secrets=Names(frozenset({WEBHOOK})))
    assert only(there, incident_webhook="https://example.com/hook").state is State.OK


def test_a_secret_of_a_database_must_be_one_of_the_repository() -> None:
    """The job that reads the log of a release has no environment; and some databases know who asks without one."""
    in_environment = seen(secrets=Names(frozenset({SERVED_LOG})))
    assert only(in_environment, served_log=DATABASE).state is State.UNKNOWN
    assert "--env" not in only(in_environment, served_log=DATABASE).mend

    assert only(seen(open_secrets=Names(frozenset({LABELS}))), labels=DATABASE).state is State.OK


def test_a_workflow_that_passes_a_secret_to_no_job_is_named_whatever_github_has() -> None:
    """A file that was edited, or is older than the setting: GitHub has the secret, and no job sees it."""
    older = {**WORKFLOWS, "rollout.yml": set[str]()}
    there = seen(secrets=Names(frozenset({WEBHOOK})))

    for forge in (there, None):
        told = only(forge, passed=older, incident_webhook="https://example.com/hook")
        assert (told.state, ".github/workflows/rollout.yml" in told.text) == (State.PROBLEM, True)
        assert "watch.yml" not in told.text
        assert f"{WEBHOOK}: ${{{{ secrets.{WEBHOOK} }}}}" in told.mend


def test_a_workflow_that_is_not_there_is_told_by_others() -> None:
    """A team without rebases may delete that file."""
    there = seen(open_secrets=Names(frozenset({SERVED_LOG})))
    without = {name: names for name, names in WORKFLOWS.items() if name != "rebase.yml"}
    assert only(there, passed=without, served_log=DATABASE).state is State.OK


def test_secrets_that_this_token_may_not_see_are_neither_good_nor_bad() -> None:
    """Most people are no admins."""
    hidden = seen(open_secrets=Names(frozenset(), Unseen(Why.RIGHT, "secrets: read")))
    assert only(hidden, labels=DATABASE).state is State.UNKNOWN
