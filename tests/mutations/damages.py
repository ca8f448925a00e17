"""What goes wrong when a model is converted, done to an ONNX file that was converted well.

A damage changes the model in place and says whether there was anything to damage. None of them raises an error in
onnx or onnxruntime: that is what makes them dangerous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from slipway.domain.rows import Batch

Array = npt.NDArray[Any]
Damage = Callable[[ModelProto, Batch], bool]

_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_LINEAR = ("LinearClassifier", "LinearRegressor")
_EPSILON_OF_KERAS = 1e-3
_LEAF_WEIGHTS = ("class_weights", "target_weights")


# --- reading and writing parts of a model --------------------------------------------------------------------


def _nodes(model: ModelProto, *operators: str) -> list[NodeProto]:
    return [node for node in model.graph.node if node.op_type in operators]


def _attribute(node: NodeProto, name: str) -> AttributeProto | None:
    return next((one for one in node.attribute if one.name == name), None)


def _lists(model: ModelProto, operators: Sequence[str], names: Sequence[str]) -> Iterator[Any]:
    """The lists of floats that these operators keep under these names."""
    for node in _nodes(model, *operators):
        for attribute in node.attribute:
            if attribute.name in names and len(attribute.floats):
                yield attribute.floats


def _constant(model: ModelProto, name: str) -> TensorProto | None:
    return next((tensor for tensor in model.graph.initializer if tensor.name == name), None)


def _set(tensor: TensorProto, values: Array) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name=tensor.name))


def _weights(model: ModelProto) -> list[TensorProto]:
    """Matrices and filters, which a layer multiplies by."""
    names = [node.input[1] for node in _nodes(model, "MatMul", "Gemm", "Conv")]
    found = [_constant(model, name) for name in names]
    return [tensor for tensor in found if tensor is not None and len(tensor.dims) >= 2]


def _constants(model: ModelProto, *types: int) -> list[TensorProto]:
    return [tensor for tensor in model.graph.initializer if tensor.data_type in types]


def _readers(model: ModelProto, name: str) -> list[NodeProto]:
    return [node for node in model.graph.node if name in node.input]


def _put_behind(model: ModelProto, name: str, *, make: Callable[[str, str], Sequence[NodeProto]]) -> None:
    """Let all that reads `name` read what `make(name, new name)` computes from it."""
    changed = f"{name}/damaged"
    for node in _readers(model, name):
        node.input[:] = [changed if one == name else one for one in node.input]
    nodes = [*make(name, changed)]
    place = next((index + 1 for index, node in enumerate(model.graph.node) if name in node.output), 0)
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*rest[:place], *nodes, *rest[place:]])


def _add_constant(model: ModelProto, name: str, values: Array) -> str:
    model.graph.initializer.append(numpy_helper.from_array(values, name=name))
    return name


def _by_pass(model: ModelProto, node: NodeProto) -> None:
    for reader in _readers(model, node.output[0]):
        reader.input[:] = [node.input[0] if one == node.output[0] else one for one in reader.input]


def _change(values: Any, changed: Sequence[Any]) -> bool:
    """Write into a repeated field, and say whether that changed anything."""
    before = list(values)
    values[:] = changed
    return list(values) != before


def _each(changes: Iterator[bool] | Sequence[bool]) -> bool:
    """Whether any changed; all are done."""
    return any(list(changes))


# --- columns ---------------------------------------------------------------------------------------------------


def swap_two_columns(model: ModelProto, samples: Batch) -> bool:
    """The two that differ most in their sample values, of one type."""
    return _reorder_columns(model, samples, lambda order: [order[1], order[0], *order[2:]])


def rotate_the_columns(model: ModelProto, samples: Batch) -> bool:
    """The order of the training is lost: each column gets its neighbour's values."""
    return _reorder_columns(model, samples, lambda order: [*order[1:], order[0]])


def _reorder_columns(model: ModelProto, samples: Batch, reorder: Callable[[list[Any]], list[Any]]) -> bool:
    same = [name for name, column in samples.items() if column.dtype.kind == "f" and column.shape[1:] == (1,)]
    if len(same) >= 2:
        other = dict(zip(same, reorder(same), strict=True))
        for node in model.graph.node:
            node.input[:] = [other.get(name, name) for name in node.input]
        return True
    wide = next((name for name, column in samples.items() if column.ndim == 2 and column.shape[1] > 1), None)
    if wide is None:
        return False
    order = _add_constant(model, "damage/order", np.array(reorder(list(range(samples[wide].shape[1]))), np.int64))
    _put_behind(model, wide, make=lambda old, new: [helper.make_node("Gather", [old, order], [new], axis=1)])
    return True


