"""From what a team trained to what is served: the one test here that starts the real framework, and the page's key."""

from __future__ import annotations

import os
import shutil

import pytest
from slipway.adapters.records import Record
from slipway.domain.release import Identity
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile
from slipway.steps import convert_to_onnx, judge, measure_consistency, rehearse_rollback, resolve_tag

from tests.team import ENVIRONMENT, MODEL, ROOT, TODAY, Team, Tip


def test_the_example_model_is_converted_and_judged_for_real(team: Team) -> None:
    """TensorFlow, tf2onnx and onnxruntime on the model of the repository: no stand-in shows that these agree."""
    shutil.copytree(ROOT / "models" / "flight-delay", team.root / "models" / "flight-delay")
    shutil.copytree(ROOT / "requirements", team.root / "requirements", dirs_exist_ok=True)
    place = team.workplace
    resolve_tag.run_on_working_tree("flight-delay", bump=Bump.PATCH, workplace=place)
    record = place.check("flight-delay")

    conversion = convert_to_onnx.run(record, requirements=team.root / "requirements").body
    evidence = measure_consistency.run(record).body
    rehearse_rollback.run(record, environment=ENVIRONMENT)
    verdicts = judge.run(record, policies=place.repository.policies(), policies_digest="", today=TODAY).body

    assert conversion.tools.keys() >= {"keras", "tf2onnx"}
    assert 0 < conversion.noise_floor["p_late"] < 1e-5
    assert evidence.fidelity.rows >= 20_000
    assert evidence.fidelity.flips == 0
    assert evidence.onnx_signature == record.page(Identity, written_by="check").body.declaration.signature
    assert [finding.verdict for finding in verdicts.findings if finding.gate == "fidelity"] == [Verdict.PASS]
    assert verdicts.verdict is Verdict.PASS


def _resolved(team: Team) -> Record:
    resolve_tag.run_on_working_tree(MODEL, bump=Bump.PATCH, workplace=team.workplace)
    return team.workplace.check(MODEL)


def test_the_same_source_is_not_converted_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A framework takes ten seconds to start; here none could, and the page is found by what the step reads."""
    monkeypatch.setenv("SLIPWAY_CACHE", os.devnull)
    record = _resolved(team)
    page = team.convert(record)

    assert convert_to_onnx.run(record, requirements=team.root / "requirements") == page


@pytest.mark.parametrize("changed", ["source", "declaration", "requirements"])
def test_another_source_declaration_or_environment_is_another_conversion(team: Team, changed: str) -> None:
    """A stored answer of other inputs would be a wrong answer."""
    before = team.convert(_resolved(team))
    if changed == "source":
        team.write_model(Tip(weight=0.03))
    elif changed == "declaration":
        team.edit(f"models/{MODEL}/model.yaml", "Will a table", "Does a table")
    else:
        team.write("requirements/tensorflow.txt", "# newer\n")
    after = team.convert(_resolved(team))

    assert (after.number, after.key != before.key) == (2, True)


def test_a_conversion_whose_file_was_lost_is_made_again(team: Team) -> None:
    """A page that names bytes which nobody has is worth nothing."""
    record = _resolved(team)
    first = team.convert(record)
    record.path(first.body.onnx).unlink()

    again = team.convert(record)

    assert record.path(again.body.onnx).is_file()
    assert again.body == first.body


def test_without_an_identity_the_step_says_which_one_comes_before(team: Team) -> None:
    """Whoever runs the steps by hand forgets one."""
    record = team.record("tip@v1.0.0")

    with pytest.raises(BadFile) as caught:
        convert_to_onnx.run(record, requirements=team.root / "requirements")

    assert caught.value.mend == "run `slipway resolve-tag` first"
    assert not list(record.folder.glob("conversion.*"))


def test_two_checkouts_give_the_same_conversion(team: Team) -> None:
    """The digest of the layer rests on this file."""
    team.tag("tip@v1.0.0")
    pages = []
    for one in (team, team.clone("elsewhere")):
        resolve_tag.run("tip@v1.0.0", workplace=one.workplace)
        pages.append(one.convert(one.record("tip@v1.0.0")))

    assert pages[0].body == pages[1].body
    assert pages[0].says_the_same_as(pages[1])
