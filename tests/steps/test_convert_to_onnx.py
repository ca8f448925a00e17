"""From what a team trained to what is served: what the page is keyed by.

That a framework really converts is shown with the example, in tests/models/, and with converters of their own.
"""

from __future__ import annotations

import os

import pytest
from slipway.adapters.records import Record
from slipway.errors import BadFile
from slipway.steps import convert_to_onnx, resolve_tag

from tests.team import MODEL, Team, Tip


def _resolved(team: Team) -> Record:
    resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace)
    return team.workplace.check(MODEL)


def test_the_same_source_is_not_converted_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A framework takes ten seconds to start; here none could, and the page is found by what the step reads."""
    monkeypatch.setenv("SLIPWAY_CACHE", os.devnull)
    record = _resolved(team)
    page = team.convert(record)

    sources = team.workplace.repository.policies().sources

    assert convert_to_onnx.run(record, requirements=team.root / "requirements", sources=sources) == page


@pytest.mark.parametrize("changed", ["source", "declaration", "requirements", "sources"])
def test_another_source_declaration_or_environment_is_another_conversion(team: Team, changed: str) -> None:
    """A stored answer of other inputs would be a wrong answer."""
    before = team.convert(_resolved(team))
    if changed == "source":
        team.write_model(Tip(weight=0.03))
    elif changed == "declaration":
        team.edit(f"models/{MODEL}/model.yaml", "Will a table", "Does a table")
    elif changed == "sources":
        team.edit("policies/sources.yaml", "pickle: false", "pickle: true")
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
