"""Slices and groups of labelled rows, on arrays small enough to reason about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slipway.domain.evidence import SlicesEvidence
from slipway.domain.limits import SlicesLimit
from slipway.domain.model import Decision, Model
from slipway.domain.rows import LabelledRows
from slipway.measures import slices

from tests import pages

_DAYS, _A_DAY = 12, 20
_ROWS = _DAYS * _A_DAY
_MODEL = pages.model().model_copy(update={"decision": Decision(output="p_late", threshold=0.5)})


def measured(
    wrong_for: str = "", *, sex: np.ndarray | None = None, model: Model = _MODEL, **limit: Any
) -> SlicesEvidence:
    """A model that is right everywhere but for one airline, of which it calls every flight late."""
    place = np.arange(_ROWS)
    carrier = np.array(["AA", "HA"], object)[place % 2]
    labels = place % 4 < 2
    answers = np.where((carrier == wrong_for) & ~labels, 0.9, labels * 0.8).astype(np.float32)
    rows = LabelledRows(
        batch={name: carrier.reshape(-1, 1) for name in ("carrier", "origin", "dest")},
        labels=labels,
        days=place // _A_DAY,
        counts=np.ones(_ROWS, np.bool_),
        columns={"sex": sex} if sex is not None else {},
    )
    return slices.measure(model, rows, {"p_late": answers.reshape(-1, 1)}, SlicesLimit(**limit))


def test_a_slice_is_held_against_all_rows() -> None:
    """An airline of which the model knows nothing is hidden in the average of all."""
    found = {one.value: one for one in measured("HA", columns=("carrier",)).slices}

    assert found["HA"].value_of is not None
    assert found["HA"].value_of.value == pytest.approx(2 / 3, abs=1e-6)
    assert found["HA"].against_all is not None
    assert found["HA"].against_all.high < 0 < found["AA"].rows
    assert (found["HA"].rows, found["HA"].positives) == (_ROWS // 2, _ROWS // 4)


def test_every_input_of_words_is_sliced_where_nobody_names_columns() -> None:
    """A team that sets nothing is shown its worst slice."""
    found = measured()

    assert found.columns == ("carrier", "origin", "dest")
    assert (found.metric, {one.against_all.value for one in found.slices if one.against_all}) == ("f1", {0.0})


def test_a_column_that_is_no_input_may_be_protected() -> None:
    """A model that is not told the sex may still be worse for one."""
    sex = np.where(np.arange(_ROWS) % 2 == 0, "f", "m")

    found = measured("HA", sex=sex, protected=("sex",), gap=0.1, metric="precision")

    [gap] = found.gaps
    assert (found.metric, gap.column, gap.one, gap.other, gap.positives) == ("precision", "sex", "f", "m", _ROWS // 4)
    assert gap.difference is not None
    assert gap.difference.value == pytest.approx(-0.5)


def test_groups_are_compared_in_what_they_are_decided_to_be() -> None:
    """A model may be equally good for both and say yes to one alone; and it may find all of those who deserve it."""
    sex = np.where(np.arange(_ROWS) % 2 == 0, "f", "m")
    fairness = {"demographic_parity": 0.1, "equal_opportunity": 0.1}

    found = {one.criterion: one for one in measured("HA", sex=sex, protected=("sex",), fairness=fairness).gaps}

    assert list(found) == ["", "demographic_parity", "equal_opportunity"]
    parity, opportunity = found["demographic_parity"], found["equal_opportunity"]
    assert parity.difference is not None and opportunity.difference is not None
    assert parity.difference.value == pytest.approx(0.5)  # all of m, half of f
    assert opportunity.difference.value == 0.0
    assert (parity.positives, opportunity.positives) == (_ROWS // 2, _ROWS // 4)


def test_the_gap_of_a_share_is_as_sure_as_the_days_are_alike() -> None:
    """Rows of one day belong together, here as in a metric."""
    by_day = np.where((np.arange(_ROWS) // _A_DAY) % 2 == 0, "f", "m")
    limit: dict[str, Any] = {"protected": ("sex",), "fairness": {"demographic_parity": 0.1}}
    [_, even] = measured(sex=np.where(np.arange(_ROWS) % 2 == 0, "f", "m"), **limit).gaps
    [_, of_days] = measured("HA", sex=by_day, **limit).gaps

    for one in (even, of_days):
        assert one.difference is not None
        assert one.difference.low <= one.difference.value <= one.difference.high


def test_a_column_with_too_many_values_is_named_and_left_out() -> None:
    """A slice a customer is no slice."""
    customer = np.arange(_ROWS).astype(str)

    found = measured(sex=customer, columns=("sex",), values=50)

    assert (found.slices, found.columns, found.too_many_values) == ((), (), ("sex",))


def test_a_metric_that_does_not_apply_gives_way_to_the_foremost() -> None:
    """One policy holds for models of all kinds."""
    assert measured(metric="mae").metric == "f1"
