"""Which exported programs are refused before PyTorch sees anything of them. Crafted files need no PyTorch."""

from __future__ import annotations

import copy
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.exported_program import checked
from slipway.errors import ModelRefused

_SPEC = '[1, {"type": "builtins.tuple", "context": "null", "children_spec": []}]'
_SIZE = "Add(Mul(Integer(2), Symbol('s40', positive=True, integer=True)), Integer(1))"
_TENSOR: dict[str, Any] = {"sizes": [{"as_int": 2}, {"as_int": 3}], "dtype": 7, "storage_offset": {"as_int": 0}}
_NODE: dict[str, Any] = {
    "target": "torch.ops.aten.dropout.default",
    "inputs": [
        {"name": "input", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
        {"name": "equation", "arg": {"as_string": "ij,jk -> ik"}, "kind": 1},
        {"name": "train", "arg": {"as_bool": False}, "kind": 1},
    ],
    "outputs": [{"as_tensor": {"name": "dropped"}}],
    "metadata": {"stack_trace": "File '/home/somebody/train.py', line 1"},
}
_PROGRAM: dict[str, Any] = {
    "graph_module": {
        "graph": {
            "inputs": [{"as_tensor": {"name": "x"}}],
            "nodes": [_NODE, {"target": "_operator.mul", "inputs": [], "outputs": []}],
            "tensor_values": {"x": {**_TENSOR, "sizes": [{"as_expr": {"expr_str": _SIZE, "hint": {"as_int": 3}}}]}},
            "custom_obj_values": {},
        },
        "module_call_graph": [{"fqn": "", "signature": {"in_spec": _SPEC, "out_spec": _SPEC}}],
    },
    "guards_code": ["L['x'].size()[0] > 1"],
    "torch_version": "2.13.0+cpu",
}
_WEIGHTS = {"config": {"layer.weight": {"path_name": "weight_0", "use_pickle": False, "tensor_meta": _TENSOR}}}


def write(path: Path, *, program: Any = _PROGRAM, weights: Any = _WEIGHTS, **more: bytes) -> Path:
    """An archive as PyTorch writes it; names of `more` have `__` for a slash."""
    parts = {
        "models/model.json": json.dumps(program).encode(),
        "data/weights/model_weights_config.json": json.dumps(weights).encode(),
        "data/weights/weight_0": bytes(24),
        "data/constants/model_constants_config.json": b'{"config": {}}',
        "data/sample_inputs/model.pt": b"a pickle",
        "byteorder": b"little",
        ".data/version": b"3\n",
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"model/{name}", content)
    return path


def changed(change: Callable[[Any, Any], object]) -> Any:
    """The program after a change of it, or of its first node."""
    program = copy.deepcopy(_PROGRAM)
    change(program, program["graph_module"]["graph"]["nodes"][0])
    return program


def test_what_only_computes_is_kept_and_nothing_else(tmp_path: Path) -> None:
    """Example inputs are pickled, guards are Python, and traces tell of the machine that trained."""
    records = checked(write(tmp_path / "model.pt2"))
    program = json.loads(records["models/model.json"])

    assert records["data/weights/weight_0"] == bytes(24)
    assert records["data/sample_inputs/model.pt"] == b""
    assert program["guards_code"] == []
    assert program["graph_module"]["graph"]["nodes"][0] == {**_NODE, "metadata": {}}
    assert b"somebody" not in b"".join(records.values())


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system",
        "torch.serialization.os.system",
        "torch.load",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.set_.source_Tensor",
        "torch.ops.mine.anything.default",
        "torch.ops.higher_order.cond",
        "torch.ops.aten.add.Tensor.__globals__",
        "torch.ops.load_library",
        "_operator.attrgetter",
        "_operator.methodcaller",
        "math.__loader__",
        "#extension:anything",
        "",
    ],
)
def test_an_operator_that_is_not_known_to_be_harmless_is_refused(tmp_path: Path, target: str) -> None:
    """PyTorch looks a name up wherever it leads; under `torch` lies all that its modules import."""
    program = changed(lambda _, node: node.update(target=target))

    with pytest.raises(ModelRefused, match="may do more than compute"):
        checked(write(tmp_path / "model.pt2", program=program))


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('touch planted')",
        "Symbol('s40', positive=True).__class__",
        "9**9**9**9",
        "Pow(Integer(9), Integer(9))",
        "exec(1)",
        "lambda: 1",
        "s0; 1",
        "1" * 200 + "!",
    ],
)
def test_a_size_that_is_more_than_arithmetic_is_refused(tmp_path: Path, expression: str) -> None:
    """sympy evaluates it as Python."""

    def change(program: Any, _: Any) -> None:
        sizes = program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
        sizes[0]["as_expr"]["expr_str"] = expression

    with pytest.raises(ModelRefused, match="where a word should be"):
        checked(write(tmp_path / "model.pt2", program=changed(change)))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda program, node: node["outputs"][0]["as_tensor"].update(name="x): import os #"),
            "where a word should be",
        ),
        (lambda program, node: node["inputs"][0].update(name="a=1) or f("), "where a word should be"),
        (lambda program, node: node["inputs"][1]["arg"].update(as_string="')); import os"), "where a word should be"),
        (lambda program, node: node.update({"x y()": 1}), "may be more than a number"),
        (lambda program, node: node["inputs"][0].update(arg={"as_operator": "torch.os.system"}), "`as_operator`"),
        (lambda program, node: node["inputs"][0].update(arg={"as_graph": {}}), "`as_graph`"),
        (lambda program, node: node["inputs"][0].update(arg={"as_custom_obj": {}}), "`as_custom_obj`"),
        (
            lambda program, node: program["graph_module"]["graph"].update(custom_obj_values={"x": {}}),
            "`as_custom_obj`",
        ),
        (lambda program, node: node["inputs"][2]["arg"].update(as_bool=True), "exported for training"),
    ],
)
def test_what_would_end_in_code_or_in_an_object_is_refused(
    tmp_path: Path, change: Callable[[Any, Any], object], problem: str
) -> None:
    """Names become a Python function that PyTorch compiles; operators and objects are looked up by name."""
    with pytest.raises(ModelRefused, match=problem):
        checked(write(tmp_path / "model.pt2", program=changed(change)))


