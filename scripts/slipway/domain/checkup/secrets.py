"""Judge the secrets that slipway.yaml and models make necessary: are they on GitHub, and do workflows pass them on?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.checkup.forge import ENVIRONMENT, unseen
from slipway.domain.checkup.seen import SeenForge, Unseen
from slipway.domain.log_address import LogAddress, is_table
from slipway.domain.settings import Settings
from slipway.domain.source_address import SourceAddress

WEBHOOK, SERVED_LOG, LABELS = "SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_SERVED_LOG_SECRET", "SLIPWAY_LABELS_SECRET"  # names
SOURCE = "SLIPWAY_SOURCE_ENVIRONMENT"  # its name
_NO_SECRET = ("sqlite3",)  # a file
_ASKS_NOBODY = ("https",)  # by its own reader
_OF_MLFLOW = ("models", "runs")
_NO_MLFLOW = "no model of MLflow is fetched, for the secret names its server, too"


@dataclass(frozen=True, slots=True)
class _Needed:
    """`files` are the workflows whose jobs use it; `without` is what happens where it is missing.

    A job without the environment `slipway` sees those of the repository alone. A database may let in who has none.
    """

    name: str
    setting: str
    files: tuple[str, ...]
    without: str
    in_environment: bool = False
    is_sure: bool = False
    named_by: str = "slipway.yaml"


def judge_secrets(
    settings: Settings,
    *,
    sources: Mapping[str, SourceAddress],
    seen: SeenForge | None,
    passed: Mapping[str, AbstractSet[str]],
) -> Iterator[Finding]:
    """Nothing for what neither slipway.yaml nor a model names.

    Args:
        settings: of the repository.
        sources: of each model whose source lies elsewhere, its address.
        seen: its settings on GitHub, None where they could not be looked at.
        passed: of each workflow's file that is there, the names of the secrets that its jobs are given.
    """
    for needed in (*_needed(settings), *_needed_by_sources(sources)):
        lacking = [file for file in needed.files if needed.name not in passed.get(file, {needed.name})]
        if lacking:
            yield _not_passed(needed, lacking)
        elif seen is not None:
            yield _on_github(needed, seen)


def _needed(settings: Settings) -> Iterator[_Needed]:
    if settings.incident_webhook is not None:
        yield _Needed(
            WEBHOOK,
            "incident_webhook",
            ("watch.yml", "rollout.yml"),
            "nothing is posted",
            in_environment=True,
            is_sure=True,
        )
    if _asks_for_a_secret(settings.served_log):
        files = ("watch.yml", "release.yml", "rebase.yml")
        yield _Needed(SERVED_LOG, "served_log", files, "a database that asks for one lets nobody in")
    if _asks_for_a_secret(settings.labels):
        yield _Needed(LABELS, "labels", ("watch.yml",), "a database that asks for one lets nobody in")


def _needed_by_sources(sources: Mapping[str, SourceAddress]) -> Iterator[_Needed]:
    """One for all of them: the secret holds the variables of each place."""
    asking = [model for model, address in sources.items() if address.scheme not in _ASKS_NOBODY]
    of_mlflow = [model for model in asking if sources[model].scheme in _OF_MLFLOW]
    if asking:
        yield _Needed(
            SOURCE,
            "a source that lies elsewhere",
            ("release.yml", "check-models.yml"),
            _NO_MLFLOW if of_mlflow else "a place that asks for credentials gives nothing",
            is_sure=bool(of_mlflow),
            named_by=", ".join(f"models/{model}/model.yaml" for model in of_mlflow or asking),
        )


def _asks_for_a_secret(address: str) -> bool:
    return is_table(address) and LogAddress.parse(address).driver not in _NO_SECRET


def _not_passed(needed: _Needed, files: list[str]) -> Finding:
    told = ", ".join(f".github/workflows/{file}" for file in files)
    return problem(
        f"secret {needed.name}",
        f"{needed.named_by} names {needed.setting}, and {told} passes it to no job: {needed.without}",
        f"as the template of today has it, under `env`: {needed.name}: ${{{{ secrets.{needed.name} }}}}",
    )


def _on_github(needed: _Needed, seen: SeenForge) -> Finding:
    name = f"secret {needed.name}"
    names = seen.open_secrets | seen.secrets if needed.in_environment else seen.open_secrets
    there = names.has(needed.name)
    if isinstance(there, Unseen):
        return unseen(name, there)
    if there:
        return ok(name, f"there, for {needed.setting}")
    where = f"--env {ENVIRONMENT} " if needed.in_environment else ""
    text = f"{needed.named_by} names {needed.setting}, and there is none: {needed.without}"
    state = State.PROBLEM if needed.is_sure else State.UNKNOWN
    mend = f"gh secret set {needed.name} {where}--repo {seen.hosted.name}"
    return Finding(name=name, state=state, text=text, mend=mend)