def read_inputs_in_half_precision(model: ModelProto, samples: Batch) -> bool:
    return _cast_inputs(model, samples, through=TensorProto.FLOAT16)


def cut_off_the_fractions_of_inputs(model: ModelProto, samples: Batch) -> bool:
    """A column that was declared as whole numbers by mistake."""
    return _cast_inputs(model, samples, through=TensorProto.INT64)


def _cast_inputs(model: ModelProto, samples: Batch, *, through: int) -> bool:
    floats = [name for name, column in samples.items() if column.dtype.kind == "f"]
    for name in floats:
        back = TensorProto.FLOAT if samples[name].dtype == np.float32 else TensorProto.DOUBLE
        _put_behind(
            model,
            name,
            make=lambda old, new, back=back: [  # type: ignore[misc]  # bound now
                helper.make_node("Cast", [old], [f"{new}/through"], to=through),
                helper.make_node("Cast", [f"{new}/through"], [new], to=back),
            ],
        )
    return bool(floats)


def clip_whole_numbers(model: ModelProto, samples: Batch) -> bool:
    """A table that was cut: the largest id becomes the one below it."""
    whole = [name for name, column in samples.items() if column.dtype.kind == "i"]
    for name in whole:
        dtype = samples[name].dtype
        least = _add_constant(model, f"{name}/least", np.array(samples[name].min(), dtype))
        most = _add_constant(model, f"{name}/most", np.array(samples[name].max() - 1, dtype))
        _put_behind(
            model,
            name,
            make=lambda old, new, least=least, most=most: [helper.make_node("Clip", [old, least, most], [new])],  # type: ignore[misc]  # bound now
        )
    return bool(whole)


# --- scaling and normalisation -----------------------------------------------------------------------------------


def _scaling(model: ModelProto) -> list[NodeProto]:
    """Sub and Div (or Mul and Add) by a constant a column, in front of the model."""
    return [
        node
        for node in _nodes(model, "Sub", "Div", "Mul", "Add")
        if (tensor := _constant(model, node.input[1])) is not None and np.prod(tensor.dims) > 1
    ]


def drop_the_scaler(model: ModelProto, samples: Batch) -> bool:
    found = _scaling(model)[:2]
    for node in found:
        _by_pass(model, node)
    return bool(found)


def drop_the_mean_of_the_scaler(model: ModelProto, samples: Batch) -> bool:
    found = [node for node in _scaling(model) if node.op_type == "Sub"][:1]
    for node in found:
        _by_pass(model, node)
    return bool(found)


def scale_in_float32(model: ModelProto, samples: Batch) -> bool:
    """What the source computes in float64, constants included."""
    doubles = _constants(model, TensorProto.DOUBLE)
    for tensor in doubles:
        _set(tensor, numpy_helper.to_array(tensor).astype(np.float32))
    for node in _nodes(model, "Cast"):
        to = _attribute(node, "to")
        if doubles and to is not None and to.i == TensorProto.DOUBLE:
            to.i = TensorProto.FLOAT
    return bool(doubles)


def truncate_float64_constants(model: ModelProto, samples: Batch) -> bool:
    """To the digits of float32, while the computation stays in float64."""
    return _each(
        [
            _round(tensor, lambda values: values.astype(np.float32).astype(np.float64))
            for tensor in _constants(model, TensorProto.DOUBLE)
        ]
    )


def _with_epsilon(model: ModelProto, epsilon: float) -> bool:
    for node in _nodes(model, "BatchNormalization"):
        attribute = _attribute(node, "epsilon")
        if attribute is not None:
            attribute.f = epsilon
    folded = list(_folded_normalisations(model))
    for factor, shift in folded:
        factors, shifts = numpy_helper.to_array(factor), numpy_helper.to_array(shift)
        changed = (1 / np.sqrt(1 / factors.astype(np.float64) ** 2 - _EPSILON_OF_KERAS + epsilon)).astype(np.float32)
        _set(factor, changed)
        _set(shift, shifts * (changed / factors))
    return bool(folded or _nodes(model, "BatchNormalization"))


