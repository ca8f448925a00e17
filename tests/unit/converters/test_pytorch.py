"""Exported programs through a real PyTorch and its exporter, trained on real data."""

from __future__ import annotations

import onnx
import pytest

from tests.unit.converters.conftest import Models, Trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


@pytest.fixture(scope="session")
def models(models_of: Models) -> Trained:
    return models_of("pytorch")


@pytest.mark.parametrize("case", ["harmful examples", "harmful guards"])
def test_code_in_what_is_not_needed_is_left_out_and_never_runs(models: Trained, case: str) -> None:
    """PyTorch itself would run both while it loads or asks the program."""
    assert "refused" not in models.told[case], models.told[case]
    assert models.apart(case) <= _ROUNDING
    assert not list(models.folder.rglob("planted"))


def test_nothing_of_where_it_was_written_is_left(models: Trained) -> None:
    """The exporter writes the paths and lines of the training into the file."""
    raw = (models.folder / "digits" / "model.onnx").read_bytes()

    assert b"_for_tests" not in raw
    assert b"forward" not in raw
    assert {entry.version for entry in onnx.load_from_string(raw).opset_import} == {18}
