"""A conversion that went wrong in any of many ways is refused by the gate that ships, and a good one never.

Docs: "What the fidelity gate catches" in docs/architecture.md, whose numbers these tests hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from slipway.adapters.repository import Repository
from slipway.domain.limits import FidelityLimit
from slipway.domain.model import Framework

from tests.mutations.conftest import FAMILIES, Outcomes
from tests.mutations.damages import DAMAGES
from tests.mutations.suite import Outcome, is_control
from tests.unit.converters.conftest import ROOT

_FEW = 5  # how many more or fewer damages matter where a model was trained on another processor


def _damaged(found: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in found if not is_control(one)]


def test_the_bounds_are_those_that_were_frozen() -> None:
    """They were committed before the held-out models were; a bound that moves afterwards is fitted to them."""
    limit = Repository.around(ROOT).policies().fidelity.limit

    assert (limit.floor_multiple, limit.minimum, limit.flips, limit.probes) == (10.0, 16 * 2.0**-23, 0, 0.02)
    assert limit == FidelityLimit()


def test_no_framework_is_left_out() -> None:
    """A converter that nobody damages may write what the gate is blind to."""
    assert set(Framework) <= set(FAMILIES)


@pytest.mark.parametrize("framework", FAMILIES)
def test_a_good_conversion_is_never_refused(outcomes: Outcomes, framework: str) -> None:
    """A gate that cries wolf is waived, and then it guards nothing."""
    controls = [one for one in outcomes(framework) if is_control(one)]

    assert [one.model for one in controls] == [*FAMILIES[framework].models, *FAMILIES[framework].held_out]
    assert [one for one in controls if one.caught] == []


@pytest.mark.parametrize("framework", FAMILIES)
def test_every_damage_that_matters_is_refused(outcomes: Outcomes, framework: str) -> None:
    """One decision in 10,000 or 0.001 of an output: what a user could notice must not be released."""
    material = [one for one in _damaged(outcomes(framework)) if one.material]

    assert material != []
    assert [one for one in material if not one.caught] == []


@pytest.mark.parametrize("framework", FAMILIES)
def test_at_least_fifteen_kinds_of_damage_are_tried_on_every_framework(outcomes: Outcomes, framework: str) -> None:
    """A suite of swapped columns alone would prove little."""
    assert len({one.damage for one in _damaged(outcomes(framework))}) >= 15


def test_every_kind_of_damage_is_done_to_some_model(outcomes: Outcomes) -> None:
    """A damage that applies nowhere looks like one that is caught everywhere."""
    done = {one.damage for framework in FAMILIES for one in _damaged(outcomes(framework))}

    assert done == set(DAMAGES)


def test_only_rows_at_splits_show_that_trees_compare_otherwise(outcomes: Outcomes) -> None:
    """`<` for `<=` changes no sample of LightGBM, whose splits lie in the middle between two values."""
    name = "compare with less for less or equal"
    trees = [one for one in outcomes("lightgbm") if one.damage == name and not one.material]

    assert trees != []
    assert {verdict for one in trees for title, verdict in one.findings if title.endswith("split thresholds")} == {
        "fail"
    }


@pytest.mark.parametrize("held_out", [False, True], ids=["developed on", "held out"])
@pytest.mark.parametrize("framework", FAMILIES)
def test_the_table_of_the_docs_is_what_is_measured(outcomes: Outcomes, framework: str, held_out: bool) -> None:
    """What the docs promise of the gate is read by those who decide whether to trust it."""
    family = FAMILIES[framework]
    models = family.held_out if held_out else family.models
    if not models:
        assert _row(framework, held_out=held_out) is None
        return
    told = _row(framework, held_out=held_out)
    found = [one for one in _damaged(outcomes(framework)) if one.model in models]

    assert told is not None
    number, kinds, damages, material, quiet = told
    assert (number, kinds, damages) == (len(models), len({one.damage for one in found}), len(found))
    assert material == pytest.approx(sum(one.material for one in found), abs=_FEW)
    assert quiet == pytest.approx(sum(one.caught and not one.material for one in found), abs=_FEW)


@pytest.mark.parametrize("framework", FAMILIES)
def test_what_is_missed_on_other_rows_stands_in_the_docs(outcomes: Outcomes, framework: str) -> None:
    """The gate sees samples and edge rows; what shows on others alone is told with its reason, and not hidden."""
    missed = {(one.model, one.damage) for one in _damaged(outcomes(framework)) if one.elsewhere and not one.caught}
    listed = re.findall(rf"^\| {re.escape(framework)} \| ([^|]+) \| ([^|]+) \|", _section(), re.MULTILINE)

    assert missed <= {(model.strip(), damage.strip()) for model, damage in listed}


def _section() -> str:
    text = (ROOT / "docs" / "architecture.md").read_text()
    return text.split("## What the fidelity gate catches", 1)[1].split("\n## ", 1)[0]


def _row(framework: str, *, held_out: bool) -> tuple[int, ...] | None:
    """The five numbers of a row, None where there is no such row."""
    name = f"`{framework}`, held out" if held_out else f"`{framework}`"
    row = re.search(rf"^\| {re.escape(name)} \|(.+)\|$", _section(), re.MULTILINE)
    return None if row is None else tuple(int(cell) for cell in row[1].split("|")[:5])
