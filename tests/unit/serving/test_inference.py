"""Loading a model and asking it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from serving.errors import CannotStart, RequestRefused
from serving.inference import Model


def test_the_layer_says_what_the_model_is_called(late_directory: Path, tmp_path: Path) -> None:
    """An image holds its own identity; nobody has to repeat it on a command line."""
    shutil.copy(late_directory / "model.onnx", tmp_path)
    (tmp_path / "identity.json").write_text(json.dumps({"tag": "flight-delay@v1.4.0", "commit": "abc"}))
    model = Model.load(tmp_path)

    assert (model.name, model.version) == ("flight-delay", "v1.4.0")


@pytest.mark.parametrize("identity", [None, "{", "[]", '{"tag": 7}', "{}"])
def test_a_model_without_a_name_is_refused(late_directory: Path, tmp_path: Path, identity: str | None) -> None:
    """Served under no name, every path would answer 404, and nobody would know why."""
    shutil.copy(late_directory / "model.onnx", tmp_path)
    if identity is not None:
        (tmp_path / "identity.json").write_text(identity)

    with pytest.raises(CannotStart, match=r"identity\.json does not say(.|\n)*mend: write .*--name"):
        Model.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """A truncated layer must stop the start, so that the version before keeps serving."""
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(CannotStart, match=r"model\.onnx"):
        Model.load(tmp_path, name="m", version="v1.0.0")


def test_a_model_without_inputs_is_refused(write_model: Callable[..., Path]) -> None:
    """It has no batch, so nothing of the protocol holds for it."""
    constant = write_model("c () => (float[1] y) { y = Constant <value_floats: floats = [1.0]> () }")

    with pytest.raises(CannotStart, match="no input"):
        Model.load(constant, name="m", version="v1.0.0")


def test_warm_up_asks_a_row_of_every_datatype(echo: Model) -> None:
    """The first client must not pay for onnxruntime's first run."""
    assert 0 < echo.warm_up() < float("inf")


def test_a_model_that_fails_on_zeros_is_served_from_threads(write_model: Callable[..., Path]) -> None:
    """Zeros are no promise of a model: a table without a row 0 is a fine model."""
    graph = "t (int64[N,1] row) => (float[N,1,1] y) <float[1,1] table = {1.0}, int64 one = {1}> "
    graph += "{ at = Add (row, one) y = Gather (table, at) }"
    table = Model.load(write_model(graph), name="m", version="v1.0.0")

    assert table.warm_up() == float("inf")


def test_values_that_onnxruntime_refuses_are_the_clients(late: Model) -> None:
    """A 500 would page whoever runs the server for a mistake of whoever calls it."""
    with pytest.raises(RequestRefused, match=r"^inputs: the model refuses"):
        late.answer(
            {"hour": np.zeros((1, 2, 3), dtype=np.float32), "carrier": np.array([["AA"]], dtype=object)}, ["p_late"]
        )
