"""The example through the real framework: from its SavedModel to a file that gives the same answers."""

from __future__ import annotations

import shutil
from pathlib import Path

from slipway.domain.identity import Identity
from slipway.domain.verdict import Verdict
from slipway.steps import convert_to_onnx, judge, measure_consistency, rehearse_rollback, resolve_tag

from tests.team import ENVIRONMENT, ROOT, TODAY, new_team

_ABOUT_THE_CONVERSION = ("fidelity", "signature", "outputs")


def test_the_example_is_converted_measured_and_judged(tmp_path: Path) -> None:
    """TensorFlow, tf2onnx and onnxruntime, with nothing in their place: a stand-in could not show that they agree."""
    team = new_team(tmp_path)
    shutil.copytree(ROOT / "models" / "flight-delay", team.root / "models" / "flight-delay")
    shutil.copytree(ROOT / "requirements", team.root / "requirements", dirs_exist_ok=True)
    place = team.workplace
    resolve_tag.run_on_working_tree("flight-delay", workplace=place)
    record = place.check("flight-delay")

    page = convert_to_onnx.run(record, requirements=team.root / "requirements")
    conversion = page.body
    evidence = measure_consistency.run(record, policies=place.repository.policies()).body
    rehearse_rollback.run(record, environment=ENVIRONMENT)
    verdicts = judge.run(record, policies=place.repository.policies(), policies_digest="", today=TODAY).body

    assert page.circumstances.isolation is not None, "a reader must know what kept the process apart"
    assert conversion.tools.keys() >= {"keras", "tf2onnx"}
    assert 0 < conversion.noise_floor["p_late"] < 1e-5
    assert evidence.fidelity.rows >= 20_000
    assert evidence.fidelity.flips == 0
    assert evidence.onnx_signature == record.page(Identity, written_by="check").body.declaration.signature
    judged = {finding.gate: finding.verdict for finding in verdicts.findings}
    assert {judged[gate] for gate in _ABOUT_THE_CONVERSION} == {Verdict.PASS}
