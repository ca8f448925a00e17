"""One computation, one digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper
from slipway.converters.canonical import canonical, serialise
from slipway.errors import ModelRefused

from tests.unit.converters.conftest import Conversion
from tests.unit.converters.graphs import BODIES, models, varied

_ROWS = {
    "x": np.array([[0.5], [-2.0], [np.nan], [0.0]], np.float32),
    "y": np.array([[1.5], [3.0], [1.0], [-0.0]], np.float32),
    "word": np.array([["a"], ["bc"], ["é"], [""]], dtype=object),
}


def _form(model: ModelProto, **declared: list[str]) -> ModelProto:
    form: ModelProto = ModelProto.FromString(serialise(canonical(model, **declared)))
    return form


def _answers(model: ModelProto, rows: dict[str, np.ndarray]) -> list[bytes]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = sorted(one.name for one in session.get_outputs())
    asked = {one.name: rows[one.name] for one in session.get_inputs()}
    return [answer.tobytes() for answer in session.run(names, asked)]


@settings(deadline=None)
@given(model=models(), seed=st.integers(0, 2**32))
def test_what_a_converter_varies_leaves_no_trace(model: ModelProto, seed: int) -> None:
    """A tag is released by two machines, or twice by one; another digest would look like another model."""
    assert serialise(canonical(varied(model, seed))) == serialise(canonical(model))


@settings(deadline=None)
@given(model=models())
def test_the_form_is_its_own_form(model: ModelProto) -> None:
    """A file that changes each time it is put in order has no order."""
    once = canonical(model)

    assert serialise(canonical(ModelProto.FromString(serialise(once)))) == serialise(once)


@settings(deadline=None, max_examples=40)
@given(model=models())
def test_the_answers_stay_the_same_to_the_bit(model: ModelProto) -> None:
    """The rewrite comes before all measurements, but nobody should have to ask whether it changed the model."""
    form = _form(model)

    onnx.checker.check_model(form, full_check=True)
    assert _answers(form, _ROWS) == _answers(model, _ROWS)


def test_the_form_is_that_of_all_releases_before() -> None:
    """Another digest for the same model would make each release that is run again look like another one."""
    pinned = "eec475b341721347f093880d0583c1f588b60abbda60d0820a6c1a102985bb23"

    assert hashlib.sha256(serialise(canonical(BODIES))).hexdigest() == pinned


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_bodies_of_if_and_loop_have_one_form_too(seed: int) -> None:
    """Recurrent layers become loops; their bodies are where a converter invents the most names."""
    form = _form(BODIES)

    onnx.checker.check_model(form, full_check=True)
    assert _form(varied(BODIES, seed)) == form
    assert _form(form) == form


@pytest.mark.parametrize("sign", [1, -1])
def test_bodies_of_if_and_loop_give_the_same_answers(sign: int) -> None:
    """Both branches, with values that a body takes from around it."""
    rows = {"x": sign * np.array([[1.0], [2.0]], np.float32)}

    assert _answers(_form(BODIES), rows) == _answers(BODIES, rows)


def test_inputs_and_outputs_stand_in_their_declared_order(conversion: Conversion) -> None:
    """The order of model.yaml is the one that people see; without one, names decide."""
    model = onnx.load(conversion.folder / "model.onnx")
    order = ["gate", "carrier", "minute", "hour"]

    assert [one.name for one in _form(model, inputs=order).graph.input] == order
    assert [one.name for one in _form(model).graph.input] == sorted(order)


@pytest.mark.parametrize("names", [["hour"], ["hour", "minute", "carrier", "gate", "dest"]])
def test_other_inputs_than_declared_are_refused_with_both_lists(conversion: Conversion, names: list[str]) -> None:
    """A misspelt name would otherwise show as a failed request in production."""
    with pytest.raises(ModelRefused, match=r"has the inputs `carrier`, `gate`, `hour`, `minute`; declared are"):
        canonical(onnx.load(conversion.folder / "model.onnx"), inputs=names)


def test_the_batch_is_called_n_and_nothing_tells_of_the_conversion(conversion: Conversion) -> None:
    """Paths, versions and numbered axes are what differs between two runs."""
    model = onnx.load(conversion.folder / "model.onnx")

    axes = [one.type.tensor_type.shape.dim[0].dim_param for one in (*model.graph.input, *model.graph.output)]
    assert set(axes) == {"N"}
    assert (model.producer_name, model.producer_version, model.doc_string) == ("slipway", "", "")
    assert not model.graph.value_info
    assert not model.metadata_props


def _small(*nodes: onnx.NodeProto, outputs: tuple[str, ...] = ("y",), inputs: tuple[str, ...] = ("x",)) -> ModelProto:
    ins, outs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in names]
        for names in (inputs, outputs)
    )
    graph = helper.make_graph(nodes, "graph", ins, outs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_suffixes_of_tensorflow_leave_the_names_of_inputs_and_outputs() -> None:
    """Clients send `hour`, not `hour:0`."""
    model = _form(_small(helper.make_node("Relu", ["x:0"], ["y:0"]), inputs=("x:0",), outputs=("y:0",)))

    assert (model.graph.input[0].name, model.graph.output[0].name) == ("x", "y")


def test_two_outputs_of_one_value_keep_both_names() -> None:
    """Equal values are computed once, yet each output has a name of its own."""
    twice = [helper.make_node("Relu", ["x"], [name]) for name in ("y", "z")]
    form = _form(_small(*twice, outputs=("y", "z")))

    onnx.checker.check_model(form)
    assert _form(form) == form
    assert len(set(_answers(form, _ROWS))) == 1


def test_an_output_that_is_a_constant_or_an_input_keeps_its_name() -> None:
    """Converters fold a layer that does nothing; the output is still asked for by its name."""
    model = _small(outputs=("x", "y"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1), np.float32), "y"))
    form = _form(model)

    onnx.checker.check_model(form)
    assert _form(form) == form
    assert _answers(form, _ROWS) == _answers(model, _ROWS)


def test_an_input_may_be_called_like_an_inner_name() -> None:
    """Names of inputs belong to the team; the generated ones give way."""
    nodes = [helper.make_node("Relu", ["Relu_0"], ["a"]), helper.make_node("Neg", ["a"], ["Neg_1"])]
    form = _form(_small(*nodes, inputs=("Relu_0",), outputs=("Neg_1",)))

    onnx.checker.check_model(form)
    assert _form(form) == form


def test_models_that_differ_have_different_bytes() -> None:
    """A form that forgot an attribute or the order of inputs would give two models one digest."""
    forms = [
        serialise(canonical(_small(*nodes, inputs=("x", "w"))))
        for nodes in (
            [helper.make_node("Sub", ["x", "w"], ["y"])],
            [helper.make_node("Sub", ["w", "x"], ["y"])],
            [helper.make_node("Add", ["x", "w"], ["y"])],
            [helper.make_node("LeakyRelu", ["x"], ["y"], alpha=0.1)],
            [helper.make_node("LeakyRelu", ["x"], ["y"], alpha=0.2)],
        )
    ]

    assert len(set(forms)) == len(forms)


def test_the_real_conversion_is_in_this_form(conversion: Conversion, tmp_path: Path) -> None:
    """The worker must not forget the step that all digests stand on."""
    content = (conversion.folder / "model.onnx").read_bytes()

    form = canonical(ModelProto.FromString(content), inputs=list(conversion.samples))

    assert serialise(form) == content
