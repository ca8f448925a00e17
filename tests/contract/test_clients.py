"""Clients that nobody here wrote, against a real server: what they take for the protocol is the protocol."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.conftest import Outcomes

BOTH = {
    "questions",
    "binary both ways",
    "JSON both ways",
    "binary in",
    "binary out",
    "gzip both ways",
    "another model",
}
ONLY = {
    "triton": {"a version", "deflate both ways", "no wish", "some outputs", "a wrong shape", "another version"},
    "kserve_rest": {"no inputs", "inputs that are no list"},
}


@pytest.mark.xdist_group("contract")
@pytest.mark.parametrize("client", ONLY)
def test_a_client_of_theirs_gets_every_answer(
    ask_with: Callable[[str], Outcomes], client: str, subtests: pytest.Subtests
) -> None:
    """Whoever moves here from another server changes an address, and nothing else."""
    outcomes = ask_with(client)

    assert set(outcomes) == BOTH | ONLY[client]
    for name, failure in outcomes.items():
        with subtests.test(name):
            assert failure is None, failure
