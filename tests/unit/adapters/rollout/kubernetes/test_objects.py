"""What an apiserver answers is read as it comes; what is no answer of one is told as that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.rollout.kubernetes import objects
from slipway.adapters.rollout.kubernetes.objects import Deployment, Node, Pod, Selector
from slipway.errors import Unreachable

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "kind", "metadata", "spec", "status", "name", "conditions", "ownerReferences"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_an_answer_is_read_or_refused_and_never_a_crash(answer: Any) -> None:
    """A proxy that wants a login answers in JSON, too."""
    for kind in (Deployment, Pod, Node):
        try:
            objects.read(answer, kind)
            objects.of_kind(answer, kind.__name__, kind)
        except Unreachable as refused:
            assert "is no" in refused.problem  # most answers are refused, some are not


def test_null_is_as_good_as_nothing() -> None:
    """Programs in Go write an empty list as null."""
    told = {"metadata": {"name": "a", "ownerReferences": None}, "status": {"conditions": None, "phase": None}}
    assert objects.read(told, Pod) == objects.read({"metadata": {"name": "a"}}, Pod)


def test_what_is_missing_has_the_default_of_the_api() -> None:
    """An apiserver leaves out what is nothing."""
    found = objects.read({}, Deployment)
    assert (found.spec.replicas, found.status.available_replicas) == (1, 0)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, "a in (1,2)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, "a notin (1)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, "a=1,!b"),
    ],
)
def test_a_selector_is_written_as_kubectl_takes_it(told: dict[str, Any], words: str) -> None:
    """Labels are the team's to edit."""
    assert str(objects.read(told, Selector)) == words
