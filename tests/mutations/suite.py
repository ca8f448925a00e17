"""Damage a good conversion in every way, and ask measure and gate of a release what they make of it.

Whether a damage matters is found out by plain counting, without the measure: it flips at least one decision in 10,000
of the rows that the gate sees (samples, and edge rows that the source answers), or moves an output there by more than
0.001. The same is counted on rows that the gate does not see, drawn from the samples column by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto
from slipway.adapters.onnx_session import OnnxModel, open_model
from slipway.converters.batches import read_batch
from slipway.domain.case import ReleaseCase
from slipway.domain.conversion import SplitProbes
from slipway.domain.limits import FidelityLimit
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, is_number, rows_in, scores, take
from slipway.domain.verdict import Verdict
from slipway.errors import ModelRefused
from slipway.gates import fidelity as gate
from slipway.measures import fidelity

from tests import pages
from tests.mutations.damages import DAMAGES

_FLIPS = 1e-4  # a share of the rows
_MOVED = 1e-3
_OTHER_ROWS = 1_000
_NONE = "nothing at all"  # the control


@dataclass(frozen=True)
class Good:
    """A conversion that is right: its file, the rows, and what the source answered; `told` is what the worker said."""

    name: str
    folder: Path
    told: Mapping[str, Any]

    def rows(self, kind: str) -> Batch:
        return read_batch(self.folder / f"{kind}.npz")

    @property
    def asks(self) -> bool:
        return bool((self.told.get("splits") or {}).get("probed"))


@dataclass(frozen=True)
class Outcome:
    """`flips` and `moved` are the damage on rows that the gate sees, `elsewhere` whether it matters on others."""

    model: str
    damage: str
    flips: float
    moved: float
    elsewhere: bool
    findings: tuple[tuple[str, str], ...]  # title and verdict

    @property
    def material(self) -> bool:
        return self.flips >= _FLIPS or self.moved > _MOVED

    @property
    def caught(self) -> bool:
        return any(verdict == Verdict.FAIL for _, verdict in self.findings)


@dataclass(frozen=True)
class _Asked:
    """Rows by kind, what the source answers to them, and the good file's answers to rows that the gate does not see."""

    rows: Mapping[str, Batch]
    source: Mapping[str, Batch]
    others: Batch
    decision: Decision


def outcomes_of(good: Good, *, limit: FidelityLimit, scratch: Path) -> Iterator[Outcome]:
    """The control first, then each damage that there is something to do for."""
    model = onnx.load(good.folder / "model.onnx")
    asked = _asked(good, open_model(good.folder / "model.onnx"))
    for name, damage in {_NONE: _nothing, **DAMAGES}.items():
        damaged = ModelProto()
        damaged.CopyFrom(model)
        if damage(damaged, asked.rows["samples"]):
            onnx.save(damaged, scratch / "damaged.onnx")
            loaded = _loaded(scratch / "damaged.onnx")
            if loaded is not None:
                yield _outcome(good, name, loaded, asked, limit)


def _loaded(path: Path) -> OnnxModel | None:
    """None where the damage is a loud one: types that no longer fit end a release without any gate."""
    try:
        return open_model(path)
    except ModelRefused:
        return None


def is_control(outcome: Outcome) -> bool:
    return outcome.damage == _NONE


def _nothing(model: ModelProto, samples: Batch) -> bool:
    return True


def _asked(good: Good, onnx_model: OnnxModel) -> _Asked:
    kinds = ("samples", "edges", "probes") if good.asks else ("samples", "edges")
    rows = {kind: good.rows(kind) for kind in kinds}
    source = {kind: good.rows(f"outputs-{kind}") for kind in kinds}
    answered = np.setdiff1d(np.arange(rows_in(rows["edges"])), good.told["edges_that_raised"])
    rows["edges"], source["edges"] = take(rows["edges"], answered), take(source["edges"], answered)
    rows["others"] = _other_rows(rows["samples"])
    return _Asked(rows, source, onnx_model.predict(rows["others"]), _decision(source["samples"]))


