"""Secrets that slipway.yaml and models make necessary, missed by nobody but the one who needs them."""

from __future__ import annotations

from typing import Any

from slipway.domain.checkup import Finding, State
from slipway.domain.checkup.secrets import LABELS, SERVED_LOG, SOURCE, WEBHOOK, judge_secrets
from slipway.domain.checkup.seen import SeenForge
from slipway.domain.settings import Settings
from slipway.domain.source_address import SourceAddress

from tests.unit.domain.checkup.seen import hidden, names, seen

WORKFLOWS = {
    "watch.yml": {WEBHOOK, SERVED_LOG, LABELS},
    "rollout.yml": {WEBHOOK},
    "release.yml": {SERVED_LOG, SOURCE},
    "check-models.yml": {SOURCE},
    "rebase.yml": {SERVED_LOG},
}
DATABASE = "psycopg://?host=db&table=served"


def judged(
    forge: SeenForge | None,
    *,
    passed: dict[str, set[str]] | None = None,
    sources: dict[str, str] | None = None,
    **settings: str,
) -> list[Finding]:
    told = Settings(image_registry="ghcr.io/acme", **settings)  # type: ignore[arg-type]  # texts, as YAML gives them
    addresses = {model: SourceAddress.parse(text) for model, text in (sources or {}).items()}
    return list(judge_secrets(told, sources=addresses, seen=forge, passed=WORKFLOWS if passed is None else passed))


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

    there = seen(secrets=names(WEBHOOK))
    assert only(there, incident_webhook="https://example.com/hook").state is State.OK


def test_a_secret_of_a_database_must_be_one_of_the_repository() -> None:
    """The job that reads the log of a release has no environment; and some databases know who asks without one."""
    in_environment = seen(secrets=names(SERVED_LOG))
    assert only(in_environment, served_log=DATABASE).state is State.UNKNOWN
    assert "--env" not in only(in_environment, served_log=DATABASE).mend

    assert only(seen(open_secrets=names(LABELS)), labels=DATABASE).state is State.OK


def test_a_workflow_that_passes_a_secret_to_no_job_is_named_whatever_github_has() -> None:
    """A file that was edited, or is older than the setting: GitHub has the secret, and no job sees it."""
    older = {**WORKFLOWS, "rollout.yml": set[str]()}
    there = seen(secrets=names(WEBHOOK))

    for forge in (there, None):
        told = only(forge, passed=older, incident_webhook="https://example.com/hook")
        assert (told.state, ".github/workflows/rollout.yml" in told.text) == (State.PROBLEM, True)
        assert "watch.yml" not in told.text
        assert f"{WEBHOOK}: ${{{{ secrets.{WEBHOOK} }}}}" in told.mend


def test_a_workflow_that_is_not_there_is_told_by_others() -> None:
    """A team without rebases may delete that file."""
    there = seen(open_secrets=names(SERVED_LOG))
    without = {name: names for name, names in WORKFLOWS.items() if name != "rebase.yml"}
    assert only(there, passed=without, served_log=DATABASE).state is State.OK


def test_secrets_that_this_token_may_not_see_are_neither_good_nor_bad() -> None:
    """Most people are no admins."""
    told = only(seen(open_secrets=hidden("secrets: read")), labels=DATABASE)
    assert told.state is State.UNKNOWN


def test_sources_that_lie_elsewhere_may_need_a_secret_and_those_of_mlflow_do() -> None:
    """A bucket may be open to all; MLflow's server is named nowhere else, and the first release would say so."""
    bucket = only(seen(), sources={"tip": "s3://models/tip/"})
    mlflow = only(seen(), sources={"late": "s3://models/late/", "tip": "models:/tip@champion"})

    assert (bucket.state, mlflow.state) == (State.UNKNOWN, State.PROBLEM)
    assert bucket.text.startswith("models/tip/model.yaml names a source that lies elsewhere, and there is none: ")
    assert mlflow.text.startswith("models/tip/model.yaml names")
    assert mlflow.mend == f"gh secret set {SOURCE} --repo acme/waiters"
    there = seen(open_secrets=names(SOURCE))
    assert only(there, sources={"tip": "runs:/0f3c1d2e/model"}).state is State.OK


def test_an_address_of_the_web_needs_no_secret() -> None:
    """Its digest is in the address, and it is asked without a login."""
    assert judged(seen(), sources={"tip": f"https://example.com/tip.onnx#sha256={'0' * 64}"}) == []


def test_a_workflow_that_knows_nothing_of_sources_elsewhere_is_named() -> None:
    """One of before the update fetches without credentials, whatever GitHub has."""
    older = {**WORKFLOWS, "check-models.yml": set[str]()}
    told = only(seen(open_secrets=names(SOURCE)), passed=older, sources={"tip": "s3://models/tip/"})

    assert (told.state, ".github/workflows/check-models.yml passes it to no job" in told.text) == (State.PROBLEM, True)
