"""What a new model's folder starts with."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters.yaml_files import parse_yaml
from slipway.domain.model import Framework, Model
from slipway.reports.new_model import new_model_files

ROOT = Path(__file__).resolve().parents[3]


def test_a_new_declaration_is_valid_before_anything_is_filled_in() -> None:
    """Whoever changes one line at a time must see the error of that line, and none that was there before."""
    model = parse_yaml(new_model_files("churn")["model.yaml"].encode(), Model, where="model.yaml")
    assert model.name == "churn"


def test_a_new_declaration_names_all_frameworks_that_there_are() -> None:
    """Whoever trains with another one must not have to guess its word."""
    line = next(one for one in new_model_files("churn")["model.yaml"].splitlines() if one.startswith("framework:"))
    assert [one for one in Framework if one not in line] == []


def test_an_editor_finds_the_schema_of_a_new_declaration() -> None:
    """A path that leads nowhere completes nothing, and says nothing either."""
    first = new_model_files("churn")["model.yaml"].splitlines()[0]
    schema = ROOT / "models" / "churn" / first.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == ROOT / "policies" / "schemas" / "model.json"
    assert schema.resolve().is_file()
