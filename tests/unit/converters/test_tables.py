"""Look-up tables in one order, where the order has no meaning."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from slipway.converters.tables import in_order


def _mapper(words: list[str], numbers: list[int]) -> list[AttributeProto]:
    return [helper.make_attribute("cats_strings", words), helper.make_attribute("cats_int64s", numbers)]


def _pairs(attributes: list[AttributeProto]) -> list[tuple[str, int]]:
    by_name = {attribute.name: attribute for attribute in attributes}
    words = [word.decode() for word in by_name["cats_strings"].strings]
    return list(zip(words, by_name["cats_int64s"].ints, strict=True))


def test_pairs_are_sorted_and_stay_pairs() -> None:
    """TensorFlow exports a hash table in the order of its hashes."""
    assert _pairs(in_order("CategoryMapper", _mapper(["b", "c", "a"], [2, 3, 1]), reads=None)) == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]


def test_several_words_of_one_number_are_sorted_when_words_are_looked_up() -> None:
    """Old codes of an airline that map to its new one are a usual table."""
    attributes = in_order("CategoryMapper", _mapper(["b", "a"], [1, 1]), reads=TensorProto.STRING)

    assert _pairs(attributes) == [("a", 1), ("b", 1)]


@pytest.mark.parametrize("reads", [None, TensorProto.INT64])
def test_a_number_that_stands_twice_keeps_its_order_when_numbers_may_be_looked_up(reads: int | None) -> None:
    """Which of the two words is answered depends on the order."""
    attributes = in_order("CategoryMapper", _mapper(["b", "a"], [1, 1]), reads=reads)

    assert _pairs(attributes) == [("b", 1), ("a", 1)]


def test_label_encoders_with_lists_and_with_tensors_are_sorted() -> None:
    """skl2onnx writes lists, newer opsets tensors."""
    lists = [helper.make_attribute("keys_int64s", [2, 1]), helper.make_attribute("values_floats", [0.2, 0.1])]
    words = TensorProto(data_type=TensorProto.STRING, dims=[2], string_data=[b"b", b"a"])
    numbers = numpy_helper.from_array(np.array([2, 1]))
    tensors = [helper.make_attribute("keys_tensor", words), helper.make_attribute("values_tensor", numbers)]

    keys, values = in_order("LabelEncoder", lists, reads=None)
    key_tensor, value_tensor = in_order("LabelEncoder", tensors, reads=None)

    assert list(keys.ints) == [1, 2]
    assert list(values.floats) == pytest.approx([0.1, 0.2])
    assert list(key_tensor.t.string_data) == [b"a", b"b"]
    assert numpy_helper.to_array(value_tensor.t).tolist() == [1, 2]


def test_nan_as_a_key_leaves_the_order_alone() -> None:
    """NaN is smaller than nothing and larger than nothing: sorting it gives any order."""
    lists = [
        helper.make_attribute("keys_floats", [2.0, float("nan"), 1.0]),
        helper.make_attribute("values_int64s", [1, 2, 3]),
    ]

    assert list(in_order("LabelEncoder", lists, reads=None)[1].ints) == [1, 2, 3]


def test_other_nodes_are_left_alone() -> None:
    """Lists of numbers in other nodes, such as the axes of a transpose, have an order that counts."""
    axes = [helper.make_attribute("perm", [1, 0])]

    assert in_order("Transpose", axes, reads=None) == axes
