"""What runs where, since when, who let it in, and how it is: of all places at once, from the whole ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from slipway.adapters import deploy_tree, rollouts
from slipway.adapters.approvals import let_in
from slipway.adapters.forge import Pull
from slipway.adapters.manifests import Deployed
from slipway.adapters.newest_windows import newest_windows
from slipway.adapters.releases_told import ReleaseTold, incident_paths, page_paths, releases_told
from slipway.adapters.whole_ledger import WholeLedger
from slipway.adapters.workplace import Workplace
from slipway.domain.incident import IncidentKind, Outcome, Window
from slipway.domain.policy import QuarantineEntry
from slipway.domain.promotion import Onward
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import Approval, LastWindow, OnItsWay, OpenIncident, Status, StatusRow
from slipway.errors import BadFile

Place = tuple[str, str]  # environment and model


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read at once, before each row is told."""

    ledger: WholeLedger
    deployed: Mapping[Place, Deployed]
    quarantine: Sequence[QuarantineEntry]
    coming: Mapping[Place, tuple[OnItsWay, ...]]
    told: Mapping[ReleaseTag, ReleaseTold]
    windows: Mapping[Place, Window]
    troubled: Set[tuple[str, str]]  # models and environments that ever had an incident
    approved: Mapping[str, Approval]

    def status(self, *, on: date | None, today: date) -> Status:
        """All places of the models and environments that are declared, and what left heartbeats."""
        ledger, history = self.ledger, self.ledger.workplace.history
        beats = {workflow: history.heartbeat(workflow) for workflow in history.workflows()}
        stopped = history.stopped(*beats, today=on or today)
        return Status(
            on=on,
            rows=tuple(
                _row(model, environment.name, self)
                for model in ledger.models
                for environment in ledger.workplace.settings.environments
            ),
            heartbeats={workflow: day for workflow, day in beats.items() if day is not None},
            stopped=tuple(one.workflow for one in stopped),
        )


def see(ledger: WholeLedger, *, now: datetime, tags: Collection[ReleaseTag] | None = None) -> Seen:
    """Read what rows are told from; `tags` are the releases whose pages are read, those that run without it.

    Raises:
        BadFile: a manifest of a model, or the quarantine, cannot be read.
    """
    files = deploy_tree.files_at_head(ledger.moment, deploy_tree.FOLDER)
    with ThreadPoolExecutor() as beside:  # git unpacks while this process reads what it unpacked before
        deployed = _deployed(files, ledger)
        digests = {deploy_tree.manifest_path(*place): live.digest for place, live in deployed.items()}
        approved = beside.submit(let_in, ledger.moment.repository, ledger.main, digests)
        releases = {_release(model, live.tag) for (_, model), live in deployed.items()} | set(tags or ())
        wanted = [*page_paths(releases, ledger), *incident_paths(ledger)]
        watched = beside.submit(newest_windows, {place: live.tag for place, live in deployed.items()}, ledger)
        ledger.bring(wanted)
        told, windows = releases_told(releases, ledger), watched.result()
    return Seen(
        ledger=ledger,
        deployed=deployed,
        quarantine=deploy_tree.quarantine(ledger.moment),
        coming=_coming(ledger, _may_go_on(files, deployed, ledger), now=now),
        told=told,
        windows=windows,
        troubled=_troubled(ledger),
        approved=approved.result(),
    )


@cache
def _release(model: str, version: str) -> ReleaseTag:
    return ReleaseTag.parse(f"{model}@{version}")


def _troubled(ledger: WholeLedger) -> set[tuple[str, str]]:
    """Models and environments that ever had an incident."""
    found = (folder.split("/") for folder in ledger.folders if "/incidents/" in folder)
    return {(model, environment) for model, environment, *_ in found}


def _deployed(files: Mapping[str, bytes], ledger: WholeLedger) -> dict[Place, Deployed]:
    """Of the models and environments that are declared: a manifest of another one counts for nothing here."""
    models = set(ledger.models)
    found: dict[Place, Deployed] = {}
    for place, live in deploy_tree.deployed_by(files).items():
        if place[1] in models and isinstance(live, BadFile):
            raise live
        if place[1] in models and isinstance(live, Deployed):
            found[place] = live
    return found


