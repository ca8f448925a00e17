"""What there is of a canary and of the version beside it: both as they were released, and what the log has of them.

All rows are counted while they are read, and of these a sample is kept; those with a label are held whole, as by the
windows of the watch.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from slipway.adapters import onnx_session, seen_windows, tables
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.served_log import ServedLog
from slipway.adapters.served_sample import Sample
from slipway.adapters.wanted_rollouts import Wanted
from slipway.adapters.workplace import Workplace
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.model import Feature, Model
from slipway.domain.pages import digest_of
from slipway.domain.rows import Batch
from slipway.domain.settings import WatchOn
from slipway.errors import BadFile, ModelFailed, NotReleasable
from slipway.maths.absence import Absent
from slipway.maths.counts import CountedWindow
from slipway.maths.profile import ColumnProfile, profiles_from_json
from slipway.maths.windows import SeenWindow

_REPLAYED = 20_000  # rows, as of the traffic that a release is shown
_LOG = Path("served log")
Count = Callable[[Batch, Iterable[Feature]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two, as it was released."""

    name: str
    model: Model
    evidence: Evidence
    identity: Identity
    layers: dict[str, Path]

    @property
    def input_profile(self) -> dict[str, ColumnProfile]:
        return profiles_from_json(json.loads(self.layers["profile.json"].read_bytes()))

    @property
    def output_profile(self) -> dict[str, ColumnProfile]:
        """A log has one column a name, and an input of that name has it."""
        told = {one.name for one in self.model.outputs} - {one.name for one in self.model.inputs}
        profiles = profiles_from_json(self.evidence.output_profile or {})
        return {name: profile for name, profile in profiles.items() if name in told}


@dataclass(frozen=True, slots=True)
class Days:
    """The days on which it answered, both inclusive."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Found:
    """What the log has of the canary: all of it counted, a sample, what has a label; and the count of the rest."""

    seen: SeenWindow
    counted: CountedWindow | None
    not_finite: dict[str, int]
    sample: Sample
    labelled: pa.Table
    stable_rows: int
    stable_not_finite: dict[str, int]


def version_of(of: Wanted, workplace: Workplace) -> Version:
    identity, evidence = workplace.history.page(of.tag, Identity), workplace.history.page(of.tag, Evidence)
    if workplace.history.baseline(of.tag) is not None:
        raise NotReleasable(
            f"{of.tag} was adopted, and not released: a canary beside it would be held against what nobody judged",
            mend=f"let the first release have all of the traffic: an override for {of.tag.model} in "
            "policies/rollout.yaml",
        )
    if identity is None or evidence is None:
        raise NotReleasable(
            f"{of.tag} runs in {of.environment}, and the ledger has no page of its release",
            mend="release it by its tag, so that there is something to compare with",
        )
    layers = pull_model_layer(workplace.registry, of.tag.model, of.digest, workplace.layers)
    return Version(of.tag.image_tag, identity.body.declaration, evidence.body, identity.body, layers)


def find(canary: Version, stable: Version, days: Days, served: ServedLog, *, on: WatchOn, count: Count) -> Found:
    """`count` tells by output the rows of a batch in which it is no number."""
    inputs, answers = canary.input_profile, canary.output_profile
    features = (*canary.model.inputs, *(one for one in canary.model.outputs if one.name in answers))
    profile = digest_of(canary.layers["profile.json"].read_bytes())
    of_canary, of_stable = (_counted_up(one, days, served, count) for one in (canary, stable))
    return Found(
        seen=seen_windows.count(
            served,
            days.start,
            days.end,
            on=on,
            version=canary.name,
            features=features,
            profiles={**inputs, **answers},
        ),
        counted=served.counted(days.start, days.end, version=canary.name, profiles=inputs, profile=profile),
        not_finite=of_canary.not_finite,
        sample=served.sample(
            days.start, days.end, version=canary.name, features=_asked_of(canary, stable), most=_REPLAYED
        ),
        labelled=served.labelled(
            days.start, days.end, version=canary.name, features=(*_asked_of(canary, stable), *canary.model.outputs)
        ),
        stable_rows=of_stable.rows,
        stable_not_finite=of_stable.not_finite,
    )


@dataclass(frozen=True, slots=True)
class Both:
    """The same rows, put to both on this machine, so that no processor rounds one of them otherwise."""

    asked: Batch
    stable: Batch
    canary: Batch


def put_to_both(canary: Version, stable: Version, rows: pa.Table) -> Both | Absent:
    """Absent with why, where that cannot be: a column that was not logged, or rows that one of the two refuses."""
    if len(rows) == 0:
        return Absent("no row of it was logged")
    try:
        asked = tables.to_batch(rows, canary.model.inputs, where=_LOG)
        before = onnx_session.open_model(stable.layers["model.onnx"]).predict(
            tables.to_batch(rows, stable.model.inputs, where=_LOG)
        )
        now = onnx_session.open_model(canary.layers["model.onnx"]).predict(asked)
    except (BadFile, ModelFailed) as problem:
        return Absent(problem.problem)
    return Both(asked, before, now)


def _asked_of(canary: Version, stable: Version) -> tuple[Feature, ...]:
    """The inputs of both, each once: the log has a column a name."""
    return tuple({one.name: one for one in (*stable.model.inputs, *canary.model.inputs)}.values())


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many rows a version answered, and by output how many of these answers were counted."""

    rows: int
    not_finite: dict[str, int]


def _counted_up(version: Version, days: Days, served: ServedLog, count: Count) -> _Counted:
    """Of all rows, a piece at a time; an output that the log does not hold, or as something else, is left out."""
    rows, found = 0, Counter[str]()
    for piece in served.answers_of(days.start, days.end, version=version.name, outputs=version.model.outputs):
        rows += len(piece)
        for feature in version.model.outputs:
            if feature.name not in piece.column_names:
                continue
            try:
                batch = tables.to_batch(piece, [feature], where=_LOG)
            except BadFile:  # the drift of outputs tells
                continue
            found.update(count(batch, [feature]))
    return _Counted(rows, dict(sorted(found.items())))
