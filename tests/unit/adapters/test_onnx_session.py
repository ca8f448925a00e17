"""ONNX files in a real onnxruntime."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, external_data_helper, helper, numpy_helper
from slipway.adapters import onnx_session
from slipway.adapters.onnx_session import open_model
from slipway.domain.rows import Batch
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.errors import ModelFailed, ModelRefused

_WEIGHTS = np.array([[1.0], [10.0]], np.float32)


def _model() -> ModelProto:
    """y = hour + 10 × id of the carrier; AA is 1, B6 is 2, others 0."""
    inputs = [
        helper.make_tensor_value_info("hour", TensorProto.FLOAT, ["N", 1]),
        helper.make_tensor_value_info("carrier", TensorProto.STRING, ["N", 1]),
    ]
    nodes = [
        helper.make_node(
            "CategoryMapper",
            ["carrier"],
            ["id"],
            domain="ai.onnx.ml",
            cats_strings=["AA", "B6"],
            cats_int64s=[1, 2],
            default_int64=0,
        ),
        helper.make_node("Cast", ["id"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["hour", "number"], ["both"], axis=1),
        helper.make_node("MatMul", ["both", "weights"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, [numpy_helper.from_array(_WEIGHTS, "weights")])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _written(folder: Path, model: ModelProto) -> Path:
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return _written(tmp_path, _model())


def _rows(count: int) -> Batch:
    carriers = np.array([["AA", "B6", "é"][row % 3] for row in range(count)], dtype=object)
    return {"hour": np.arange(count, dtype=np.float32).reshape(-1, 1), "carrier": carriers.reshape(-1, 1)}


def test_the_signature_is_read_from_the_file(path: Path) -> None:
    """What the file asks for is compared with what model.yaml declares and with what is deployed."""
    assert open_model(path).signature == Signature(
        inputs=(Tensor(name="hour", dtype=DataType.FLOAT32), Tensor(name="carrier", dtype=DataType.STRING)),
        outputs=(Tensor(name="y", dtype=DataType.FLOAT32),),
    )


def test_rows_with_strings_are_answered_in_their_order(path: Path) -> None:
    """Answers are compared, and counted, by position."""
    assert open_model(path).predict(_rows(4))["y"].ravel().tolist() == [10.0, 21.0, 2.0, 13.0]


@pytest.mark.parametrize("rows", [0, 1, 5, 6, 7])
@pytest.mark.parametrize("optimise", [True, False])
def test_the_size_of_chunks_does_not_show_in_the_answers(path: Path, rows: int, optimise: bool) -> None:
    """Chunks bound the memory; the last one is shorter, and no rows at all is a batch too."""
    model = open_model(path, optimise=optimise)

    answers = model.predict(_rows(rows), rows_at_once=3)["y"]

    assert answers.shape == (rows, 1)
    np.testing.assert_array_equal(answers, model.predict(_rows(rows))["y"])


def test_columns_that_the_model_does_not_ask_for_are_left_aside(path: Path) -> None:
    """The version before is asked the rows of the newer one, which has more inputs."""
    rows = {**_rows(2), "dep_delay": np.zeros((2, 1), np.float32)}

    assert open_model(path).predict(rows)["y"].tolist() == [[10.0], [21.0]]


def test_fixed_width_text_is_as_good_as_objects(path: Path) -> None:
    """Batches that were read from npz files hold numpy's own strings."""
    rows = {name: column.astype(np.str_) if name == "carrier" else column for name, column in _rows(2).items()}

    assert open_model(path).predict(rows)["y"].tolist() == [[10.0], [21.0]]


@pytest.mark.parametrize(
    ("name", "column", "words"),
    [
        ("hour", None, r"asks for `hour` \(float32\), which these rows do not have"),
        ("hour", np.zeros((2, 1)), r"asks for `hour` \(float32\), these rows have it as float64"),
        ("carrier", np.zeros((2, 1)), r"asks for `carrier` \(string\), these rows have it as float64"),
        ("hour", np.zeros(2, np.float32), r"\['N', 1\]; these rows have \[2\]"),
    ],
)
def test_rows_that_do_not_fit_are_named(path: Path, name: str, column: np.ndarray | None, words: str) -> None:
    """A float64 that is cast in silence is a difference to the source that nobody finds."""
    rows = {key: value for key, value in {**_rows(2), name: column}.items() if value is not None}

    with pytest.raises(ModelFailed, match=words):
        open_model(path).predict(rows)


def test_rows_that_the_model_cannot_compute_raise(tmp_path: Path) -> None:
    """An id out of range raises in the source too; the two are compared row by row."""
    model = _model()
    model.graph.node[2].CopyFrom(helper.make_node("Gather", ["weights", "id"], ["picked"], axis=0))
    model.graph.node[3].CopyFrom(helper.make_node("Reshape", ["picked", "shape"], ["y"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1, 1]), "shape"))

    with pytest.raises(ModelFailed, match="cannot answer these rows"):
        open_model(_written(tmp_path, model)).predict(_rows(2))


