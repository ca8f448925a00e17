"""Look at a window of what production served: inputs against the profile, labels against the release.

The version before is asked the same labelled rows, so that `judge` can tell a bad model from a changed world.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from slipway.adapters import answered as answered_window
from slipway.adapters import onnx_session, seen_windows, tables, ways_back
from slipway.adapters.answered import AnsweredWindow
from slipway.adapters.records import Record
from slipway.adapters.served_log import ServedLog
from slipway.adapters.watched import Watched, deployed_now, deployed_then
from slipway.adapters.ways_back import VersionBefore
from slipway.adapters.workplace import Workplace
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import (
    PreviousEvidence,
    WayBack,
    Window,
    WindowEvidence,
)
from slipway.domain.model import Decision
from slipway.domain.pages import Page, digest_of
from slipway.domain.policy import Policies
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.settings import WatchOn
from slipway.domain.unlabelled import LabelArrival, UnlabelledEstimate
from slipway.errors import BadFile, ModelFailed, NotReleasable
from slipway.maths.counts import CountedWindow
from slipway.maths.named_metrics import foremost
from slipway.maths.profile import ColumnProfile, profiles_from_json
from slipway.maths.windows import SeenWindow
from slipway.measures import drift, label_arrival, metrics, previous_version, unlabelled

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Days:
    """The window, and the longer one over which metrics are trusted; days are inclusive."""

    start: date
    trailing: date
    end: date


@dataclass(frozen=True, slots=True)
class _Found:
    """What the log and the registry have: all rows as counted, those with labels, and the version before."""

    seen: SeenWindow
    labelled: pa.Table
    trailing: pa.Table | None
    answered: AnsweredWindow
    counted: CountedWindow | None
    before: VersionBefore | None


def run(model: str, *, environment: str, until: date, policies: Policies, workplace: Workplace) -> Page[WindowEvidence]:
    """Write the page `window` about the days that end with `until`.

    Raises:
        NotReleasable: nothing is deployed, its rollout was never verified, or it was not live yet by `until`.
    """
    watched = deployed_now(model, environment, until, policies, workplace)
    record = workplace.window(model, environment, until.isoformat())
    record.seed(workplace.history.pages_of_window(model, environment, until=until, subject=record.subject))
    return _look(watched, _days(until, watched, policies), record, workplace)


def run_again(
    recorded: WindowEvidence, record: Record, *, policies: Policies, workplace: Workplace
) -> Page[WindowEvidence]:
    """Write the page `window` about what is in the log by now of a window that was looked at before.

    The version that was deployed then is looked at, beside the one that could have run instead.
    """
    watched = deployed_then(recorded, policies, workplace)
    return _look(watched, _days(recorded.window.end, watched, policies), record, workplace)


def _look(watched: Watched, days: _Days, record: Record, workplace: Workplace) -> Page[WindowEvidence]:
    found = _find(watched, days, workplace)
    return record.once(WindowEvidence, reads=_reads(watched, days, found), make=lambda: _measure(watched, days, found))


def _find(watched: Watched, days: _Days, workplace: Workplace) -> _Found:
    served = workplace.served_log(watched.tag.model, watched.environment)
    labelled = _labelled(served, days.start, days.end, watched)
    return _Found(
        seen=_seen(served, days, watched, on=workplace.settings.watch_on),
        labelled=labelled,
        trailing=_trailing_rows(served, days, watched),
        answered=_answered(served, days, watched),
        counted=_counted(served, days, watched),
        before=ways_back.version_before(watched.back_to, workplace, is_asked=len(labelled) > 0),
    )


def _reads(watched: Watched, days: _Days, found: _Found) -> dict[str, str]:
    calibration, before, counted = watched.calibration, found.before, found.counted
    return {
        "digest": watched.digest,
        "window": f"{days.start}/{days.end}",
        "rows": digest_of(found.seen.to_bytes()),
        "labelled": _digest_of_table(found.labelled),
        "trailing": _digest_of_table(found.trailing) if found.trailing is not None else "none",
        "earlier": digest_of("".join(window.model_dump_json() for window in watched.earlier).encode()),
        "back to": str(watched.back_to),
        **({"held": "; ".join(watched.held)} if watched.held else {}),
        **({"gone": before.gone} if before and before.gone else {}),
        "metrics": " ".join(watched.named_metrics),
        "answered": digest_of(repr(found.answered).encode()),
        **({"counted": digest_of(counted.to_bytes())} if counted else {}),
        **({"calibration": digest_of(calibration.model_dump_json().encode())} if calibration else {}),
    }


def _measure(watched: Watched, days: _Days, found: _Found) -> WindowEvidence:
    seen, labelled, counted, before = found.seen, found.labelled, found.counted, found.before
    rows = seen.rows + (counted.rows if counted else 0)
    log.info("comparing %s rows of %s, %s to %s", f"{rows:,}", watched.tag, days.start, days.end)
    moved, breaks = drift.measure(_profile(watched), seen, counted.columns if counted else {}) if rows else ((), ())
    answers_moved, _ = drift.measure(_answers(watched), seen) if seen.rows else ((), ())
    replayed = _replay(watched, before, labelled)
    window = Window(
        start=days.start,
        end=days.end,
        version=watched.tag.image_tag,
        rows=rows,
        counted=counted.rows if counted else 0,
        labelled=len(labelled),
        drift=moved,
        outputs=answers_moved,
        schema_breaks=breaks,
        trailing=_trailing(watched, found.trailing),
        previous=replayed.previous,
        arrival=_arrival(found.answered, labelled, found.trailing),
        estimated=_estimated(found.answered, watched),
    )
    way_back = WayBack(
        held=watched.held,
        lacks=(*_lacks(watched, before, seen), *replayed.refused),
        gone=before.gone if before else "",
        not_asked=replayed.not_asked,
    )
    return _evidence(watched, window, before, way_back)


def _days(until: date, watched: Watched, policies: Policies) -> _Days:
    model = watched.tag.model
    if until < watched.live_since:
        raise NotReleasable(
            f"{watched.tag} is live in {watched.environment} since {watched.live_since}: a window to {until} holds "
            "none of its days",
            mend=f"watch from {watched.live_since} on, when that day is over",
        )
    window = policies.drift.limit_for(model).window_days
    trailing = policies.metrics.limit_for(model).window_days
    return _Days(
        start=max(watched.live_since, until - timedelta(days=window - 1)),
        trailing=until - timedelta(days=trailing - 1),
        end=until,
    )


def _trailing_rows(served: ServedLog, days: _Days, watched: Watched) -> pa.Table | None:
    """None until the version has served the whole of it: days of another version say nothing about this one."""
    if days.trailing < watched.live_since:
        return None
    return _labelled(served, days.trailing, days.end, watched)


def _labelled(served: ServedLog, start: date, end: date, watched: Watched) -> pa.Table:
    features = (*watched.model.inputs, *watched.model.outputs)
    return served.labelled(start, end, version=watched.tag.image_tag, features=features)


def _seen(served: ServedLog, days: _Days, watched: Watched, *, on: WatchOn) -> SeenWindow:
    """All rows, counted while they are read: what they showed is the same in any order of files."""
    inputs, answers = _profile(watched), _answers(watched)
    features = (*watched.model.inputs, *(one for one in watched.model.outputs if one.name in answers))
    profiles, version = {**inputs, **answers}, watched.tag.image_tag
    return seen_windows.count(
        served, days.start, days.end, on=on, version=version, features=features, profiles=profiles
    )


def _answered(served: ServedLog, days: _Days, watched: Watched) -> AnsweredWindow:
    """Of all rows, labelled or not; answers are looked at where they were found to be probabilities that hold."""
    decision, check = watched.model.decision, watched.unlabelled
    holds = check is not None and check.is_calibrated(foremost(decision.kind).name)
    return answered_window.add_up(
        served,
        days.start,
        days.end,
        version=watched.tag.image_tag,
        output=next(one for one in watched.model.outputs if one.name == decision.output) if holds else None,
        count=partial(unlabelled.count, decision=decision),
    )


def _arrival(answered: AnsweredWindow, labelled: pa.Table, trailing: pa.Table | None) -> LabelArrival | None:
    """How long labels take is asked of the longest time that is at hand: the newest rows have quick ones alone."""
    if not answered.rows:
        return None
    days = tables.days(labelled["time"], where=Path("served log"), name="time") if len(labelled) else np.array([], int)
    return label_arrival.measure(
        answered.rows, days, answered_window.delays(trailing if trailing is not None else labelled)
    )


def _estimated(answered: AnsweredWindow, watched: Watched) -> UnlabelledEstimate | None:
    if answered.expected is None or watched.unlabelled is None:
        return None
    return unlabelled.measure(answered.expected, watched.model.decision, check=watched.unlabelled)


def _counted(served: ServedLog, days: _Days, watched: Watched) -> CountedWindow | None:
    """What servers served that may not log rows."""
    digest = digest_of(watched.file("profile.json").read_bytes())
    version, profiles = watched.tag.image_tag, _profile(watched)
    return served.counted(days.start, days.end, version=version, profiles=profiles, profile=digest)


def _profile(watched: Watched) -> dict[str, ColumnProfile]:
    return profiles_from_json(json.loads(watched.file("profile.json").read_bytes()))


def _answers(watched: Watched) -> dict[str, ColumnProfile]:
    """What the version answered at its release; a log has one column a name, and an input of that name has it."""
    told = {one.name for one in watched.model.outputs} - {one.name for one in watched.model.inputs}
    return {name: profile for name, profile in watched.output_profile.items() if name in told}


def _trailing(watched: Watched, labelled: pa.Table | None) -> MetricsEvidence | None:
    if labelled is None or len(labelled) == 0:
        return None
    outputs = tables.to_batch(labelled, watched.model.outputs, where=Path("served log"))
    decision = watched.model.decision
    return metrics.measure(_labelled_rows(labelled, {}, decision), outputs, decision, named=watched.named_metrics)


def _lacks(watched: Watched, before: VersionBefore | None, seen: SeenWindow) -> tuple[str, ...]:
    """What of today's requests the version before could not answer: as declared, and as they were logged."""
    if before is None or before.declaration is None:
        return ()
    absent = {name for name, column in seen.columns.items() if seen.rows and column.absent == seen.rows}
    sent = [one for one in before.declaration.inputs if one.tensor in watched.model.signature.inputs]
    return (
        *before.declaration.signature.lacks_of(watched.model.signature),
        *(f"it asks for {one.tensor}, which no request of this window had" for one in sent if one.name in absent),
    )


