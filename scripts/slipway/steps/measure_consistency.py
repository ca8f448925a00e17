"""Measure the converted model: against its source, against the version before, and on labelled rows.

Nothing of the source is loaded here, only its recorded outputs. What is enough is judged later, by `judge`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slipway.adapters import model_cost, onnx_session, released, tables, team_tests
from slipway.adapters.asked_of_models import Asked
from slipway.adapters.onnx_session import OnnxModel
from slipway.adapters.records import Record, files_in
from slipway.converters.batches import read_batch
from slipway.domain.conversion import Conversion
from slipway.domain.cost import Cost
from slipway.domain.evidence import (
    ComparisonEvidence,
    Evidence,
    FidelityEvidence,
    Golden,
    MetricsEvidence,
    ProbesEvidence,
    RebaseEvidence,
    RefusedEvidence,
    TeamTest,
    TrafficEvidence,
)
from slipway.domain.identity import Identity, Released
from slipway.domain.model import Model
from slipway.domain.model_card import states_break
from slipway.domain.pages import File, Page
from slipway.domain.policy import Policies
from slipway.domain.rows import Batch, LabelledRows, is_number, rows_in, take
from slipway.errors import BadFile
from slipway.maths.profile import ColumnProfile, profile_of_columns
from slipway.measures import (
    behaviour,
    cost,
    drift,
    fidelity,
    metrics,
    outputs,
    promise,
    slices,
    traffic,
    unlabelled,
    way_back,
)

log = logging.getLogger(__name__)

_CANDIDATE = "candidate"  # no version is called that


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What is measured: the converted model, and its answers to the samples."""

    identity: Identity
    conversion: Conversion
    onnx: OnnxModel
    rows: LabelledRows
    answers: Batch
    named_metrics: tuple[str, ...]

    @property
    def model(self) -> Model:
        return self.identity.declaration


