"""Look at a window of what production served: inputs against the profile, labels against the release.

The version before is asked the same labelled rows, so that `judge` can tell a bad model from a changed world.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from slipway.adapters import deploy_tree, onnx_session, released, tables
from slipway.adapters.manifests import Deployed
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.served_log import ServedLog
from slipway.adapters.workplace import Workplace
from slipway.domain.calibration import Calibration
from slipway.domain.evidence import Evidence, MetricsEvidence
from slipway.domain.identity import Identity
from slipway.domain.incident import (
    IssueAction,
    IssueFiled,
    PreviousEvidence,
    Window,
    WindowEvidence,
)
from slipway.domain.model import Decision, Model
from slipway.domain.pages import Page, digest_of
from slipway.domain.policy import Policies
from slipway.domain.release import Image, Proposal, Rollout
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, NotReleasable
from slipway.maths.counts import CountedWindow
from slipway.maths.profile import ColumnProfile, profile_from_json
from slipway.maths.windows import SeenWindow, count_window
from slipway.measures import drift, metrics, previous_version

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Watched:
    """What runs, since when, and what could run instead."""

    tag: ReleaseTag
    environment: str
    digest: str
    live_since: date
    model: Model
    at_release: MetricsEvidence
    calibration: Calibration | None
    back_to: ReleaseTag | None
    layers: dict[str, Path]
    named_metrics: tuple[str, ...]

    def file(self, name: str) -> Path:
        return self.layers[name]


@dataclass(frozen=True, slots=True)
class _Days:
    """The window, and the longer one over which metrics are trusted; days are inclusive."""

    start: date
    trailing: date
    end: date


def run(model: str, *, environment: str, until: date, policies: Policies, workplace: Workplace) -> Page[WindowEvidence]:
    """Write the page `window` about the days that end with `until`.

    Raises:
        NotReleasable: nothing is deployed, its rollout was never verified, or it was not live yet by `until`.
    """
    watched = _watched(model, environment, policies, workplace)
    days = _days(until, watched, policies)
    served = workplace.served_log(model, environment)
    record = workplace.window(model, environment, until.isoformat())
    record.seed(workplace.history.pages_of_window(model, environment, until=until, subject=record.subject))
    seen = _seen(served, days, watched)
    labelled = _labelled(served, days.start, days.end, watched)
    trailing = _trailing_rows(served, days, watched)
    earlier = _earlier(watched, days, workplace)
    counted, calibration = _counted(served, days, watched), watched.calibration
    reads = {
        "digest": watched.digest,
        "window": f"{days.start}/{days.end}",
        "rows": digest_of(seen.to_bytes()),
        "labelled": _digest_of_table(labelled),
        "trailing": _digest_of_table(trailing) if trailing is not None else "none",
        "earlier": digest_of("".join(window.model_dump_json() for window in earlier).encode()),
        "back to": str(watched.back_to),
        "metrics": " ".join(watched.named_metrics),
        **({"counted": digest_of(counted.to_bytes())} if counted else {}),
        **({"calibration": digest_of(calibration.model_dump_json().encode())} if calibration else {}),
    }

    def measure() -> WindowEvidence:
        rows = seen.rows + (counted.rows if counted else 0)
        log.info("comparing %s rows of %s, %s to %s", f"{rows:,}", watched.tag, days.start, days.end)
        moved, breaks = drift.measure(_profile(watched), seen, counted.columns if counted else {}) if rows else ((), ())
        window = Window(
            start=days.start,
            end=days.end,
            version=watched.tag.image_tag,
            rows=rows,
            counted=counted.rows if counted else 0,
            labelled=len(labelled),
            drift=moved,
            schema_breaks=breaks,
            trailing=_trailing(watched, trailing),
            previous=_replay(watched, labelled, workplace),
        )
        return _evidence(watched, window, earlier, workplace)

    return record.once(WindowEvidence, reads=reads, make=measure)


def _watched(model: str, environment: str, policies: Policies, workplace: Workplace) -> _Watched:
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        raise NotReleasable(f"{environment} runs no version of {model} yet", mend="merge a release's pull request")
    tag = ReleaseTag.parse(f"{model}@{live.tag}")
    identity, evidence = workplace.history.page(tag, Identity), workplace.history.page(tag, Evidence)
    if identity is None or evidence is None:
        raise NotReleasable(
            f"{tag} runs in {environment}, and the ledger has no page of its release",
            mend="release it by its tag, so that there is something to compare with",
        )
    return _Watched(
        tag=tag,
        environment=environment,
        digest=live.digest,
        live_since=_live_since(tag, environment, live, workplace),
        model=identity.body.declaration,
        at_release=evidence.body.metrics,
        calibration=evidence.body.calibration,
        back_to=back_to(tag, environment, workplace),
        layers=pull_model_layer(workplace.registry, model, live.digest, workplace.layers),
        named_metrics=tuple(policies.metrics.limit_for(model).named(identity.body.declaration.decision.kind)),
    )


def back_to(tag: ReleaseTag, environment: str, workplace: Workplace) -> ReleaseTag | None:
    """The version that ran before, or else the highest lower one that passed; never one in quarantine.

    Another revision is the same model and could do no better, so what it replaced is looked at.
    """
    before = _ran_before(tag, environment, workplace)
    while before is not None and before.version == tag.version and before.revision < tag.revision:
        tag, before = before, _ran_before(before, environment, workplace)
    if before is not None and not deploy_tree.quarantined(
        workplace.forge, model=before.model, version=before.image_tag
    ):
        return before
    return released.highest_passed(tag.model, workplace, below=tag.version)


def _ran_before(tag: ReleaseTag, environment: str, workplace: Workplace) -> ReleaseTag | None:
    """What `tag` replaced in an environment, as its last proposal there tells."""
    proposals = [page.body for page in workplace.history.pages(tag, Proposal)]
    replaced = [one.replaces for one in proposals if one.environment == environment and one.replaces != tag.image_tag]
    return ReleaseTag.parse(f"{tag.model}@{replaced[-1]}") if replaced and replaced[-1] else None


def _live_since(tag: ReleaseTag, environment: str, live: Deployed, workplace: Workplace) -> date:
    rollouts = workplace.history.pages(tag, Rollout)
    days = [page.body.live_since for page in rollouts if page.body.environment == environment]
    if not days:
        raise NotReleasable(
            f"the rollout of {tag} ({live.digest[:19]}) in {environment} was never verified",
            mend=f"slipway verify-rollout {tag.model} --environment {environment}",
        )
    return days[-1]


def _days(until: date, watched: _Watched, policies: Policies) -> _Days:
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


def _trailing_rows(served: ServedLog, days: _Days, watched: _Watched) -> pa.Table | None:
    """None until the version has served the whole of it: days of another version say nothing about this one."""
    if days.trailing < watched.live_since:
        return None
    return _labelled(served, days.trailing, days.end, watched)


def _labelled(served: ServedLog, start: date, end: date, watched: _Watched) -> pa.Table:
    features = (*watched.model.inputs, *watched.model.outputs)
    return served.labelled(start, end, version=watched.tag.image_tag, features=features)


def _seen(served: ServedLog, days: _Days, watched: _Watched) -> SeenWindow:
    """The inputs of all rows, counted while they are read: what they showed is the same in any order of files."""
    batches = served.batches(days.start, days.end, version=watched.tag.image_tag, features=watched.model.inputs)
    return count_window(_profile(watched), batches)


def _counted(served: ServedLog, days: _Days, watched: _Watched) -> CountedWindow | None:
    """What servers served that may not log rows."""
    digest = digest_of(watched.file("profile.json").read_bytes())
    version, profiles = watched.tag.image_tag, _profile(watched)
    return served.counted(days.start, days.end, version=version, profiles=profiles, profile=digest)


def _profile(watched: _Watched) -> dict[str, ColumnProfile]:
    told: dict[str, Any] = json.loads(watched.file("profile.json").read_bytes())
    return {name: profile_from_json(column) for name, column in told.items()}


def _trailing(watched: _Watched, labelled: pa.Table | None) -> MetricsEvidence | None:
    if labelled is None or len(labelled) == 0:
        return None
    outputs = tables.to_batch(labelled, watched.model.outputs, where=Path("served log"))
    decision = watched.model.decision
    return metrics.measure(_labelled_rows(labelled, {}, decision), outputs, decision, named=watched.named_metrics)


def _replay(watched: _Watched, labelled: pa.Table, workplace: Workplace) -> PreviousEvidence | None:
    if watched.back_to is None or len(labelled) == 0:
        return None
    identity = workplace.history.page(watched.back_to, Identity)
    image = workplace.history.page(watched.back_to, Image)
    if identity is None or image is None:
        return None
    before = identity.body.declaration
    files = pull_model_layer(workplace.registry, watched.tag.model, image.body.digest, workplace.layers)
    try:
        asked_before = tables.to_batch(labelled, before.inputs, where=Path("served log"))
        asked_now = tables.to_batch(labelled, watched.model.inputs, where=Path("served log"))
    except BadFile as problem:  # a column that was not logged: told by the finding about drift
        log.info("%s cannot be replayed: %s", watched.back_to, problem.problem)
        return None
    return previous_version.measure(
        _labelled_rows(labelled, asked_now, watched.model.decision),
        version=watched.back_to.image_tag,
        deployed=onnx_session.open_model(watched.file("model.onnx")).predict(asked_now),
        previous=onnx_session.open_model(files["model.onnx"]).predict(asked_before),
        decision=watched.model.decision,
        previous_decision=before.decision,
    )


def _labelled_rows(labelled: pa.Table, batch: Batch, decision: Decision) -> LabelledRows:
    where = Path("served log")
    labels = tables.labels(labelled["label"], decision, where=where, name="label")
    days = tables.days(labelled["time"], where=where, name="time")
    return LabelledRows(batch=batch, labels=labels, days=days, counts=np.ones(len(labels), np.bool_))


def _earlier(watched: _Watched, days: _Days, workplace: Workplace) -> tuple[Window, ...]:
    windows = workplace.history.windows(watched.tag.model, watched.environment, version=watched.tag.image_tag)
    return tuple(window for window in windows if watched.live_since <= window.start and window.end < days.end)


def _evidence(watched: _Watched, window: Window, earlier: tuple[Window, ...], workplace: Workplace) -> WindowEvidence:
    image = workplace.history.page(watched.back_to, Image) if watched.back_to else None
    return WindowEvidence(
        model=watched.tag.model,
        environment=watched.environment,
        digest=watched.digest,
        window=window,
        earlier=earlier,
        at_release=watched.at_release.metrics,
        back_to=watched.back_to.image_tag if watched.back_to else None,
        back_to_digest=image.body.digest if image else None,
        open_incident=_open_incident(watched, workplace),
        decision=watched.model.decision.kind,
        calibration=watched.calibration,
    )


def _open_incident(watched: _Watched, workplace: Workplace) -> str | None:
    """The newest incident that has an issue, unless that was closed. A way back that a person asked for has none."""
    model, environment = watched.tag.model, watched.environment
    for incident in reversed(workplace.history.incidents(model, environment)):
        issue = workplace.history.incident_page(model, environment, incident, IssueFiled)
        if issue is not None:
            return None if issue.body.action is IssueAction.CLOSED else incident
    return None


def _digest_of_table(table: pa.Table) -> str:
    """Of the rows, however many files and batches they came in."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return digest_of(sink.getvalue().to_pybytes())