@dataclass(frozen=True, slots=True)
class _Replayed:
    """What the version before would have answered; else why it failed on these rows, or why it was not asked them."""

    previous: PreviousEvidence | None = None
    refused: tuple[str, ...] = ()
    not_asked: str = ""


def _replay(watched: Watched, before: VersionBefore | None, labelled: pa.Table) -> _Replayed:
    if before is None or before.declaration is None or before.onnx is None or len(labelled) == 0:
        return _Replayed()
    try:
        asked_before = tables.to_batch(labelled, before.declaration.inputs, where=Path("served log"))
        asked_now = tables.to_batch(labelled, watched.model.inputs, where=Path("served log"))
    except BadFile as problem:  # a column that was not logged, or as something else
        return _Replayed(not_asked=problem.problem)
    try:
        answered = onnx_session.open_model(before.onnx).predict(asked_before)
    except ModelFailed as failure:
        return _Replayed(refused=(f"it fails on rows of this window: {failure.problem}",))
    previous = previous_version.measure(
        _labelled_rows(labelled, asked_now, watched.model.decision),
        version=before.tag.image_tag,
        deployed=onnx_session.open_model(watched.file("model.onnx")).predict(asked_now),
        previous=answered,
        decision=watched.model.decision,
        previous_decision=before.declaration.decision,
    )
    return _Replayed(previous)


def _labelled_rows(labelled: pa.Table, batch: Batch, decision: Decision) -> LabelledRows:
    where = Path("served log")
    labels = tables.labels(labelled["label"], decision, where=where, name="label")
    days = tables.days(labelled["time"], where=where, name="time")
    return LabelledRows(batch=batch, labels=labels, days=days, counts=np.ones(len(labels), np.bool_))


def _evidence(watched: Watched, window: Window, before: VersionBefore | None, way_back: WayBack) -> WindowEvidence:
    return WindowEvidence(
        model=watched.tag.model,
        environment=watched.environment,
        digest=watched.digest,
        window=window,
        earlier=watched.earlier,
        at_release=watched.at_release.metrics,
        back_to=watched.back_to.image_tag if watched.back_to else None,
        back_to_digest=before.digest if before else None,
        open_incident=watched.open_incident,
        decision=watched.model.decision.kind,
        self_test=drift.self_test(_profile(watched)),
        calibration=watched.calibration,
        way_back=way_back,
    )


def _digest_of_table(table: pa.Table) -> str:
    """Of the rows, however many files and batches they came in."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return digest_of(sink.getvalue().to_pybytes())
