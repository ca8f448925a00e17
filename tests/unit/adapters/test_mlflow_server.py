"""Which server is asked, by the variable that a person set."""

from __future__ import annotations

import pytest
from slipway.adapters import mlflow_server
from slipway.errors import TrackingServerRefused


@pytest.mark.parametrize(
    "address", ["", "mlflow.example", "file:///mlruns", "http://", "http://[::1", "http://a:b@host"]
)
def test_what_is_no_address_of_a_server_is_refused_with_how_it_is_written(address: str) -> None:
    """A variable is set by hand, and half an address must not look like a defect."""
    with pytest.raises(TrackingServerRefused) as refused:
        mlflow_server.host_of({mlflow_server.ADDRESS: address})

    assert "https://HOST" in refused.value.mend


def test_of_an_address_the_host_is_told() -> None:
    """Its port says nobody anything, and is not compared."""
    assert mlflow_server.host_of({mlflow_server.ADDRESS: "https://mlflow.example:8443/base"}) == "mlflow.example"
