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
