"""What a client would notice between two versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.signature import DataType, Signature, Tensor

_BILL = Tensor(name="bill", dtype=DataType.FLOAT32)
_KITCHEN = Tensor(name="kitchen", dtype=DataType.STRING)
_SCORE = Tensor(name="score", dtype=DataType.FLOAT32)
_TENSORS = st.builds(
    Tensor,
    name=st.sampled_from("abcd"),
    dtype=st.sampled_from(DataType),
    shape=st.sampled_from([(1,), (3,), (2, 2)]),
)
_SIGNATURES = st.builds(
    Signature,
    inputs=st.lists(_TENSORS, max_size=3, unique_by=lambda one: one.name).map(tuple),
    outputs=st.lists(_TENSORS, max_size=2, unique_by=lambda one: one.name).map(tuple),
)


def signature(*inputs: Tensor, outputs: tuple[Tensor, ...] = (_SCORE,)) -> Signature:
    return Signature(inputs=inputs, outputs=outputs)


def test_a_new_input_is_told_with_its_type() -> None:
    """A client must know what to send."""
    assert signature(_BILL).changes_to(signature(_BILL, _KITCHEN)) == ("input `kitchen` (string) is new",)


def test_an_input_that_is_gone_is_told() -> None:
    """Clients may go on sending it in vain."""
    assert signature(_BILL, _KITCHEN).changes_to(signature(_BILL)) == ("input `kitchen` (string) is gone",)


def test_another_type_or_width_is_told_from_and_to() -> None:
    """Both fail at the client's side."""
    as_text = Tensor(name="bill", dtype=DataType.STRING)
    wide = Tensor(name="score", dtype=DataType.FLOAT32, shape=(3,))

    changes = signature(_BILL).changes_to(signature(as_text, outputs=(wide,)))

    assert changes == (
        "input `bill` (float32) is now `bill` (string)",
        "output `score` (float32) is now `score` (float32[3])",
    )


def test_another_order_is_no_change() -> None:
    """Clients name what they send."""
    assert signature(_BILL, _KITCHEN).changes_to(signature(_KITCHEN, _BILL)) == ()


@given(one=_SIGNATURES, other=_SIGNATURES)
def test_there_is_a_sentence_for_each_difference_and_only_then(one: Signature, other: Signature) -> None:
    """The promise of a minor version rests on it."""

    def meaning(of: Signature) -> set[tuple[str, Tensor]]:
        return {*(("input", tensor) for tensor in of.inputs), *(("output", tensor) for tensor in of.outputs)}

    assert (one.changes_to(other) == ()) is (meaning(one) == meaning(other))
