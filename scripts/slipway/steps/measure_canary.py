"""Look at what a canary answered since it went live, and put the same rows to the version that answers the rest.

All rows are counted, a sample of them is put to both versions, and so are those that have a label.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor
from pathlib import Path

import numpy as np
import pyarrow as pa

from slipway.adapters import canaries, tables
from slipway.adapters.canaries import Trial
from slipway.adapters.canary_rows import Both, Days, Found, Version, find, put_to_both, version_of
from slipway.adapters.records import Record
from slipway.adapters.served_sample import Sample
from slipway.adapters.wanted_rollouts import Wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryEvidence
from slipway.domain.evidence import MetricsEvidence, SlicesEvidence, TrafficEvidence
from slipway.domain.identity import Identity
from slipway.domain.incident import PreviousEvidence, Window
from slipway.domain.model import Decision
from slipway.domain.pages import Page, digest_of
from slipway.domain.policy import Policies
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.tag import Bump, ReleaseTag
from slipway.domain.verdict import enclosing
from slipway.errors import BadFile
from slipway.maths.absence import Absent
from slipway.measures import drift, metrics, outputs, previous_version, slices, traffic

log = logging.getLogger(__name__)

_LOG = Path("served log")


def run(
    model: str, *, environment: str, record: Record, now: datetime, policies: Policies, workplace: Workplace
) -> Page[CanaryEvidence] | None:
    """Write the page `canary` of what it answered up to `now`; None where no canary runs there, or none yet.

    Args:
        model: a model's name.
        environment: one of slipway.yaml.
        record: of the window that the watch looks at on that day: the page travels with it.
        now: the moment up to which its hours count.
        policies: which metrics and slices are measured.
        workplace: where manifest, ledger, log and images are.

    Raises:
        NotReleasable: the ledger has no release of one of the two.
        Unreachable: log, registry or forge does not answer.
    """
    trial = canaries.running(model, environment=environment, workplace=workplace)
    since = trial.since if trial else None
    if trial is None or since is None or trial.live_since is None or now < since:
        return None
    today = now.astimezone(UTC).date()
    days = Days(min(trial.live_since, today), today)
    hours = floor((now - since) / timedelta(hours=1) * 10) / 10
    return _look(trial, days, record, since=since, hours=hours, policies=policies, workplace=workplace)


def run_again(
    recorded: CanaryEvidence, record: Record, *, policies: Policies, workplace: Workplace
) -> Page[CanaryEvidence]:
    """Write the page `canary` about what is in the log by now of a trial that was looked at before."""
    tag, stable = (ReleaseTag.parse(f"{recorded.model}@{name}") for name in (recorded.version, recorded.stable))
    trial = Trial(
        canary=Wanted(tag, recorded.environment, recorded.digest, recorded.commit, is_canary=True),
        stable=Wanted(stable, recorded.environment, recorded.stable_digest, recorded.commit),
        verified=None,
    )
    days = Days(recorded.window.start, recorded.window.end)
    since, hours = recorded.since, recorded.hours
    return _look(trial, days, record, since=since, hours=hours, policies=policies, workplace=workplace)


def _look(
    trial: Trial,
    days: Days,
    record: Record,
    *,
    since: datetime,
    hours: float,
    policies: Policies,
    workplace: Workplace,
) -> Page[CanaryEvidence]:
    canary, stable = version_of(trial.canary, workplace), version_of(trial.stable, workplace)
    served = workplace.served_log(trial.tag.model, trial.environment)
    found = find(canary, stable, days, served, on=workplace.settings.watch_on, count=outputs.not_finite)
    return record.once(
        CanaryEvidence,
        reads=_reads(trial, days, found, hours=hours, policies=policies),
        make=lambda: _measure(trial, canary, stable, days, found, since=since, hours=hours, policies=policies),
    )


def _reads(trial: Trial, days: Days, found: Found, *, hours: float, policies: Policies) -> dict[str, str]:
    limits = (policies.metrics.limit_for(trial.tag.model), policies.slices.limit_for(trial.tag.model))
    return {
        "canary": trial.canary.digest,
        "commit": trial.canary.commit,
        "stable": trial.stable.digest,
        "days": f"{days.start}/{days.end}",
        "hours": f"{hours:g}",
        "rows": digest_of(found.seen.to_bytes()),
        "answers": json.dumps(found.not_finite),
        **({"stable answers": json.dumps(found.stable_not_finite)} if any(found.stable_not_finite.values()) else {}),
        "sample": _digest_of_table(found.sample.rows),
        "labelled": _digest_of_table(found.labelled),
        "stable rows": str(found.stable_rows),
        **({"counted": digest_of(found.counted.to_bytes())} if found.counted else {}),
        "measured": digest_of("".join(limit.model_dump_json() for limit in limits).encode()),
    }


def _measure(
    trial: Trial,
    canary: Version,
    stable: Version,
    days: Days,
    found: Found,
    *,
    since: datetime,
    hours: float,
    policies: Policies,
) -> CanaryEvidence:
    replayed, why_not = _replay(canary, stable, days, found.sample)
    both = put_to_both(canary, stable, found.labelled)
    previous = None if isinstance(both, Absent) else _compared(canary, stable, found.labelled, both)
    return CanaryEvidence(
        model=trial.tag.model,
        environment=trial.environment,
        version=canary.name,
        digest=trial.canary.digest,
        commit=trial.canary.commit,
        stable=stable.name,
        stable_digest=trial.stable.digest,
        since=since,
        hours=hours,
        window=_window(canary, days, found, previous, policies),
        at_release=canary.evidence.metrics.metrics,
        decision=canary.model.decision.kind,
        stable_rows=found.stable_rows,
        not_finite=found.not_finite,
        stable_not_finite=found.stable_not_finite,
        replayed=replayed,
        not_replayed=why_not,
        slices=_slices(canary, found.labelled, _answers(canary, found.labelled), policies),
        stable_slices=None if isinstance(both, Absent) else _slices_of_stable(canary, stable, found, both, policies),
        same_answers=_promises_the_same(canary.identity, stable),
        calibration=canary.evidence.calibration,
    )


def _window(canary: Version, days: Days, found: Found, previous: PreviousEvidence | None, policies: Policies) -> Window:
    seen, counted = found.seen, found.counted
    rows = seen.rows + (counted.rows if counted else 0)
    log.info("judging by %s rows of the canary %s, %s to %s", f"{rows:,}", canary.name, days.start, days.end)
    moved, breaks = drift.measure(canary.input_profile, seen, counted.columns if counted else {}) if rows else ((), ())
    answers_moved, _ = drift.measure(canary.output_profile, seen) if seen.rows else ((), ())
    return Window(
        start=days.start,
        end=days.end,
        version=canary.name,
        rows=rows,
        counted=counted.rows if counted else 0,
        labelled=len(found.labelled),
        drift=moved,
        outputs=answers_moved,
        schema_breaks=breaks,
        trailing=_scored(canary, found.labelled, policies),
        previous=previous,
    )


def _promises_the_same(identity: Identity, stable: Version) -> bool:
    """A patch of the stable version does, and so does a revision of it on another runtime image."""
    if identity.rebase is not None:
        return identity.rebase.of == stable.name
    return identity.bump is Bump.PATCH and identity.compared is not None and identity.compared.version == stable.name


@dataclass(frozen=True, slots=True)
class _Served:
    """Which rows were put to both."""

    since: str
    until: str
    of: int


def _replay(canary: Version, stable: Version, days: Days, sample: Sample) -> tuple[TrafficEvidence | None, str]:
    """Where they decide otherwise; and why nobody could ask, where that is so."""
    both = put_to_both(canary, stable, sample.rows)
    if isinstance(both, Absent):
        return None, str(both)
    return traffic.measure(
        served=_Served(days.start.isoformat(), days.end.isoformat(), sample.of),
        version=stable.name,
        asked=both.asked,
        deployed=both.stable,
        candidate=both.canary,
        decision=canary.model.decision,
        deployed_decision=stable.model.decision,
        by=canary.model.inputs,
    ), ""


def _scored(canary: Version, labelled: pa.Table, policies: Policies) -> MetricsEvidence | None:
    """By the answers that users got, as they were logged."""
    decision = canary.model.decision
    answers = _answers(canary, labelled)
    if answers is None:
        return None
    named = tuple(policies.metrics.limit_for(canary.model.name).named(decision.kind))
    rows = _labelled_rows(labelled, {}, decision)
    found, drawn = (metrics.measure(each, answers, decision, named=named) for each in (rows, rows.one_by_one))
    wider = {name: enclosing(one, drawn.metrics[name]) for name, one in found.metrics.items()}
    return found.model_copy(update={"metrics": wider})


def _slices(canary: Version, labelled: pa.Table, answers: Batch | None, policies: Policies) -> SlicesEvidence | None:
    """By inputs alone: no other column is in a served log."""
    limit = policies.slices.limit_for(canary.model.name)
    known = {one.name for one in canary.model.inputs}
    if answers is None or not known.issuperset((*(limit.columns or ()), *limit.protected)):
        return None
    try:
        batch = tables.to_batch(labelled, canary.model.inputs, where=_LOG)
    except BadFile:
        return None
    return slices.measure(canary.model, _labelled_rows(labelled, batch, canary.model.decision), answers, limit)


def _slices_of_stable(
    canary: Version, stable: Version, found: Found, both: Both, policies: Policies
) -> SlicesEvidence | None:
    """None where it decides another way, and no metric of the canary's is one of it."""
    if stable.model.decision != canary.model.decision:
        return None
    return _slices(canary, found.labelled, both.stable, policies)


