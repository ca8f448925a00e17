"""Of an MLflow model folder, the file is taken that a converter reads; the texts are those that MLflow 3.17 writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.sources.mlflow_folder import MLMODEL, files_of
from slipway.errors import SourceRefused

_BESIDE = (MLMODEL, "conda.yaml", "python_env.yaml", "requirements.txt", "input_example.json")
_FUNCTION = "  python_function: {loader_module: mlflow.pyfunc.model, python_version: 3.11.7}\n"


def taken(flavors: str, *names: str) -> dict[str, str]:
    return files_of(f"artifact_path: model\nflavors:\n{flavors}{_FUNCTION}".encode(), [*_BESIDE, *names])


@pytest.mark.parametrize(
    ("flavors", "there", "expected"),
    [
        ("  sklearn: {pickled_model: model.skops}\n", ["model.skops"], {"model.skops": "model.skops"}),
        ("  xgboost: {data: model.ubj, model_format: ubj}\n", ["model.ubj"], {"model.ubj": "model.ubj"}),
        ("  xgboost: {data: model.json, model_format: json}\n", ["model.json"], {"model.json": "model.json"}),
        ("  lightgbm: {data: model.lgb}\n", ["model.lgb"], {"model.lgb": "model.txt"}),
        (
            "  keras: {data: data}\n",
            ["data/model.keras", "data/keras_module.txt"],
            {"data/model.keras": "model.keras"},
        ),
        (
            "  tensorflow: {data: data, model_type: keras}\n",
            ["data/model.keras", "data/keras_module.txt"],
            {"data/model.keras": "model.keras"},
        ),
        (
            "  tensorflow: {saved_model_dir: tf2model, model_type: tf2-module}\n",
            ["tf2model/saved_model.pb", "tf2model/variables/variables.index"],
            {
                "tf2model/saved_model.pb": "saved_model.pb",
                "tf2model/variables/variables.index": "variables/variables.index",
            },
        ),
        (
            "  pytorch: {model_data: data, code: null}\n",
            ["data/model.pt2", "data/pickle_module_info.txt"],
            {"data/model.pt2": "model.pt2"},
        ),
        (
            "  onnx: {data: model.onnx}\n",
            ["model.onnx", "0b6e2a1c.data"],
            {"model.onnx": "model.onnx", "0b6e2a1c.data": "0b6e2a1c.data"},
        ),
    ],
    ids=lambda value: value.split(":")[0].strip() if isinstance(value, str) else "",
)
def test_of_each_flavor_the_file_that_a_converter_reads_is_taken(
    flavors: str, there: list[str], expected: dict[str, str]
) -> None:
    """What lies beside it changes with every run, and would make of the same model another source."""
    assert taken(flavors, *there) == expected


@pytest.mark.parametrize(
    ("flavors", "there", "mend"),
    [
        ("  sklearn: {pickled_model: model.pkl}\n", "model.pkl", 'serialization_format="skops"'),
        ("  pytorch: {model_data: data}\n", "data/model.pth", 'serialization_format="pt2"'),
        ("  xgboost: {data: model.xgb}\n", "model.xgb", 'model_format="ubj"'),
        ("  lightgbm: {data: model.skops}\n", "model.skops", "model.booster_"),
        ("  keras: {data: data}\n", "data/model.h5", "mlflow.keras.log_model"),
        ("  sklearn: {pickled_model: model.skops}\n", "another.skops", "mlflow.sklearn.log_model"),
    ],
)
def test_what_would_have_to_be_run_to_be_read_is_refused_with_the_call_that_saves_it_otherwise(
    flavors: str, there: str, mend: str
) -> None:
    """A pickle runs any code; the team learns which argument was missing, and not that a file is bad."""
    with pytest.raises(SourceRefused) as refused:
        taken(flavors, there)
    assert mend in refused.value.mend


def test_a_function_in_python_is_no_model_that_could_be_converted() -> None:
    """It is code alone."""
    with pytest.raises(SourceRefused, match="the flavors python_function, which no converter reads"):
        taken("")


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(told: bytes) -> None:
    """The file comes from a server, and anybody who may log a run writes it."""
    with pytest.raises(SourceRefused):
        files_of(told, ["model.skops"])


@given(
    st.dictionaries(
        st.sampled_from(["sklearn", "onnx", "keras", "tensorflow", "python_function", "x"]),
        st.none()
        | st.text()
        | st.dictionaries(st.sampled_from(["data", "pickled_model", "saved_model_dir"]), st.text()),
    )
)
def test_any_flavors_are_read_or_refused_and_no_name_is_made_up(flavors: dict[str, object]) -> None:
    """What is taken is a file that was listed."""
    import json

    try:
        found = files_of(json.dumps({"flavors": flavors}).encode(), ["model.skops", "data/model.keras"])
    except SourceRefused:
        return
    assert set(found) <= {"model.skops", "data/model.keras"}
