"""The released folder holds together: declaration, samples, source and card say the same."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pytest
import yaml
from slipway.domain.model import Model

ROWS_AT_LEAST = 20_000
SECTIONS = ["Intended use", "Data", "Training", "Metrics", "Limits", "Breaking changes"]


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model.model_validate(yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def samples(folder: Path, model: Model) -> pa.Table:
    return pq.read_table(folder / model.samples.path)


@pytest.fixture(scope="module")
def card(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def front_matter(card: str) -> dict[str, Any]:
    _, front, _ = card.split("---\n", 2)
    return dict(yaml.safe_load(front))


def test_the_declaration_names_the_folder_and_its_saved_model(folder: Path, model: Model) -> None:
    """A tag is resolved by the folder's name; another name inside would release something else."""
    assert model.name == folder.name
    assert (folder / model.source / "saved_model.pb").is_file()


def test_the_source_holds_data_only(folder: Path, model: Model) -> None:
    """Whoever converts the model runs what lies here: a SavedModel needs no Python and no pickle."""
    files = {path.name for path in (folder / model.source).rglob("*") if path.is_file()}

    assert files == {"saved_model.pb", "fingerprint.pb", "variables.index", "variables.data-00000-of-00001"}


def test_the_samples_have_the_declared_columns_and_no_other(model: Model, samples: pa.Table) -> None:
    """A column of another type would be cast somewhere, and the answers compared would not be the served ones."""
    expected = {feature.name: pa.type_for_alias(feature.dtype) for feature in model.inputs}
    expected |= {model.samples.time: pa.timestamp("ms"), model.samples.label: pa.bool_()}
    expected |= {model.samples.held_out: pa.bool_()} if model.samples.held_out else {}

    assert {field.name: field.type for field in samples.schema} == expected


def test_the_samples_are_enough_and_complete(samples: pa.Table) -> None:
    """Gates ask for 20,000 rows; a hole would be answered by NaN and judged as a fault of the model."""
    assert samples.num_rows >= ROWS_AT_LEAST
    assert [column.null_count for column in samples.columns] == [0] * samples.num_columns
    assert not any(pc.any(pc.is_nan(column)).as_py() for column in samples.columns if pa.types.is_floating(column.type))


def test_no_day_is_both_held_out_and_trained_on(model: Model, samples: pa.Table) -> None:
    """Flights of one day share their weather: a held-out flight of a training day is half known."""
    held_out, trained_on = _days(samples, model, held_out=True), _days(samples, model, held_out=False)

    assert held_out
    assert held_out.isdisjoint(trained_on)


def test_the_judged_rows_are_all_that_the_year_holds(
    flights: ModuleType, write_samples: ModuleType, model: Model, samples: pa.Table, tmp_path: Path
) -> None:
    """Rows left out by hand could make any model look good."""
    judged, again = _judged(samples, model), tmp_path / "again.parquet"
    first, last = (moment.strftime("%Y-%m") for moment in pc.min_max(judged[model.samples.time]).as_py().values())
    rows = flights.between(flights.read_flights(), first, last)
    rows = flights.where(rows, flights.on_validation_day(rows)) if model.samples.held_out else rows
    write_samples.write(rows, inputs=tuple(feature.name for feature in model.inputs), path=again)

    assert pq.read_table(again).equals(judged.select(pq.read_schema(again).names))


def test_the_samples_are_in_the_order_of_time(model: Model, samples: pa.Table) -> None:
    """Whoever reads the first rows only should get the first days, and equal inputs give equal bytes."""
    times = samples[model.samples.time].to_pylist()

    assert times == sorted(times)


def test_the_card_has_the_front_matter_of_hugging_face(front_matter: dict[str, Any]) -> None:
    """Other tools find and filter models by these fields."""
    assert front_matter["library_name"] == "keras"
    assert front_matter["license"]
    assert {"tags", "datasets", "metrics", "model-index"} <= front_matter.keys()


def test_the_card_has_its_sections_in_order(card: str) -> None:
    """A reviewer looks for the limits and for what breaks at the same place of every card."""
    assert re.findall(r"^## (.+)$", card, flags=re.MULTILINE) == SECTIONS


def test_the_card_shows_what_always_saying_late_reaches(
    model: Model, samples: pa.Table, front_matter: dict[str, Any]
) -> None:
    """An F1 says nothing without the F1 of no model at all; this one follows from the samples alone."""
    share = pc.mean(_judged(samples, model)[model.samples.label]).as_py()
    (result,) = front_matter["model-index"][0]["results"]
    stated = {metric.get("name", metric["type"]): metric["value"] for metric in result["metrics"]}

    assert stated["F1 of always saying late"] == pytest.approx(2 * share / (1 + share), abs=0.0005)
    assert stated["f1"] > stated["F1 of always saying late"]


def _judged(samples: pa.Table, model: Model) -> pa.Table:
    return samples.filter(samples[model.samples.held_out]) if model.samples.held_out else samples


def _days(samples: pa.Table, model: Model, *, held_out: bool) -> set[Any]:
    days = pc.floor_temporal(samples[model.samples.time], unit="day")
    if model.samples.held_out is None:
        return set(days.to_pylist()) if held_out else set()
    return set(days.filter(pc.equal(samples[model.samples.held_out], held_out)).to_pylist())