def test_an_answer_with_another_number_of_rows_is_an_error(tmp_path: Path) -> None:
    """A model that sums over the batch gives one number, which would be read as the first row's."""
    model = _model()
    model.graph.node.append(helper.make_node("ReduceSum", ["summed"], ["y"], keepdims=1))
    model.graph.node[3].output[0] = "summed"

    with pytest.raises(ModelFailed, match=r"answers 2 rows with `y` of shape \[1, 1\]"):
        open_model(_written(tmp_path, model)).predict(_rows(2))


def test_the_version_is_that_of_the_runtime_that_answers() -> None:
    """A reviewer reads under which onnxruntime the way back was rehearsed."""
    assert onnx_session.version() == importlib.metadata.version("onnxruntime")


# --- refused before onnxruntime sees it -----------------------------------------------------------------------


def test_a_file_that_keeps_its_weights_elsewhere_is_refused(tmp_path: Path) -> None:
    """onnxruntime would read any file beside it, and the digest would not cover the weights."""
    model = _model()
    external_data_helper.set_external_data(model.graph.initializer[0], location="weights.bin")

    with pytest.raises(ModelRefused, match="keeps its weights `weights` in another file"):
        open_model(_written(tmp_path, model))


def test_weights_elsewhere_are_found_inside_attributes_and_bodies_too(tmp_path: Path) -> None:
    """The obvious place is not the only one."""
    tensor = numpy_helper.from_array(np.ones((1, 1), np.float32), "hidden")
    external_data_helper.set_external_data(tensor, location="weights.bin")
    tensor.ClearField("raw_data")
    answer = helper.make_tensor_value_info("c", TensorProto.FLOAT, [1, 1])
    body = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "body", [], [answer])
    model = _model()
    model.graph.node.append(helper.make_node("If", ["yes"], ["unused"], then_branch=body, else_branch=body))

    with pytest.raises(ModelRefused, match="`hidden` in another file"):
        open_model(_written(tmp_path, model))


@pytest.mark.parametrize("place", ["opset", "node"])
def test_operators_of_others_are_refused(tmp_path: Path, place: str) -> None:
    """onnx's checker lets them pass, and they need libraries that the server does not have."""
    model = _model()
    if place == "opset":
        model.opset_import.append(helper.make_opsetid("com.example", 1))
    else:
        model.graph.node[1].domain = "com.example"

    with pytest.raises(ModelRefused, match=r"asks for operators of com\.example"):
        open_model(_written(tmp_path, model))


def test_a_batch_that_is_not_free_is_refused(tmp_path: Path) -> None:
    """Such a file answers one number of rows only, and the server batches as requests come."""
    model = _model()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8

    with pytest.raises(ModelRefused, match=r"input `hour` has the shape \[8, 1\]; needed is a free first axis"):
        open_model(_written(tmp_path, model))


def test_a_type_that_is_not_served_is_refused(tmp_path: Path) -> None:
    """The protocol has no way to send it."""
    model = _model()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    model.graph.node.insert(0, helper.make_node("Cast", ["hour"], ["wide"], to=TensorProto.FLOAT))
    model.graph.node[3].input[0] = "wide"

    with pytest.raises(ModelRefused, match="input `hour` has a type that is not served"):
        open_model(_written(tmp_path, model))


def test_a_graph_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    """The checker's word is clearer than onnxruntime's."""
    model = _model()
    model.graph.node[3].input[0] = "nothing"

    with pytest.raises(ModelRefused, match="no valid ONNX"):
        open_model(_written(tmp_path, model))


def test_what_only_onnxruntime_refuses_is_refused_in_the_same_words(tmp_path: Path) -> None:
    """The checker looks at each node alone; that the types fit together, onnxruntime finds."""
    model = _model()
    model.graph.node[3].input[0] = "id"

    with pytest.raises(ModelRefused, match=r"onnxruntime [0-9.]+ cannot load"):
        open_model(_written(tmp_path, model))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Steps run one by one; the one before may not have run."""
    with pytest.raises(ModelRefused, match=r"model\.onnx cannot be read"):
        open_model(tmp_path / "model.onnx")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """The file comes from a process that ran a team's model; a sparse file costs it nothing."""
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate(onnx_session.LARGEST_FILE + 1)

    with pytest.raises(ModelRefused, match=r"has 1,073,741,825 bytes"):
        open_model(tmp_path / "model.onnx")


@given(content=st.binary(max_size=300))
def test_no_bytes_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the file holds, the answer is a refusal."""
    path = tmp_path_factory.getbasetemp() / "fuzz.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelRefused):
        open_model(path)


def test_the_checker_of_onnx_alone_would_not_do() -> None:
    """Why there are checks of our own: this passes, and is the reason to look again when it does not."""
    model = _model()
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node[1].domain = "com.example"

    onnx.checker.check_model(model)
