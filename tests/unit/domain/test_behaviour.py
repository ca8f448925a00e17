"""Expectations as people write them: what is refused before a model is asked, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slipway.domain.behaviour import BehaviourLimit, GoldenRequest, Invariance
from slipway.domain.behaviour_fit import refuse_what_cannot_be_asked
from slipway.domain.model import Decision, Feature, Model
from slipway.domain.signature import DataType
from slipway.errors import BadFile

from tests import pages

REQUEST: dict[str, Any] = {
    "hour": 20,
    "minute": 30,
    "distance": 760,
    "dow": 4,
    "carrier": "EV",
    "origin": "EWR",
    "dest": "ATL",
}


def limit(**groups: list[dict[str, Any]]) -> BehaviourLimit:
    return BehaviourLimit.model_validate(groups)


def golden(**changes: Any) -> BehaviourLimit:
    return limit(golden=[{"name": "evening", "inputs": REQUEST, "decision": True, **changes}])


def model_of(*extra: Feature, decision: Decision | None = None) -> Model:
    model = pages.model()
    return model.model_copy(update={"inputs": (*model.inputs, *extra), **({"decision": decision} if decision else {})})


def refused(expected: BehaviourLimit, model: Model | None = None) -> str:
    with pytest.raises(BadFile) as caught:
        refuse_what_cannot_be_asked(expected, model or pages.model(), version="v1.4.0")
    return str(caught.value)


def test_a_misspelt_input_is_refused_with_the_nearest_name() -> None:
    """A change of an input that is not there changes nothing, and such an invariance would always hold."""
    said = refused(limit(invariances=[{"name": "case", "input": "carier", "text": "lower-case"}]))

    assert said == (
        "policies/behaviour.yaml: models.flight-delay.limit.invariances, `case`: input: `carier` is no input of "
        "flight-delay v1.4.0, which has hour, minute, distance, dow, carrier, origin, dest\n"
        "  mend: did you mean `carrier`? Else say with `since` and `below` for which versions it holds"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input": "hour", "text": "lower-case"}, "text: `hour` is float32, and holds no words"),
        ({"input": "hour", "replace": {"a": "b"}}, "replace: `hour` is float32, and holds no words"),
        ({"input": "carrier", "add": 1}, "add: `carrier` is string, and is no number"),
        ({"input": "carrier", "multiply": 2}, "multiply: `carrier` is string, and is no number"),
        ({"input": "carrier", "set": False}, "set: `False` is no word; write it in quotes"),
        ({"input": "hour", "set": "noon"}, "set: `noon` is no number"),
        ({"input": "seats", "add": 0.5}, "add: `seats` is int64, and 0.5 is no whole number"),
        ({"input": "seats", "set": 1e30}, "set: `1e+30` is no int64"),
        ({"input": "vip", "set": 1}, "set: `1` is no bool"),
    ],
)
def test_a_change_that_the_inputs_type_cannot_take_is_refused(change: dict[str, Any], said: str) -> None:
    """numpy would cast it silently, and another question would be asked."""
    more = (pages.feature("seats", DataType.INT64), pages.feature("vip", DataType.BOOL))

    assert said in refused(limit(invariances=[{"name": "one", **change}]), model_of(*more))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"inputs": {name.replace("carrier", "carier"): value for name, value in REQUEST.items()}},
            "inputs.carier: `carier` is no input of flight-delay\n  mend: did you mean `carrier`?",
        ),
        ({"inputs": {**REQUEST, "dest": False}}, "inputs.dest: `False` is no word; write it in quotes"),
        ({"inputs": {**REQUEST, "hour": [1, 2]}}, "inputs.hour: 2 values are given for one value of float32"),
        (
            {"inputs": {**REQUEST, "dest": None}},
            "inputs.dest: null is no string: only float32 and float64 may be missing",
        ),
        ({"answers": {"late": 0.5}}, "answers: `late` is no output of flight-delay v1.4.0"),
        ({"answers": {"p_late": "high"}}, "answers.p_late: `high` is no number"),
        ({"decision": 0.7}, "decision: `0.7` is neither true nor false"),
    ],
)
def test_a_golden_request_that_does_not_fit_the_model_is_refused(changes: dict[str, Any], said: str) -> None:
    """YAML reads the airport `NO` as false; asked like that, the answer would say nothing."""
    assert said in refused(golden(**changes))


@pytest.mark.parametrize(
    ("decision", "given", "said"),
    [
        (Decision(output="p_late", classes=("no", "yes")), "maybe", "`maybe` is none of the classes of model.yaml"),
        (Decision(output="p_late", noticeable=1.0), "many", "`many` is no number"),
    ],
)
def test_an_expected_decision_is_of_the_kind_that_the_model_makes(decision: Decision, given: str, said: str) -> None:
    """A class that no model can answer would fail each release with a riddle."""
    assert said in refused(golden(decision=given), model_of(decision=decision))


def test_a_direction_needs_one_number_to_look_at() -> None:
    """Of several numbers, nobody knows which must not fall."""
    one = {"name": "later", "input": "hour", "add": 1, "must": "not-fall"}

    assert "`risk` is no output" in refused(limit(directions=[{**one, "output": "risk"}]))
    wide = pages.model().model_copy(update={"outputs": (*pages.model().outputs, _wide())})
    assert "`each` is no single number a row" in refused(limit(directions=[{**one, "output": "each"}]), wide)


def _wide() -> Feature:
    return Feature(name="each", dtype=DataType.FLOAT32, meaning="Of each class", shape=(3,))


def test_what_fits_is_not_refused() -> None:
    """A client may send more than is asked for; less is measured, and judged."""
    fine = limit(
        invariances=[{"name": "case", "input": "carrier", "text": "lower-case"}],
        directions=[{"name": "later", "input": "hour", "add": 1, "output": "p_late", "must": "not-rise"}],
        golden=[
            {"name": "evening", "inputs": {"hour": 20}, "answers": {"p_late": 0.5}},
            {"name": "more", "inputs": {**REQUEST, "gate": "A1", "carriers": 2}, "answers": {"p_late": 0.5}},
        ],
    )

    refuse_what_cannot_be_asked(fine, pages.model(), version="v1.4.0")


@pytest.mark.parametrize(
    ("group", "one", "said"),
    [
        ("invariances", {"name": "x", "input": "hour"}, "no change given"),
        ("invariances", {"name": "x", "input": "hour", "add": 1, "set": 2}, "add and set given"),
        ("golden", {"name": "x", "inputs": {"hour": 1}}, "expects nothing"),
        ("golden", {"name": "x", "inputs": {"hour": 1}, "decision": True, "since": "1.0"}, "must read like v1.4.0"),
        ("golden", {"name": "No Slug", "inputs": {"hour": 1}, "decision": True}, "pattern"),
    ],
)
def test_an_expectation_that_says_too_little_or_too_much_is_refused(group: str, one: dict[str, Any], said: str) -> None:
    """Each would be read as something that its author did not mean."""
    with pytest.raises(ValidationError, match=said):
        limit(**{group: [one]})


def test_two_expectations_of_one_name_are_refused() -> None:
    """What was measured is found by name, also years later."""
    with pytest.raises(ValidationError, match="`x` is there twice"):
        limit(
            invariances=[{"name": "x", "input": "hour", "add": 1}],
            golden=[{"name": "x", "inputs": {"hour": 1}, "decision": True}],
        )


@pytest.mark.parametrize(
    ("version", "holds"),
    [("v1.1.9", False), ("v1.2.0-rc.1", False), ("v1.2.0", True), ("v1.10.0", True), ("v2.0.0", False)],
)
def test_an_expectation_holds_from_a_version_and_below_another(version: str, holds: bool) -> None:
    """Read as text, v1.10.0 would lie before v1.2.0."""
    expected = golden(since="v1.2.0", below="v2.0.0")

    assert bool(expected.for_version(version).golden) is holds


def test_what_is_allowed_is_no_part_of_what_is_asked() -> None:
    """An edit of a limit re-judges; an edit of the question asks the model again."""
    one: dict[str, Any] = {"name": "x", "input": "hour", "add": 1}
    asked = limit(invariances=[one]).asked

    assert limit(invariances=[{**one, "violations": 0.1, "rows": 5}]).asked == asked
    assert limit(invariances=[{**one, "add": 2}]).asked != asked
    assert limit(invariances=[{**one, "tolerance": 0.1}]).asked != asked


@given(
    change=st.one_of(
        st.fixed_dictionaries({"add": st.floats(-1e6, 1e6)}),
        st.fixed_dictionaries({"multiply": st.floats(-1e6, 1e6)}),
        st.fixed_dictionaries({"text": st.sampled_from(["lower-case", "upper-case", "spaces-around"])}),
        st.fixed_dictionaries({"replace": st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1)}),
    )
)
def test_each_change_says_itself_in_a_sentence(change: dict[str, Any]) -> None:
    """The sentence stands in pages and in pull requests."""
    one = Invariance.model_validate({"name": "x", "input": "hour", **change})

    assert one.sentence.startswith("hour")
    assert one.sentence.endswith(": same decision")


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_number_may_be_missing_where_the_type_has_a_word_for_it(missing: float | None) -> None:
    """Production sends such rows, and JSON calls them null; NaN would never be equal to what was asked before."""
    expected = golden(inputs={**REQUEST, "hour": missing}, answers={"p_late": missing})

    refuse_what_cannot_be_asked(expected, pages.model(), version="v1.4.0")
    (one,) = expected.golden
    assert one.inputs["hour"] is None
    assert one.expected == "p_late null, decision yes"
    again = GoldenRequest.model_validate_json(one.model_dump_json())
    assert again.asks_no_less_than(one)


@pytest.mark.parametrize("dtype", [DataType.INT64, DataType.INT32, DataType.BOOL, DataType.STRING])
def test_a_type_without_a_word_for_what_is_missing_takes_no_null(dtype: DataType) -> None:
    """A server refuses such a request, so that no version can be held to its answer."""
    expected = golden(inputs={**REQUEST, "seats": None})

    assert f"inputs.seats: null is no {dtype}" in refused(expected, model_of(pages.feature("seats", dtype)))


@pytest.mark.parametrize(
    ("changes", "no_less"),
    [
        ({}, True),
        ({"tolerance": 1e-5}, True),
        ({"tolerance": 1e-3}, False),
        ({"answers": {"p_late": 0.6}}, False),
        ({"answers": {}}, False),
        ({"decision": False}, False),
        ({"inputs": {**REQUEST, "hour": 21}}, False),
    ],
)
def test_a_golden_request_may_become_stricter_only(changes: dict[str, Any], no_less: bool) -> None:
    """A wider tolerance is a changed answer, too."""
    before: dict[str, Any] = {"name": "x", "inputs": REQUEST, "answers": {"p_late": 0.5}, "decision": True}
    old, new = (GoldenRequest.model_validate(one) for one in (before, {**before, **changes}))

    assert new.asks_no_less_than(old) is no_less
