"""What a library of a store raises, as a person is told it."""

from __future__ import annotations

import errno

import pytest
from slipway.adapters.sources.failures import in_our_words
from slipway.errors import SourceRefused


@pytest.mark.parametrize("failure", [NotADirectoryError(errno.ENOTDIR, "x"), FileExistsError(errno.EEXIST, "x")])
def test_a_file_that_is_a_folder_as_well_does_not_go_away_by_waiting(failure: Exception) -> None:
    """A bucket may hold `a` and `a/b`, and no folder can: who runs it again later waits in vain."""
    told = in_our_words(failure, address="s3://bucket/fraud")

    assert isinstance(told, SourceRefused)
    assert "whose name is another one's folder" in told.problem
