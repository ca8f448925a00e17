"""Tell the MLflow server that a model came from what became of it: tags and an alias of the model version.

As far as it listens: a server that is away fails nothing, and is told by the next run. What runs where is known by git
and the ledger, and never read from there.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from slipway.adapters import git, wanted_rollouts
from slipway.adapters.mlflow_write_back import TrackingServer
from slipway.adapters.records import Record
from slipway.adapters.wanted_rollouts import Wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.conversion import Conversion
from slipway.domain.identity import Identity
from slipway.domain.origin import Training
from slipway.domain.pages import Page
from slipway.domain.release import Image, Proposal, Rollout
from slipway.domain.write_back import Telling, WriteBack, is_of_a_registry, taking_away, telling_of
from slipway.errors import SlipwayError, TrackingServerRefused, Unreachable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be told, and which host's server that version is of; None where nobody knows."""

    telling: Telling
    server: str | None


def run(model: str, *, environment: str, workplace: Workplace, away: str = "") -> Page[WriteBack] | None:
    """Tell what was verified, and write the page `write-back`; None where there is nothing to tell.

    There is not where nothing was verified yet, where it was told, and where the model came from nowhere else: unless
    it took the place of one that has the alias still. Where `away` says why the server did not answer before, in this
    run, it is not asked again. What says no more than the newest page of the rollout is no page of its own.
    """
    git.fetch(workplace.repository.root)
    found = wanted_rollouts.wanted(model, environment=environment, workplace=workplace)
    if found is None:
        return None
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    rollout = _verified(record, found)
    if rollout is None or _was_told(record, rollout):
        return None
    due = _due(record, rollout.body, found, workplace)
    if due is None:
        return None
    attempts = [page for page in record.pages(WriteBack) if page.reads["rollout"] == rollout.key]
    told = _tell(due, rollout.body, workplace, away=away)
    if attempts and told.says_the_same_as(attempts[-1].body):
        log.info("%s, as page %d says already", told.problem, attempts[-1].number)
        return attempts[-1]
    reads = {"rollout": rollout.key, "attempt": str(len(attempts) + 1)}
    return record.once_for_each(WriteBack, reads=reads, make=lambda: told)


def _due(record: Record, rollout: Rollout, found: Wanted, workplace: Workplace) -> _Due | None:
    training = _training(record)
    if training is not None:
        return _Due(_telling(record, training, rollout, workplace), training.tracking_server)
    before = [page.body for page in workplace.history.write_backs(found.tag.model, found.environment)]
    last = next((body for body in reversed(before) if not body.problem), None)
    if last is None or last.telling.alias is None or not rollout.stays:
        return None
    return _Due(taking_away(last.telling, by=found.tag), last.server)


def _verified(record: Record, found: Wanted) -> Page[Rollout] | None:
    """Where it stays, if it does anywhere; else where it was tried."""
    tried = record.written_for(Rollout, reads=found.reads(stays=False))
    return record.written_for(Rollout, reads=found.reads(stays=True)) or tried


def _training(record: Record) -> Training | None:
    identity = record.latest(Identity)
    origin = identity.body.origin if identity is not None else None
    training = origin.training if origin is not None else None
    return training if is_of_a_registry(training) else None


def _was_told(record: Record, rollout: Page[Rollout]) -> bool:
    return any(page.reads["rollout"] == rollout.key and not page.body.problem for page in record.pages(WriteBack))


def _telling(record: Record, training: Training, rollout: Rollout, workplace: Workplace) -> Telling:
    proposals = [page.body for page in record.pages(Proposal) if page.body.environment == rollout.environment]
    number = next((one.pull for one in reversed(proposals) if one.pull is not None), None)
    web = workplace.web
    return telling_of(
        record.page(Identity, written_by="resolve-tag").body,
        training,
        conversion=record.page(Conversion, written_by="convert-to-onnx").body,
        image=next(page.body for page in record.pages(Image) if page.body.digest == rollout.digest),
        rollout=rollout,
        pull=None if number is None else f"{web}/pull/{number}" if web else f"#{number}",
    )


def _tell(due: _Due, rollout: Rollout, workplace: Workplace, *, away: str) -> WriteBack:
    told = WriteBack(
        environment=rollout.environment,
        version=rollout.version,
        server=due.server,
        telling=due.telling,
        problem=away,
        unanswered=bool(away),
    )
    if away or workplace.only_reads:
        return told
    log.info("telling MLflow's %s, version %s", due.telling.model_name, due.telling.model_version)
    try:
        server = TrackingServer.open(os.environ, requirements=workplace.repository.root / "requirements")
        _refuse_another(server, due)
        return told.model_copy(update={"server": server.host, "moved_from": server.tell(due.telling)})
    except SlipwayError as error:
        return told.model_copy(update={"problem": error.problem, "unanswered": isinstance(error, Unreachable)})


def _refuse_another(server: TrackingServer, due: _Due) -> None:
    """Its version of that number may be anything."""
    if due.server not in (None, server.host):
        raise TrackingServerRefused(
            f"the model came from the MLflow server {due.server}, and MLFLOW_TRACKING_URI names {server.host}",
            mend="name the same one",
        )