def run(
    record: Record,
    *,
    policies: Policies,
    tests: Path | None = None,
    as_recorded: FidelityEvidence | None = None,
) -> Page[Evidence]:
    """Write the page `evidence`, and the profile of the reference rows beside it.

    No limit of the policies is looked at: which metrics they name decides what is measured, how long a window of the
    watch is what the reference is cut into, and what is expected of the model what it is asked.

    Args:
        record: the release's record, with its pages `identity` and `conversion`.
        policies: of the default branch.
        tests: the folder tests/models, where a model's may hold functions of the team.
        as_recorded: what was found when the source could still be asked, for a record that lacks its answers.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    conversion = record.page(Conversion, written_by="convert-to-onnx").body
    asked = Asked.of(identity, policies, tests=tests)
    return record.once(
        Evidence,
        reads={**_reads(identity, conversion), **asked.reads},
        make=lambda: _measure(record, identity, conversion, asked, as_recorded),
        cost=lambda: _cost(record, identity, conversion),
    )


def _reads(identity: Identity, conversion: Conversion) -> dict[str, str]:
    compared = identity.compared
    deployed = {name: live.digest if live else "none" for name, live in identity.deployed.items()}
    return {
        "onnx": conversion.onnx.sha256,
        "source outputs": conversion.sample_outputs.sha256 + conversion.edge_outputs.sha256,
        "probes": conversion.probe_outputs.sha256 if conversion.probe_outputs else "none",
        "noise floor": json.dumps(conversion.noise_floor, sort_keys=True),
        "declaration": identity.declaration.model_dump_json(),
        "samples": identity.samples.sha256,
        "card": identity.card.sha256,
        "version": identity.version,
        **({"rebase": identity.rebase.model_dump_json()} if identity.rebase else {}),
        "compared": compared.digest if compared else "none",
        "deployed": json.dumps(deployed, sort_keys=True),
        "served": identity.served.file.sha256 if identity.served else "none",
    }


def _measure(
    record: Record,
    identity: Identity,
    conversion: Conversion,
    asked: Asked,
    as_recorded: FidelityEvidence | None,
) -> Evidence:
    model = identity.declaration
    onnx = onnx_session.open_model(record.path(conversion.onnx))
    rows = tables.read_samples(record.path(identity.samples), model, also=asked.slices.columns_beside(model.inputs))
    log.info("asking %s %s rows", identity.release, f"{len(rows):,}")
    candidate = _Candidate(identity, conversion, onnx, rows, onnx.predict(rows.batch), asked.named_metrics)
    profile = _profile(rows.batch)
    card = record.path(identity.card).read_text(encoding="utf-8", errors="replace")
    scores = metrics.measure(rows, candidate.answers, model.decision, named=asked.named_metrics)
    return Evidence(
        onnx_signature=onnx.signature,
        break_is_stated=states_break(card, identity.version),
        fidelity=as_recorded or _fidelity(record, candidate),
        outputs=outputs.measure(model, candidate.answers, rows=len(rows)),
        metrics=scores,
        slices=slices.measure(model, rows, candidate.answers, asked.slices),
        comparison=_compare(record, candidate, candidate.identity.compared),
        against_deployed=_against_deployed(record, candidate),
        traffic=_replay_traffic(record, candidate),
        input_profile=identity.rebase.profile if identity.rebase else _keep_profile(record, profile),
        output_profile=_told(_profile(candidate.answers)),
        golden=way_back.golden(rows.batch, candidate.answers),
        unlabelled=unlabelled.check(rows, candidate.answers, model.decision, window_days=asked.window_days),
        calibration=drift.calibrate(profile, rows.batch, rows.days, window_days=asked.window_days),
        behaviour=behaviour.measure(
            asked.expected,
            model=model,
            rows=rows,
            answers=candidate.answers,
            ask=onnx.predict,
            tests=_team_tests(record, candidate, asked.functions),
        ),
        rebase=_on_another_runtime(record, candidate, scores),
    )


def _on_another_runtime(record: Record, candidate: _Candidate, scores: MetricsEvidence) -> RebaseEvidence | None:
    """None but for a revision, and where the version that it was made of has no golden answers."""
    rebase, before = candidate.identity.rebase, candidate.identity.compared
    if rebase is None or before is None or before.golden is None:
        return None
    golden = Golden.model_validate_json(record.path(before.golden).read_bytes())
    now = candidate.onnx.predict(way_back.questions(candidate.model, golden))
    return way_back.on_another_runtime(golden, now, metrics_before=rebase.metrics, metrics=scores)


def _fidelity(record: Record, candidate: _Candidate) -> FidelityEvidence:
    """Of a revision as it was recorded, unless what the source answered still lies here: it is in no image."""
    conversion, rebase = candidate.conversion, candidate.identity.rebase
    if rebase is None or rebase.fidelity is None or all(map(record.has, files_in(conversion))):
        return _against_source(record, candidate)
    return FidelityEvidence.model_validate_json(record.path(rebase.fidelity).read_bytes())


def _against_source(record: Record, candidate: _Candidate) -> FidelityEvidence:
    conversion, onnx = candidate.conversion, candidate.onnx
    edges = read_batch(record.path(conversion.edges))
    answered = np.setdiff1d(np.arange(rows_in(edges)), conversion.edges_that_raised)
    return fidelity.measure(
        source=read_batch(record.path(conversion.sample_outputs)),
        onnx=candidate.answers,
        source_edges=take(read_batch(record.path(conversion.edge_outputs)), answered),
        onnx_edges=onnx.predict(take(edges, answered)),
        noise_floor=conversion.noise_floor,
        decision=candidate.model.decision,
        probes=_at_splits(record, conversion, onnx),
        refused=_where_refused(edges, conversion, onnx),
    )


def _at_splits(record: Record, conversion: Conversion, onnx: OnnxModel) -> ProbesEvidence | None:
    """None where there are no trees, or the page is older than the probes."""
    if conversion.splits is None:
        return None
    if conversion.probes is None or conversion.probe_outputs is None:
        return fidelity.at_splits(conversion.splits, source={}, onnx={})
    answers = onnx.predict(read_batch(record.path(conversion.probes)))
    source = read_batch(record.path(conversion.probe_outputs))
    _refuse_other_shapes(source, like=answers, where="outputs-probes.npz")
    return fidelity.at_splits(conversion.splits, source=source, onnx=answers)


def _refuse_other_shapes(source: Batch, *, like: Batch, where: str) -> None:
    """What the process of a model wrote may be anything."""
    found, expected = ({name: one.shape for name, one in batch.items()} for batch in (source, like))
    if found != expected:
        raise BadFile(
            f"{where} holds the answers {found}; the rows beside it have {expected}",
            mend="run convert-to-onnx again; if it happens twice, look for code in the model that writes files",
        )


def _where_refused(edges: Batch, conversion: Conversion, onnx: OnnxModel) -> RefusedEvidence:
    """Each row alone, since one that onnxruntime refuses as well would hide the others."""
    rows = [take(edges, slice(row, row + 1)) for row in conversion.edges_that_raised]
    return fidelity.where_refused([onnx.answers_if_any(row) for row in rows])


def _team_tests(record: Record, candidate: _Candidate, functions: tuple[Path, ...]) -> tuple[TeamTest, ...] | None:
    """None where the team has none of its own."""
    if not functions:
        return None
    log.info("running the functions of %s", ", ".join(file.name for file in functions))
    return team_tests.run(
        functions,
        model=candidate.model,
        onnx=record.path(candidate.conversion.onnx),
        samples=record.path(candidate.identity.samples),
        folder=record.scratch("team-tests"),
    )


def _cost(record: Record, identity: Identity, conversion: Conversion) -> Cost:
    """Beside each version that an environment runs, as far as its file could be had."""
    rows = tables.read_samples(record.path(identity.samples), identity.declaration)
    running = {live.version: live.onnx for live in identity.deployed.values() if live is not None}
    files = {version: record.path(onnx) for version, onnx in running.items() if onnx is not None}
    clocked = model_cost.clock({_CANDIDATE: record.path(conversion.onnx), **files}, rows.batch)
    return cost.measure(
        candidate=clocked.pop(_CANDIDATE),
        deployed=clocked,
        platform=model_cost.this_platform(),
        batch_rows=min(len(rows), model_cost.BATCH_ROWS),
    )


def _against_deployed(record: Record, candidate: _Candidate) -> dict[str, ComparisonEvidence]:
    """By version: what the users of each environment would notice, where it runs another than the compared one."""
    compared = candidate.identity.compared
    running = {live.version: live for live in candidate.identity.deployed.values() if live is not None}
    others = [live for version, live in running.items() if compared is None or version != compared.version]
    found = ((live.version, _compare(record, candidate, live)) for live in others)
    return {version: comparison for version, comparison in found if comparison is not None}


def _compare(record: Record, candidate: _Candidate, compared: Released | None) -> ComparisonEvidence | None:
    if compared is None or compared.declaration is None:
        return None
    return promise.measure(
        model=candidate.model,
        version=compared.version,
        before=compared.declaration.signature,
        rows=candidate.rows,
        outputs_before=released.answers_of(compared, candidate.rows.batch, candidate.model, record=record),
        outputs=candidate.answers,
        noise_floor=max(candidate.conversion.noise_floor.values(), default=0.0),
        decision_before=compared.declaration.decision,
        named=candidate.named_metrics,
    )


def _replay_traffic(record: Record, candidate: _Candidate) -> TrafficEvidence | None:
    """None where nothing was served, or the candidate asks for inputs that were logged otherwise or not at all."""
    served, identity = candidate.identity.served, candidate.identity
    live = identity.deployed.get(served.environment) if served is not None else None
    if served is None or live is None or live.declaration is None:
        return None
    logged = [feature.tensor for feature in live.declaration.inputs]
    if any(feature.tensor not in logged for feature in candidate.model.inputs):
        return None
    try:
        batch = tables.read_batch(record.path(served.file), candidate.model.inputs)
    except BadFile as problem:  # a column that production was not asked: the watch tells, a release does not wait
        log.info("the last served window cannot be replayed: %s", problem.problem)
        return None
    before = released.answers_of(live, batch, candidate.model, record=record)
    if before is None:
        return None
    return traffic.measure(
        served=served,
        version=live.version,
        asked=batch,
        deployed=before,
        candidate=candidate.onnx.predict(batch),
        decision=candidate.model.decision,
        deployed_decision=live.declaration.decision,
    )


def _profile(batch: Batch) -> dict[str, ColumnProfile]:
    """What production will be compared with."""
    words = {name for name, column in batch.items() if not is_number(column)}
    return profile_of_columns({name: column.ravel() for name, column in batch.items()}, categories=words)


def _told(profile: Mapping[str, ColumnProfile]) -> dict[str, dict[str, Any]]:
    return {name: column.to_json() for name, column in profile.items()}


def _keep_profile(record: Record, profile: dict[str, ColumnProfile]) -> File:
    return record.keep_bytes(json.dumps(_told(profile), indent=1, sort_keys=True).encode() + b"\n", name="profile.json")
