"""What a team may declare about a model."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from slipway.domain.model import Model

from tests.pages import model


def declared(**changes: Any) -> Model:
    return Model.model_validate({**model().model_dump(mode="json"), **changes})


def test_the_signature_is_that_of_the_declared_features() -> None:
    """Clients are written against it."""
    assert [tensor.name for tensor in model().signature.outputs] == ["p_late"]
    assert declared() == model()


@pytest.mark.parametrize("path", ["/etc/passwd", "../other", "a/../../b", "..\\other"])
@pytest.mark.parametrize("field", ["source", "samples"])
def test_no_path_leads_out_of_the_models_folder(field: str, path: str) -> None:
    """What lies outside is no part of what was tagged."""
    value = path if field == "source" else {"path": path, "time": "time", "label": "late"}

    with pytest.raises(ValidationError, match="must be a path inside the model's folder"):
        declared(**{field: value})


def test_a_decision_needs_a_number_of_the_model() -> None:
    """A threshold on words, or on an output that is not there, would fail after the conversion."""
    words = [{"name": "airline", "dtype": "string", "meaning": "A word"}]

    with pytest.raises(ValidationError, match="`nothing` is none of the outputs"):
        declared(decision={"output": "nothing", "threshold": 0.5})
    with pytest.raises(ValidationError, match="`airline` holds words, and a threshold needs a number"):
        declared(outputs=words, decision={"output": "airline", "threshold": 0.5})


def output(name: str, dtype: str, *shape: int) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": dtype, "meaning": "What it answers", "shape": list(shape) or [1]}]


@pytest.mark.parametrize(
    ("outputs", "decision", "kind"),
    [
        (output("p", "float32"), {"threshold": 0.5}, "yes or no"),
        (output("p", "float32", 3), {"classes": ["a", "b", "c"]}, "one of several classes"),
        (output("p", "int64"), {"classes": [0, 1, 2, 3]}, "one of several classes"),
        (output("p", "string"), {"classes": ["a", "b"]}, "one of several classes"),
        (output("p", "float64"), {"noticeable": 0}, "a number"),
    ],
)
def test_a_model_decides_one_of_three_kinds_of_things(
    outputs: list[dict[str, Any]], decision: dict[str, Any], kind: str
) -> None:
    """And its pages tell of the kind that was declared, and of no other."""
    found = declared(outputs=outputs, decision={"output": "p", **decision})

    assert found.decision.kind == kind
    assert found.model_dump(mode="json", exclude_unset=True)["decision"].keys() == {"output", *decision}
    assert Model.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("outputs", "decision", "says"),
    [
        (output("p", "float32"), {}, "none of the three given; keep one: `threshold` for yes or no"),
        (output("p", "float32", 2), {"threshold": 0.5, "classes": ["a", "b"]}, "threshold and classes given; keep one"),
        (output("p", "float32", 2), {"classes": ["a"]}, "at least 2 items"),
        (output("p", "float32", 2), {"classes": ["a", "a"]}, "classes: `a` is there twice"),
        (output("p", "float32", 4), {"classes": ["a", "b", "c"]}, "classes: 3 are named, and `p` has the shape [4]"),
        (output("p", "float32"), {"classes": ["a", "b", "c"]}, "classes: 3 are named, and `p` has the shape [1]"),
        (output("p", "float32", 2), {"noticeable": 1.0}, "noticeable: `p` has 2 numbers a row"),
        (output("p", "string"), {"noticeable": 1.0}, "`p` holds words, and a noticeable change needs a number"),
        (output("p", "float32"), {"noticeable": -1.0}, "greater than or equal to 0"),
    ],
)
def test_a_decision_that_contradicts_itself_or_its_output_is_refused(
    outputs: list[dict[str, Any]], decision: dict[str, Any], says: str
) -> None:
    """Before anything is converted, with the field and the mend."""
    with pytest.raises(ValidationError) as caught:
        declared(outputs=outputs, decision={"output": "p", **decision})

    assert says in str(caught.value)


def test_what_was_not_declared_leaves_no_trace_in_pages() -> None:
    """A layer must have the same digest as before there were classes and groups."""
    assert model().model_dump(mode="json")["decision"].keys() == {"output", "threshold"}
    assert model().model_dump(mode="json")["samples"].keys() == {"path", "time", "label", "held_out"}


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_is_a_number(threshold: float) -> None:
    """No row is at or above NaN: every answer would be no."""
    with pytest.raises(ValidationError):
        declared(decision={"output": "p_late", "threshold": threshold})


def test_a_name_stands_once() -> None:
    """A request could not say which of two it means."""
    twice = [feature.model_dump(mode="json") for feature in (*model().inputs, model().inputs[0])]

    with pytest.raises(ValidationError, match="declared twice: hour"):
        declared(inputs=twice)
