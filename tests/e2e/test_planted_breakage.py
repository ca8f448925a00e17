"""A conversion that went wrong is caught by the gates, on the real model: what is planted here must not be released."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper
from slipway.adapters.records import Record
from slipway.adapters.repository import Repository
from slipway.domain.case import ReleaseCase
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.limits import FidelityLimit
from slipway.domain.policy import Policies
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.verdict import Finding, Verdict
from slipway.gates import fidelity
from slipway.steps import judge, measure_consistency, rehearse_rollback

from tests.e2e import flights

_TODAY = date(2026, 1, 1)
Damage = Callable[[ModelProto], None]


def swap_hour_and_minute(model: ModelProto) -> None:
    """The two keep their names; what each is connected to is swapped."""
    other = {"hour": "minute", "minute": "hour"}
    for node in model.graph.node:
        node.input[:] = [other.get(name, name) for name in node.input]


def shift_the_code_of_one_category(model: ModelProto) -> None:
    mapper = next(node for node in model.graph.node if node.input[:] == ["carrier"])
    codes = next(attribute for attribute in mapper.attribute if attribute.name == "cats_int64s")
    codes.ints[0] += 1


def halve_the_precision_of_the_weights(model: ModelProto) -> None:
    for tensor in _weights(model):
        tensor.CopyFrom(_like(tensor, numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)))


def change_one_weight_by_a_thousandth(model: ModelProto) -> None:
    """One entry of the last layer, by 0.001."""
    last = next(node for node in reversed(model.graph.node) if node.op_type == "MatMul")
    tensor = next(tensor for tensor in _weights(model) if tensor.name == last.input[1])
    values = numpy_helper.to_array(tensor).copy()
    values.flat[int(np.abs(values).argmax())] += np.float32(1e-3)
    tensor.CopyFrom(_like(tensor, values))


def change_nothing(model: ModelProto) -> None:
    """The control: read and written again."""


DAMAGES = (
    swap_hour_and_minute,
    shift_the_code_of_one_category,
    halve_the_precision_of_the_weights,
    change_one_weight_by_a_thousandth,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_conversion_is_refused_for_its_answers(damage: Damage, released: Path, tmp_path: Path) -> None:
    """None of these raises an error anywhere: only the comparison with the source shows them."""
    record = _with_damage(damage, released, tmp_path / "record")
    verdicts = _judged(record, _policies(released))

    found = _fidelity(verdicts)
    assert (verdicts.verdict, found.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert "differs from its source" in found.problem
    assert next(finding.gate for finding in verdicts.findings if finding.verdict is Verdict.FAIL) == "fidelity"


def test_the_undamaged_conversion_passes(released: Path, tmp_path: Path) -> None:
    """A gate that refuses everything would catch the damage as well."""
    record = _with_damage(change_nothing, released, tmp_path / "record")
    verdicts = _judged(record, _policies(released))

    assert (verdicts.verdict, _fidelity(verdicts).verdict) == (Verdict.PASS, Verdict.PASS)


def test_the_tolerance_is_what_catches_the_damage(released: Path, tmp_path: Path) -> None:
    """With a limit that allows all of it, the same evidence passes: were the gate blind, the tests above would fail."""
    record = _with_damage(swap_hour_and_minute, released, tmp_path / "record")
    case = _case(record)
    rows = case.evidence.fidelity.rows
    blind = FidelityLimit(floor_multiple=1e12, minimum=1e12, rows=rows, flips=rows)

    assert fidelity.judge(case, blind)[0].verdict is Verdict.PASS
    assert fidelity.judge(case, _policies(released).fidelity.limit_for(flights.TAG.model))[0].verdict is Verdict.FAIL


def _with_damage(damage: Damage, released: Path, folder: Path) -> Record:
    """The record of the release, with the damaged file in place of what the converter wrote."""
    shutil.copytree(flights.record_of(released).folder, folder)
    for kind in ("evidence", "rehearsal", "verdicts", "image"):
        for page in folder.glob(f"{kind}.*.json"):
            page.unlink()
    record = Record(folder, subject=str(flights.TAG))
    conversion = record.page(Conversion, written_by="convert-to-onnx").body
    model = onnx.load(record.path(conversion.onnx))
    damage(model)
    onnx.checker.check_model(model, check_custom_domain=False)
    onnx.save(model, folder / "damaged.onnx")
    body = conversion.model_copy(update={"onnx": record.keep(folder / "damaged.onnx", name="model.onnx")})
    record.once(Conversion, reads={"planted": damage.__name__}, make=lambda: body)
    measure_consistency.run(record, policies=_policies(released))
    rehearse_rollback.run(record, environment="production")
    return record


def _case(record: Record) -> ReleaseCase:
    return ReleaseCase(
        identity=record.page(Identity, written_by="resolve-tag").body,
        evidence=record.page(Evidence, written_by="measure-consistency").body,
        rehearsal=record.page(Rehearsal, written_by="rehearse-rollback").body,
    )


def _judged(record: Record, policies: Policies) -> Verdicts:
    return judge.run(record, policies=policies, policies_digest="", today=_TODAY).body


def _policies(released: Path) -> Policies:
    return Repository.around(released).policies()


def _fidelity(verdicts: Verdicts) -> Finding:
    return next(finding for finding in verdicts.findings if finding.gate == "fidelity")


def _weights(model: ModelProto) -> list[onnx.TensorProto]:
    return [tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT]


def _like(tensor: onnx.TensorProto, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(values, name=tensor.name)
