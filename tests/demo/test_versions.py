"""The story's later versions: each folder of demo/versions is laid over the tree of the version before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.compute as pc  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pytest
import yaml
from slipway.domain.model import Model

ROOT = Path(__file__).parents[2]
FIRST = ROOT / "models" / "flight-delay"
OVERLAYS = ROOT / "demo" / "versions"
LATER = ["v1.1.0", "v1.2.0", "v2.0.0"]
BYTES_ALLOWED = 1_000_000
ROWS_AT_LEAST = 20_000
BREAK = "### v2.0.0"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the model's folder as each version's commit holds it."""
    made, before = {"v1.0.0": FIRST}, FIRST
    for version in LATER:
        tree = tmp_path_factory.mktemp(version) / "flight-delay"
        shutil.copytree(before, tree, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(OVERLAYS / version, tree, dirs_exist_ok=True)
        made[version] = before = tree
    return made


def test_an_overlay_holds_exactly_what_changes(trees: dict[str, Path]) -> None:
    """A copy of an unchanged file would grow the repository, and hide what a version is about."""
    for before, version in zip(["v1.0.0", *LATER], LATER, strict=False):
        for path in _files(OVERLAYS / version):
            old = trees[before] / path.relative_to(OVERLAYS / version)
            assert old.is_file(), f"{path} replaces nothing"
            assert old.read_bytes() != path.read_bytes(), f"{path} changes nothing"


def test_every_version_declares_the_columns_of_its_samples(trees: dict[str, Path]) -> None:
    """A version with the samples of another would be judged on inputs that it does not ask for."""
    for tree in trees.values():
        model = _declared(tree)
        samples = pq.read_table(tree / model.samples.path)
        marks = {model.samples.time, model.samples.label, model.samples.held_out} - {None}
        assert set(samples.column_names) == {feature.name for feature in model.inputs} | marks
        assert samples.num_rows >= ROWS_AT_LEAST


@pytest.mark.parametrize(("version", "month"), [("v1.1.0", (2013, 7)), ("v1.2.0", (2013, 9)), ("v2.0.0", (2013, 9))])
def test_a_later_version_is_judged_on_a_month_that_no_version_has_learned_from(
    trees: dict[str, Path], version: str, month: tuple[int, int]
) -> None:
    """Training ended in June: both sides of the comparison see these flights for the first time."""
    times = pq.read_table(_samples(trees[version]))["time"]
    months = set(zip(pc.year(times).to_pylist(), pc.month(times).to_pylist(), strict=True))

    assert months == {month}


def test_the_first_minor_version_keeps_its_signature_and_the_second_does_not(trees: dict[str, Path]) -> None:
    """The refusal of v1.2.0 is a scene of the story; it happens only if the input is really new."""
    first, minor, refused = (_declared(trees[version]).signature for version in ("v1.0.0", "v1.1.0", "v1.2.0"))

    assert first == minor
    assert [tensor.name for tensor in refused.inputs if tensor not in minor.inputs] == ["dep_delay"]
    assert refused.outputs == minor.outputs


def test_the_major_version_is_the_refused_one_with_its_break_stated(trees: dict[str, Path]) -> None:
    """What mends the refusal is the sentence in the card and the number, not another model."""
    assert [path.name for path in _files(OVERLAYS / "v2.0.0")] == ["README.md"]
    stated = [version for version, tree in trees.items() if BREAK in _breaking_changes(tree)]

    assert stated == ["v2.0.0"]
    assert [_breaking_changes(trees[version]).strip() for version in ("v1.0.0", "v1.1.0", "v1.2.0")] == ["None."] * 3


def test_the_example_stays_under_a_megabyte() -> None:
    """Every repository that is generated with the example carries it in its history for ever."""
    assert sum(path.stat().st_size for folder in (FIRST, OVERLAYS) for path in _files(folder)) < BYTES_ALLOWED


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def _declared(tree: Path) -> Model:
    return Model.model_validate(yaml.safe_load((tree / "model.yaml").read_text(encoding="utf-8")))


def _samples(tree: Path) -> Path:
    return tree / _declared(tree).samples.path


def _breaking_changes(tree: Path) -> str:
    return (tree / "README.md").read_text(encoding="utf-8").split("## Breaking changes\n")[1]
