"""What a repository answers once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from slipway.domain.settings import Environment, Settings


def test_users_are_in_the_last_environment() -> None:
    """A way back is rehearsed there, and the watch looks there."""
    settings = Settings(
        image_registry="layout:images", environments=(Environment(name="staging"), Environment(name="production"))
    )

    assert settings.production == "production"


@pytest.mark.parametrize("name", ["Production", "v1", "v2-canary", "a/b", "", "a_b"])
def test_an_environment_can_be_told_from_a_version(name: str) -> None:
    """Both are folders below the model in the ledger."""
    with pytest.raises(ValidationError, match="must not look like a version"):
        Environment(name=name)


def test_environments_differ() -> None:
    """Two of one name would be one folder."""
    with pytest.raises(ValidationError, match="each once"):
        Settings(image_registry="layout:images", environments=(Environment(name="a"), Environment(name="a")))
    with pytest.raises(ValidationError, match="at least one"):
        Settings(image_registry="layout:images", environments=())
