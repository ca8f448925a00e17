"""Names that a release would only find refused by the cluster, at the end of its way."""

from __future__ import annotations

import pytest
from slipway.domain.cluster_names import refused_model, refused_service


@pytest.mark.parametrize("model", ["a", "flight-delay", "a" * 56])
def test_a_name_of_up_to_56_characters_is_taken(model: str) -> None:
    """Its Service has seven more, and 63 are the most of a name in DNS."""
    assert refused_model(model) is None


def test_a_longer_one_is_refused_with_what_it_would_become() -> None:
    """The number that the reader counts is that of the Service."""
    refused = refused_model("a" * 57)
    assert refused == f"the Service would be called `{'a' * 57}-server`, 64 characters, and Kubernetes takes 63"


def test_one_that_begins_with_a_digit_is_refused() -> None:
    """A Service is named by the older rule of DNS, all else by the newer one."""
    assert "does not begin with a letter" in str(refused_model("3d-shapes"))


def test_prefix_and_suffix_of_a_manifest_count_together() -> None:
    """A team may call its servers otherwise."""
    assert refused_service("short-") is None
    assert "`my-server-" in str(refused_service("my-", f"-{'b' * 60}"))