@pytest.mark.parametrize(
    "spec",
    [
        '[1, {"type": "collections.namedtuple", "context": "null", "children_spec": []}]',
        '[1, {"type": "builtins.dict", "context": "{\\"__enum__\\": true}", "children_spec": []}]',
        "no JSON",
    ],
)
def test_a_structure_of_other_than_tuples_lists_and_dictionaries_is_refused(tmp_path: Path, spec: str) -> None:
    """Other types are made by code that is registered somewhere."""
    program = changed(
        lambda program, _: program["graph_module"]["module_call_graph"][0]["signature"].update(in_spec=spec)
    )

    with pytest.raises(ModelRefused, match="takes or answers"):
        checked(write(tmp_path / "model.pt2", program=program))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"use_pickle": True}, "in another form than numbers"),
        ({"path_name": "custom_obj_0"}, "in another form than numbers"),
        ({"path_name": "../../models/model.json"}, "in another form than numbers|where a word should be"),
        ({"path_name": "weight_7"}, "in another form than numbers"),
        ({"tensor_meta": {"sizes": [{"as_int": 1 << 42}]}}, "larger than what is stored"),
        ({"tensor_meta": {"sizes": [{"as_int": -1}]}}, "larger than what is stored"),
        ({"tensor_meta": {"sizes": 3}}, "larger than what is stored"),
    ],
)
def test_weights_that_are_not_stored_as_numbers_are_refused(
    tmp_path: Path, entry: dict[str, Any], problem: str
) -> None:
    """PyTorch unpickles what is said to be pickled, and makes zeros of any size of a record that is empty."""
    weights = {"config": {"layer.weight": {**_WEIGHTS["config"]["layer.weight"], **entry}}}

    with pytest.raises(ModelRefused, match=problem):
        checked(write(tmp_path / "model.pt2", weights=weights))


@pytest.mark.parametrize(
    "name",
    ["data__weights__model.pt", "data__aotinductor__model__lib.so", "models__other.json", "extra__note.txt", "x"],
)
def test_any_other_part_is_refused(tmp_path: Path, name: str) -> None:
    """Compiled libraries and whole pickles have their places in such an archive."""
    with pytest.raises(ModelRefused, match="more than an exported program"):
        checked(write(tmp_path / "model.pt2", **{name: b"anything"}))


def test_numbers_in_another_order_of_bytes_are_refused(tmp_path: Path) -> None:
    """The copy is read in the order of this machine, so that both sides of the comparison would be wrong alike."""
    with pytest.raises(ModelRefused, match="the other way"):
        checked(write(tmp_path / "model.pt2", byteorder=b"big"))


@pytest.mark.parametrize(("root", "problem"), [("model", "is there twice"), ("other", "two parts of one name")])
def test_two_parts_of_one_name_are_refused(tmp_path: Path, root: str, problem: str) -> None:
    """One reader takes the first, another one the last."""
    file = write(tmp_path / "model.pt2")
    with zipfile.ZipFile(file, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the name is there twice
        archive.writestr(f"{root}/models/model.json", "{}")

    with pytest.raises(ModelRefused, match=problem):
        checked(file)


@pytest.mark.parametrize(
    ("said", "problem"), [((1 << 30) + 1, "unpacks to 1,073,74.,... bytes"), (10, "no exported program.*CRC")]
)
def test_a_bomb_is_refused_also_where_it_tells_another_size(tmp_path: Path, said: int, problem: str) -> None:
    """Zeros shrink to a thousandth in an archive, whose table may say anything."""
    file = write(tmp_path / "model.pt2")
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data/weights/weight_1", bytes(1 << 20))
        archive.infolist()[-1].file_size = said

    with pytest.raises(ModelRefused, match=problem):
        checked(file)


@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """The file comes from a pull request: whatever it holds, the answer is a refusal."""
    file = tmp_path_factory.getbasetemp() / f"fuzz-{os.getpid()}.pt2"
    for raw in (content, b"PK\x03\x04" + content):
        file.write_bytes(raw)
        with pytest.raises(ModelRefused):
            checked(file)


@given(
    program=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_makes_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, program: Any) -> None:
    """Any program is let through with the words and numbers that it has, or refused."""
    file = tmp_path_factory.getbasetemp() / f"json-{os.getpid()}.pt2"
    write(file, program=program)
    try:
        checked(file)
    except ModelRefused:
        return
    assert isinstance(program, dict)