def _folded_normalisations(model: ModelProto) -> Iterator[tuple[TensorProto, TensorProto]]:
    """tf2onnx writes one without learned weights as x * (1 / sqrt(variance + epsilon)) + (-mean / sqrt(...))."""
    multiplied = {node.output[0]: node.input[1] for node in _nodes(model, "Mul")}
    for node in _nodes(model, "Add"):
        pair = [_constant(model, multiplied.get(node.input[0], "")), _constant(model, node.input[1])]
        factor, shift = pair
        if factor is not None and shift is not None and np.prod(factor.dims) > 1 and factor.dims == shift.dims:
            yield factor, shift


def normalise_with_epsilon_of_1e_5(model: ModelProto, samples: Batch) -> bool:
    """PyTorch's default in place of Keras's 1e-3."""
    return _with_epsilon(model, 1e-5)


def normalise_with_epsilon_of_9e_4(model: ModelProto, samples: Batch) -> bool:
    return _with_epsilon(model, 9e-4)


# --- weights -----------------------------------------------------------------------------------------------------


def _round(tensor: TensorProto, rounding: Callable[[Array], Array]) -> bool:
    before = numpy_helper.to_array(tensor)
    after = rounding(before).astype(before.dtype)
    _set(tensor, after)
    return not np.array_equal(before, after)


def _round_all(model: ModelProto, rounding: Callable[[Array], Array]) -> bool:
    """All that a model learned but the splits of its trees, which are damaged by themselves."""
    changed = [_round(tensor, rounding) for tensor in _constants(model, TensorProto.FLOAT, TensorProto.DOUBLE)]
    names = ("coefficients", "intercepts", "base_values", *_LEAF_WEIGHTS)
    changed += [
        _change(values, rounding(np.array(values, np.float32)).astype(np.float32).tolist())
        for values in _lists(model, (*_TREES, *_LINEAR), names)
    ]
    return any(changed)


def keep_weights_in_half_precision(model: ModelProto, samples: Batch) -> bool:
    return _round_all(model, lambda values: np.clip(values, -65504, 65504).astype(np.float16))


def keep_four_digits_of_weights(model: ModelProto, samples: Batch) -> bool:
    """Constants that went through a text."""
    return _round_all(model, np.vectorize(lambda one: float(f"{one:.4g}")))


def _one_weight(model: ModelProto, change: Callable[[float], float]) -> bool:
    """The largest of the last layer, of a linear model or of the leaves of trees."""
    lists = list(_lists(model, (*_TREES, *_LINEAR), ("coefficients", *_LEAF_WEIGHTS)))
    for values in lists[:1]:
        place = int(np.abs(np.array(values)).argmax())
        values[place] = change(values[place])
    weights = _weights(model)
    if lists or not weights:
        return bool(lists)
    changed = numpy_helper.to_array(weights[-1]).copy()
    place = int(np.abs(changed).argmax())
    changed.flat[place] = change(float(changed.flat[place]))
    _set(weights[-1], changed)
    return True


def flip_the_sign_of_one_weight(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: -weight)


def lose_one_weight(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: 0.0)


def move_one_weight_by_a_hundredth(model: ModelProto, samples: Batch) -> bool:
    return _one_weight(model, lambda weight: weight * 1.01)


def transpose_the_weights(model: ModelProto, samples: Batch) -> bool:
    """Read in the other order, as row-major where it was column-major."""
    changed = [_round(tensor, lambda values: values.ravel("F").reshape(values.shape)) for tensor in _weights(model)]
    for node in _nodes(model, "LinearClassifier"):
        coefficients, classes = _attribute(node, "coefficients"), _attribute(node, "intercepts")
        if coefficients is not None and classes is not None:
            values = np.array(coefficients.floats).reshape(len(classes.floats), -1)
            changed.append(_change(coefficients.floats, values.ravel("F").tolist()))
    return any(changed)


def drop_the_bias(model: ModelProto, samples: Batch) -> bool:
    changed = [
        _change(values, [0.0] * len(values))
        for values in _lists(model, (*_TREES, *_LINEAR), ("intercepts", "base_values"))
    ]
    biases = [node.input[2] for node in _nodes(model, "Gemm", "Conv") if len(node.input) > 2]
    behind = {node.output[0] for node in _nodes(model, "MatMul")}
    biases += [node.input[1] for node in _nodes(model, "Add") if node.input[0] in behind]
    found = [tensor for name in biases if (tensor := _constant(model, name)) is not None]
    return any([*changed, *(_round(tensor, np.zeros_like) for tensor in found)])


# --- categories ----------------------------------------------------------------------------------------------------