def _other_rows(samples: Batch) -> Batch:
    """Each column drawn for itself, so that values meet that never met; one number in fifty is missing."""
    random = np.random.default_rng(11)
    drawn = {name: column[random.integers(0, len(column), _OTHER_ROWS)] for name, column in samples.items()}
    for column in drawn.values():
        if column.dtype.kind == "f":
            column[random.random(column.shape) < 0.02] = np.nan
    return drawn


def _decision(answers: Batch) -> Decision:
    """At one half where the first output is a probability, and in the middle of its answers where it is none."""
    name, column = next((name, column) for name, column in answers.items() if is_number(column))
    values = scores(answers, name)
    chance = bool(column.min() >= 0 and column.max() <= 1)
    return Decision(output=name, threshold=0.5 if chance else float(np.median(values)))


def _outcome(good: Good, damage: str, damaged: OnnxModel, asked: _Asked, limit: FidelityLimit) -> Outcome:
    answers = {kind: damaged.predict(rows) for kind, rows in asked.rows.items()}
    seen = [(asked.source[kind], answers[kind]) for kind in ("samples", "edges")]
    usual = _usual(asked.source["samples"])
    flips = [_share_flipped(right, wrong, asked.decision) for right, wrong in seen]
    other = _share_flipped(asked.others, answers["others"], asked.decision) >= _FLIPS
    return Outcome(
        model=good.name,
        damage=damage,
        flips=max(flips),
        moved=max(_moved(right, wrong, usual=usual) for right, wrong in seen),
        elsewhere=other or _moved(asked.others, answers["others"], usual=usual) > _MOVED,
        findings=_judged(good, answers, asked, limit),
    )


def _share_flipped(right: Batch, wrong: Batch, decision: Decision) -> float:
    limit = np.float32(decision.threshold)
    one, other = scores(right, decision.output), scores(wrong, decision.output)
    return float(((one >= limit) != (other >= limit)).mean())


def _usual(answers: Batch) -> float:
    """The largest number among the answers, at least 1."""
    return max(1.0, *(float(np.nanmax(np.abs(one.astype(float)))) for one in answers.values() if is_number(one)))


def _moved(right: Batch, wrong: Batch, *, usual: float) -> float:
    """The largest change of a number, of numbers beyond `usual` a share; a word or none for a number is far away."""
    return max(_apart(right[name], wrong[name], usual=usual) for name in right)


def _apart(right: npt.NDArray[Any], wrong: npt.NDArray[Any], *, usual: float) -> float:
    if not is_number(right):
        return 0.0 if (right == wrong).all() else np.inf
    one, other = (np.nan_to_num(side.astype(np.float64), nan=1e300, posinf=2e300) for side in (right, wrong))
    return float((np.abs(one - other) / np.maximum(1.0, np.abs(one) / usual)).max())


def _judged(good: Good, answers: Mapping[str, Batch], asked: _Asked, limit: FidelityLimit) -> tuple[Any, ...]:
    """What a release does: `measure-consistency` measures, `judge` asks the gate."""
    splits = good.told.get("splits")
    probes = (
        fidelity.at_splits(SplitProbes(**splits), source=asked.source["probes"], onnx=answers["probes"])
        if splits and good.asks
        else None
    )
    measured = fidelity.measure(
        source=asked.source["samples"],
        onnx=answers["samples"],
        source_edges=asked.source["edges"],
        onnx_edges=answers["edges"],
        noise_floor=good.told["noise_floor"],
        decision=asked.decision,
        probes=probes,
    )
    evidence = pages.evidence(fidelity=measured)
    case = ReleaseCase(identity=pages.identity(), evidence=evidence, rehearsal=pages.rehearsal())
    return tuple((finding.title, str(finding.verdict)) for finding in gate.judge(case, limit))