def _may_go_on(files: Mapping[str, bytes], deployed: Mapping[Place, Deployed], ledger: WholeLedger) -> set[Place]:
    """Where a canary runs, or the next environment runs something else: git is asked about these alone."""
    after = ledger.workplace.settings.after
    return {
        (environment, model)
        for (environment, model), live in deployed.items()
        if b"canary" in files[deploy_tree.manifest_path(environment, model)]
        or _differs(live, deployed, (after(environment), model))
    }


def _differs(live: Deployed, deployed: Mapping[Place, Deployed], following: tuple[str | None, str]) -> bool:
    environment, model = following
    then = None if environment is None else deployed.get((environment, model))
    return environment is not None and (then is None or then.digest != live.digest)


def _coming(ledger: WholeLedger, may_go_on: set[Place], *, now: datetime) -> Mapping[Place, tuple[OnItsWay, ...]]:
    """What is to be merged, by its branch, and what waits for its turn; of a day that is over, nobody knows."""
    found: dict[Place, tuple[OnItsWay, ...]] = {}
    for pull in ledger.moment.open_pulls():
        if (proposed := _proposed_by(pull)) is not None:
            place, version = proposed
            found[place] = (*found.get(place, ()), OnItsWay(version=version, pull=pull.number))
    places = may_go_on if ledger.moment.until is None else set()
    for one in rollouts.onward(ledger.workplace, now=now, places=places) if places else ():
        place = one.following, one.tag.model
        found[place] = (*found.get(place, ()), _onward(one))
    return found


def _onward(one: Onward) -> OnItsWay:
    return OnItsWay(version=one.tag.image_tag, wait=one.wait, canary=one.is_canary)


def _proposed_by(pull: Pull) -> tuple[Place, str] | None:
    """`release/production/tip/v1.1.0`, and `revert/production/tip/v1.1.0-to-v1.0.0`."""
    parts = pull.branch.split("/")
    if len(parts) != 4 or parts[0] not in ("release", "revert"):
        return None
    return (parts[1], parts[2]), parts[3].rpartition("-to-")[2]


def _row(model: str, environment: str, seen: Seen) -> StatusRow:
    place = environment, model
    live = seen.deployed.get(place)
    incidents = _incidents(model, environment, seen.ledger.workplace) if (model, environment) in seen.troubled else ()
    window = seen.windows.get(place)
    return StatusRow(
        model=model,
        environment=environment,
        version=live.tag if live else None,
        digest=live.digest if live else None,
        outcome=incidents[0].outcome if incidents else _quiet(window),
        incident=incidents[0].issue if incidents else None,
        quarantined=tuple(entry.version for entry in seen.quarantine if entry.model == model),
        on_its_way=seen.coming.get(place, ()),
        window=None if window is None else LastWindow.of(window),
        incidents=incidents,
        **({"since": None} if live is None else _of_live(live, environment, model, seen)),
    )


def _of_live(live: Deployed, environment: str, model: str, seen: Seen) -> dict[str, Any]:
    told = seen.told[_release(model, live.tag)]
    days = [one.live_since for one in told.rollouts if one.environment == environment and not one.canary]
    of_here = told.adopted.get(environment)
    adopted = None if of_here is None else of_here.when[:10]
    return {
        "since": days[-1].isoformat() if days else adopted,
        "runtime": next((image.runtime_digest for image in told.images if image.digest == live.digest), None),
        "in_audit": told.in_audit,
        "verdict": told.verdict,
        "passed": told.passed,
        "findings": told.findings,
        "adopted": of_here if told.verdict is None else None,
        "approved": seen.approved.get(deploy_tree.manifest_path(environment, model)),
    }


def _quiet(window: Window | None) -> str | None:
    return None if window is None else f"{Outcome.QUIET}, to {window.end}"


def _incidents(model: str, environment: str, workplace: Workplace) -> tuple[OpenIncident, ...]:
    """What is open: a rollout that failed, before what the watch found."""
    history = workplace.history
    failed, watched = history.open_rollout(model, environment), history.open_incident(model, environment)
    found = ((failed, "rollout failed"), (watched, None))
    return tuple(
        OpenIncident(
            incident=one.verdicts.incident or str(IncidentKind.METRIC),
            outcome=words or str(one.verdicts.outcome),
            issue=one.issue,
        )
        for one, words in found
        if one is not None
    )