def _tables(model: ModelProto) -> Iterator[tuple[NodeProto, Any, Any]]:
    """Each table of words: its node, the words and what it answers; a OneHotEncoder answers their places."""
    pairs = {
        "LabelEncoder": ("keys_strings", ("values_int64s", "values_floats")),
        "CategoryMapper": ("cats_strings", ("cats_int64s",)),
    }
    for node in model.graph.node:
        words, answers = pairs.get(node.op_type, ("cats_strings", ()))
        keys = _attribute(node, words)
        if keys is None or (node.op_type not in pairs and node.op_type != "OneHotEncoder"):
            continue
        values = [attribute for name in answers if (attribute := _attribute(node, name)) is not None]
        yield node, keys.strings, (values[0].ints or values[0].floats) if values else None


def _embeddings(model: ModelProto) -> list[TensorProto]:
    """Tables of weights that a whole number looks up."""
    names = [node.input[0] for node in _nodes(model, "Gather")]
    found = [_constant(model, name) for name in names]
    return [one for one in found if one is not None and one.data_type == TensorProto.FLOAT and len(one.dims) == 2]


def shift_all_categories_by_one(model: ModelProto, samples: Batch) -> bool:
    """A table of weights that begins at 1, or that has a place for the unknown in front."""
    changed = [_change(words, [*words[1:], words[0]]) for _, words, _ in _tables(model)][:1]
    if not changed:
        changed = [_round(table, lambda values: np.roll(values, 1, axis=0)) for table in _embeddings(model)][:1]
    return any(changed)


def confuse_the_rarest_category(model: ModelProto, samples: Batch) -> bool:
    """With its neighbour in the table, of the column whose rarest word is rarest in the samples."""
    counted = [
        (count, str(word), column)
        for column in samples.values()
        if column.dtype.kind == "O"
        for word, count in zip(*np.unique(column.astype(str), return_counts=True), strict=True)
    ]
    for _, word, _ in sorted(counted, key=lambda one: one[:2]):
        for _, words, _ in _tables(model):
            if word.encode() in words and len(words) > 1:
                place = list(words).index(word.encode())
                other = place - 1 if place else 1
                words[place], words[other] = words[other], words[place]
                return True
    return False


def answer_unknown_words_otherwise(model: ModelProto, samples: Batch) -> bool:
    """As the first known word."""
    changed = []
    for node, _, answers in _tables(model):
        default = _attribute(node, "default_int64") or _attribute(node, "default_float")
        if answers is None or default is None:
            continue
        first = answers[0]
        changed.append((default.i if default.name == "default_int64" else default.f) != first)
        default.CopyFrom(helper.make_attribute(default.name, first))
    return any(changed)


# --- trees -----------------------------------------------------------------------------------------------------------


def compare_with_less_for_less_or_equal(model: ModelProto, samples: Batch) -> bool:
    """Or the other way round, where the framework compares with `<`."""
    other = {b"BRANCH_LEQ": b"BRANCH_LT", b"BRANCH_LT": b"BRANCH_LEQ"}
    return _each(_change_lists(model, "nodes_modes", lambda modes: [other.get(mode, mode) for mode in modes]))


def _change_lists(model: ModelProto, name: str, change: Callable[[list[Any]], Sequence[Any]]) -> Iterator[bool]:
    for node in _nodes(model, *_TREES):
        attribute = _attribute(node, name)
        if attribute is not None:
            values = attribute.strings or attribute.ints or attribute.floats
            yield _change(values, change(list(values)))


def _move_thresholds(model: ModelProto, towards: float, *, only_first: bool = False) -> bool:
    def moved(values: list[float]) -> list[float]:
        stepped = np.nextafter(np.array(values, np.float32), np.float32(towards)).tolist()
        return [stepped[0], *values[1:]] if only_first else stepped

    return _each(_change_lists(model, "nodes_values", moved))


def move_all_thresholds_up_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, np.inf)


def move_all_thresholds_down_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, -np.inf)


def move_the_first_threshold_one_float(model: ModelProto, samples: Batch) -> bool:
    return _move_thresholds(model, np.inf, only_first=True)


def round_thresholds_to_four_digits(model: ModelProto, samples: Batch) -> bool:
    return _each(_change_lists(model, "nodes_values", lambda values: [float(f"{value:.4g}") for value in values]))


