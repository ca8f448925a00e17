"""Judge the secrets that slipway.yaml makes necessary: whether GitHub has them, and whether workflows pass them on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.checkup.forge import ENVIRONMENT, unseen
from slipway.domain.checkup.seen import SeenForge, Unseen
from slipway.domain.log_address import LogAddress, is_table
from slipway.domain.settings import Settings

WEBHOOK, SERVED_LOG, LABELS = "SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_SERVED_LOG_SECRET", "SLIPWAY_LABELS_SECRET"  # names
_NO_SECRET = ("sqlite3",)  # a file


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


def judge_secrets(
    settings: Settings, *, seen: SeenForge | None, passed: Mapping[str, AbstractSet[str]]
) -> Iterator[Finding]:
    """Nothing for what slipway.yaml does not name.

    Args:
        settings: of the repository.
        seen: its settings on GitHub, None where they could not be looked at.
        passed: of each workflow's file that is there, the names of the secrets that its jobs are given.
    """
    for needed in _needed(settings):
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


def _asks_for_a_secret(address: str) -> bool:
    return is_table(address) and LogAddress.parse(address).driver not in _NO_SECRET


def _not_passed(needed: _Needed, files: list[str]) -> Finding:
    told = ", ".join(f".github/workflows/{file}" for file in files)
    return problem(
        f"secret {needed.name}",
        f"slipway.yaml names {needed.setting}, and {told} passes it to no job: {needed.without}",
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
    text = f"slipway.yaml names {needed.setting}, and there is none: {needed.without}"
    state = State.PROBLEM if needed.is_sure else State.UNKNOWN
    mend = f"gh secret set {needed.name} {where}--repo {seen.hosted.name}"
    return Finding(name=name, state=state, text=text, mend=mend)
