"""Rows at the splits of trees, and rows that the source refuses, on their way from one job to the next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slipway.adapters.records import Record
from slipway.converters.batches import read_batch, write_batch
from slipway.domain.conversion import Conversion, SplitProbes
from slipway.domain.evidence import Evidence
from slipway.domain.rows import Batch, take
from slipway.errors import BadFile, DigestMismatch
from slipway.steps import measure_consistency, receive_pages, resolve_tag

from tests.team import Team

_TAG = "tip@v1.0.0"


def _probed(record: Record, tmp_path: Path, *, answers: Batch | None = None) -> dict[str, Any]:
    """The edge rows once more, as if they stood at splits, with the answers of the source to them or others."""
    body = record.page(Conversion, written_by="convert-to-onnx").body
    rows, right = read_batch(record.path(body.edges)), read_batch(record.path(body.edge_outputs))
    write_batch(tmp_path / "probes.npz", rows)
    write_batch(tmp_path / "outputs-probes.npz", answers or right)
    return {
        "splits": SplitProbes(splits=9, probed=4, problem="no sample comes to 5 of them"),
        "probes": record.keep(tmp_path / "probes.npz", name="probes.npz"),
        "probe_outputs": record.keep(tmp_path / "outputs-probes.npz", name="outputs-probes.npz"),
    }


def _converted(team: Team) -> Record:
    team.tag(_TAG)
    resolve_tag.run(_TAG, workplace=team.workplace)
    record = team.record(_TAG)
    team.convert(record)
    return record


def _evidence(team: Team, record: Record, changes: dict[str, Any]) -> Evidence:
    body = record.page(Conversion, written_by="convert-to-onnx").body.model_copy(update=changes)
    record.once(Conversion, reads={"planted": json.dumps(sorted(changes))}, make=lambda: body)
    return measure_consistency.run(record, policies=team.workplace.repository.policies()).body


def test_rows_at_splits_are_asked_of_the_onnx_file_as_well(team: Team, tmp_path: Path) -> None:
    """The source answered them in the job before, where it could be asked."""
    record = _converted(team)

    found = _evidence(team, record, _probed(record, tmp_path)).fidelity.probes

    assert found is not None
    assert (found.rows > 4, found.different) == (True, 0)
    assert (found.splits, found.probed, found.problem) == (9, 4, "no sample comes to 5 of them")


def test_a_source_that_takes_the_other_side_is_seen(team: Team, tmp_path: Path) -> None:
    """Rows that nothing looks at would show nothing."""
    record = _converted(team)
    right = read_batch(record.path(record.page(Conversion, written_by="convert-to-onnx").body.edge_outputs))
    wrong = {name: column + np.ones_like(column) for name, column in right.items()}

    found = _evidence(team, record, _probed(record, tmp_path, answers=wrong)).fidelity.probes

    assert found is not None
    assert found.different > 4


def test_answers_of_another_shape_are_refused_and_end_in_no_traceback(team: Team, tmp_path: Path) -> None:
    """The process that wrote them ran the model's code, and what it writes may be anything."""
    record = _converted(team)
    right = read_batch(record.path(record.page(Conversion, written_by="convert-to-onnx").body.edge_outputs))

    with pytest.raises(BadFile, match=r"outputs-probes\.npz holds the answers"):
        _evidence(team, record, _probed(record, tmp_path, answers=take(right, slice(0, 1))))


def test_a_conversion_without_trees_or_from_before_the_probes_has_none(team: Team) -> None:
    """Such pages stay in the ledger, and are measured again by whoever asks."""
    assert _evidence(team, _converted(team), {}).fidelity.probes is None


def test_rows_that_the_source_refused_are_asked_of_the_onnx_file(team: Team) -> None:
    """It may answer where the team relies on an error; the policy decides, and must know."""
    evidence = _evidence(team, _converted(team), {"edges_that_raised": (0, 1)})

    assert evidence.fidelity.refused is not None
    assert (evidence.fidelity.refused.rows, evidence.fidelity.refused.answered) == (2, 2)


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_rows_at_splits_that_are_not_what_the_page_says_are_not_received(team: Team, harm: str, tmp_path: Path) -> None:
    """They decide a gate, like every file that the converting job hands on."""
    record = _converted(team)
    changes = _probed(record, tmp_path)
    body = record.page(Conversion, written_by="convert-to-onnx").body.model_copy(update=changes)
    page = record.once(Conversion, reads={"planted": "probes"}, make=lambda: body)
    received = tmp_path / "received"
    shutil.copytree(record.folder / "blobs", received / "blobs")
    shutil.copy(record.folder / page.file_name, received)
    blob = received / "blobs" / changes["probes"].sha256
    content = blob.read_bytes()
    blob.unlink()
    if harm == "changed":
        blob.write_bytes(content[:-1] + b"\1")

    with pytest.raises(DigestMismatch):
        receive_pages.run(Record(tmp_path / "examining", subject=_TAG), received=received, kinds=("conversion",))