def send_missing_values_to_the_other_side(model: ModelProto, samples: Batch) -> bool:
    return _each(_change_lists(model, "nodes_missing_value_tracks_true", lambda flags: [1 - flag for flag in flags]))


def _lose_a_tree(model: ModelProto, choose: Callable[[list[int]], int]) -> bool:
    changed = []
    for node in _nodes(model, *_TREES):
        kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
        trees, weights = _attribute(node, f"{kind}_treeids"), _attribute(node, f"{kind}_weights")
        if trees is None or weights is None:
            continue
        lost = choose(list(trees.ints))
        kept = [0.0 if tree == lost else weight for tree, weight in zip(trees.ints, weights.floats, strict=True)]
        changed.append(_change(weights.floats, kept))
    return any(changed)


def lose_the_last_tree(model: ModelProto, samples: Batch) -> bool:
    return _lose_a_tree(model, max)


def lose_the_first_tree(model: ModelProto, samples: Batch) -> bool:
    return _lose_a_tree(model, min)


# --- what comes out ---------------------------------------------------------------------------------------------------


def replace_the_activation(model: ModelProto, samples: Batch) -> bool:
    """By one that looks alike: a sigmoid of three lines, a leaking ReLU, another transform of a tree's sum."""
    other = {b"LOGISTIC": b"PROBIT", b"SOFTMAX": b"SOFTMAX_ZERO", b"NONE": b"NONE"}
    changed = []
    for node in _nodes(model, *_TREES, *_LINEAR):
        attribute = _attribute(node, "post_transform")
        if attribute is not None:
            before, attribute.s = attribute.s, other[attribute.s]
            changed.append(before != attribute.s)
    for node in _nodes(model, "Sigmoid", "Relu"):
        node.op_type = {"Sigmoid": "HardSigmoid", "Relu": "LeakyRelu"}[node.op_type]
        changed.append(True)
    return any(changed)


def normalise_probabilities_along_the_rows(model: ModelProto, samples: Batch) -> bool:
    """A softmax over the wrong axis."""
    for node in _nodes(model, "Softmax"):
        node.ClearField("attribute")
        node.attribute.append(helper.make_attribute("axis", 0))
    return bool(_nodes(model, "Softmax"))


def swap_the_answers_columns(model: ModelProto, samples: Batch) -> bool:
    """The probability of no for that of yes, or two classes."""
    for node in _nodes(model, "Gather"):
        picked = _constant(model, node.input[1])
        if picked is not None and numpy_helper.to_array(picked).tolist() == [1]:
            _set(picked, np.array([0], np.int64))
            return True
    wide = next((info for info in model.graph.output if info.type.tensor_type.shape.dim[-1].dim_value > 1), None)
    if wide is None:
        return False
    width = wide.type.tensor_type.shape.dim[-1].dim_value
    order = _add_constant(model, "damage/answers", np.array([1, 0, *range(2, width)], np.int64))
    node = next(node for node in model.graph.node if wide.name in node.output)
    node.output[:] = [f"{wide.name}/right" if name == wide.name else name for name in node.output]
    model.graph.node.append(helper.make_node("Gather", [f"{wide.name}/right", order], [wide.name], axis=1))
    return True


_KINDS: tuple[Damage, ...] = (
    swap_two_columns,
    rotate_the_columns,
    read_inputs_in_half_precision,
    cut_off_the_fractions_of_inputs,
    clip_whole_numbers,
    drop_the_scaler,
    drop_the_mean_of_the_scaler,
    scale_in_float32,
    truncate_float64_constants,
    normalise_with_epsilon_of_1e_5,
    normalise_with_epsilon_of_9e_4,
    keep_weights_in_half_precision,
    keep_four_digits_of_weights,
    flip_the_sign_of_one_weight,
    lose_one_weight,
    move_one_weight_by_a_hundredth,
    transpose_the_weights,
    drop_the_bias,
    shift_all_categories_by_one,
    confuse_the_rarest_category,
    answer_unknown_words_otherwise,
    compare_with_less_for_less_or_equal,
    move_all_thresholds_up_one_float,
    move_all_thresholds_down_one_float,
    move_the_first_threshold_one_float,
    round_thresholds_to_four_digits,
    send_missing_values_to_the_other_side,
    lose_the_last_tree,
    lose_the_first_tree,
    replace_the_activation,
    normalise_probabilities_along_the_rows,
    swap_the_answers_columns,
)
DAMAGES: Mapping[str, Damage] = {damage.__name__.replace("_", " "): damage for damage in _KINDS}