def _answers(canary: Version, labelled: pa.Table) -> Batch | None:
    if len(labelled) == 0:
        return None
    try:
        return tables.to_batch(labelled, canary.model.outputs, where=_LOG)
    except BadFile:  # the log does not hold what it answered
        return None


def _compared(canary: Version, stable: Version, labelled: pa.Table, both: Both) -> PreviousEvidence:
    """The stable version on the labelled rows that the canary answered.

    Two days may agree by luck, and few rows of many days: the difference is no surer than by either.
    """
    rows = _labelled_rows(labelled, both.asked, canary.model.decision)
    found, drawn = (
        previous_version.measure(
            each,
            version=stable.name,
            deployed=both.canary,
            previous=both.stable,
            decision=canary.model.decision,
            previous_decision=stable.model.decision,
        )
        for each in (rows, rows.one_by_one)
    )
    return found.model_copy(update={"difference": enclosing(found.difference, drawn.difference)})


def _labelled_rows(labelled: pa.Table, batch: Batch, decision: Decision) -> LabelledRows:
    labels = tables.labels(labelled["label"], decision, where=_LOG, name="label")
    days = tables.days(labelled["time"], where=_LOG, name="time")
    return LabelledRows(batch=batch, labels=labels, days=days, counts=np.ones(len(labels), np.bool_))


def _digest_of_table(table: pa.Table) -> str:
    """Of the rows, however many files and batches they came in."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return digest_of(sink.getvalue().to_pybytes())
