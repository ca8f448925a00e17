"""Which SavedModels are refused before anything of them runs. Crafted files cost no start of TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.saved_model import refuse
from slipway.errors import ModelRefused

CODE_AND_FILES = ["EagerPyFunc", "PyFunc", "PyFuncStateless", "ReadFile", "WriteFile", "MatchingFiles", "LoadLibrary"]


def field(number: int, content: bytes) -> bytes:
    """One length-delimited field of a protobuf message; contents of the tests are shorter than 16 kB."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    return bytes([number << 3 | 2]) + length + content


def node(operation: str) -> bytes:
    return field(1, b"a node") + field(2, operation.encode())


def function(name: str, *operations: str, calls: str = "") -> bytes:
    nodes = b"".join(field(3, node(operation) + field(5, calls.encode())) for operation in operations)
    return field(1, field(1, name.encode())) + nodes


def write(folder: Path, *functions: bytes, objects: str = "root", graph: bytes = b"", asset: str = "words.txt") -> Path:
    library = field(2, b"".join(field(1, one) for one in functions))
    meta_graph = field(2, graph + library) + field(6, field(2, asset.encode())) + field(7, objects.encode())
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(field(2, meta_graph))
    return folder


def test_a_model_of_keras_is_let_through(saved_models: Path) -> None:
    """A check that refuses the ordinary export would be switched off within a week."""
    refuse(saved_models / "good")


@pytest.mark.parametrize(
    ("name", "operation"),
    [("writes-a-file", "WriteFile"), ("writes-when-loaded", "WriteFile"), ("calls-python", "EagerPyFunc")],
)
def test_a_model_that_does_more_than_compute_is_refused(saved_models: Path, name: str, operation: str) -> None:
    """TensorFlow itself loads all three; one writes its file while it is loaded."""
    with pytest.raises(ModelRefused, match=operation):
        refuse(saved_models / name)


@pytest.mark.parametrize("operation", [*CODE_AND_FILES, "AnythingNew"])
def test_an_operation_that_is_not_known_to_be_harmless_is_refused_wherever_it_is(
    tmp_path: Path, operation: str
) -> None:
    """A list of what is bad would be out of date with the next TensorFlow."""
    in_a_function = write(tmp_path / "function", function("f", "AddV2", operation))
    in_the_graph = write(tmp_path / "graph", graph=field(1, node(operation)))

    for source in (in_a_function, in_the_graph):
        with pytest.raises(ModelRefused, match=operation):
            refuse(source)


def test_the_functions_that_save_and_restore_are_let_through_while_nothing_calls_them(tmp_path: Path) -> None:
    """Keras exports them with each model; they name files, and nobody runs them."""
    refuse(write(tmp_path, function("__save", "SaveV2", "StringJoin"), function("answer", "AddV2")))


def test_a_function_that_saves_is_refused_when_the_model_offers_it(tmp_path: Path) -> None:
    """An object that names the function can run it, for example as the signature."""
    source = write(tmp_path, function("answer", "SaveV2"), objects="signature: answer")

    with pytest.raises(ModelRefused, match="SaveV2"):
        refuse(source)


def test_a_function_that_saves_is_refused_when_another_function_calls_it(tmp_path: Path) -> None:
    """Otherwise one call in between would be enough to get past the check above."""
    source = write(tmp_path, function("__save", "SaveV2"), function("answer", "PartitionedCall", calls="__save"))

    with pytest.raises(ModelRefused, match="SaveV2"):
        refuse(source)


def test_a_function_with_two_names_is_refused_when_it_saves(tmp_path: Path) -> None:
    """Of a field that stands twice TensorFlow takes the last, so that a false first name must not help."""
    twice = function("__save", "SaveV2") + field(1, field(1, b"answer"))

    with pytest.raises(ModelRefused, match="SaveV2"):
        refuse(write(tmp_path, twice, objects="signature: answer"))


def test_file_operations_in_the_graph_itself_are_refused(tmp_path: Path) -> None:
    """Models of TensorFlow 1 restore themselves there, and their graph runs when they are loaded."""
    with pytest.raises(ModelRefused, match="RestoreV2"):
        refuse(write(tmp_path, graph=field(1, node("RestoreV2"))))


def test_a_model_without_objects_is_refused(tmp_path: Path) -> None:
    """TensorFlow would load it as a model of TensorFlow 1, on another way."""
    with pytest.raises(ModelRefused, match="no SavedModel of TensorFlow 2"):
        refuse(write(tmp_path, function("answer", "AddV2"), objects=""))


@pytest.mark.parametrize("asset", ["/etc/passwd", "../../secret.txt"])
def test_an_asset_outside_of_the_folder_is_refused(tmp_path: Path, asset: str) -> None:
    """TensorFlow would read the file into a table, and the table ends in the released ONNX file."""
    with pytest.raises(ModelRefused, match="outside of its folder"):
        refuse(write(tmp_path, asset=asset))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The digest of the source covers the link, not what it points at."""
    source = write(tmp_path / "source", function("answer", "AddV2"))
    (tmp_path / "elsewhere").write_text("weights")
    (source / "variables").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ModelRefused, match="link out of the model's folder"):
        refuse(source)


@pytest.mark.parametrize("name", ["saved_model.pbtxt", "saved_model.cpb"])
def test_a_second_form_of_the_model_is_refused(tmp_path: Path, name: str) -> None:
    """TensorFlow could load the form that was not looked at."""
    source = write(tmp_path, function("answer", "AddV2"))
    (source / name).touch()

    with pytest.raises(ModelRefused, match="second form"):
        refuse(source)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A wrong `source` in model.yaml is the most common mistake of a first release."""
    with pytest.raises(ModelRefused, match=r"holds no saved_model\.pb"):
        refuse(tmp_path)


@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """The file comes from a pull request: whatever it holds, the answer is a refusal or none."""
    source = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}"
    source.mkdir(exist_ok=True)
    (source / "saved_model.pb").write_bytes(content)

    with pytest.raises(ModelRefused):
        refuse(source)
