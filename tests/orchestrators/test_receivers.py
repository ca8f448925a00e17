"""Whom the receivers refuse, and what they leave alone: anybody may post to an address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.domain.incident import Outcome

from tests.orchestrators import processes, told
from tests.orchestrators import world as team
from tests.orchestrators.airflow_for_tests import Airflow
from tests.orchestrators.prefect_for_tests import Prefect
from tests.orchestrators.world import MODEL

pytestmark = pytest.mark.xdist_group("orchestrators")
_NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module", params=["airflow", "prefect"])
def address(
    request: pytest.FixtureRequest,
    released: Path,
    tmp_path_factory: pytest.TempPathFactory,
    airflow: Airflow,
    prefect: Prefect,
) -> Iterator[str]:
    """Of a receiver whose orchestrator answers nobody: whatever would be started is told by 503."""
    name: str = request.param
    checkout = team.copy_of(released, tmp_path_factory.mktemp(name) / "world")
    team.slipway(checkout, "flow", name, MODEL, "--receiver")
    secret = {"SLIPWAY_WEBHOOK_SECRET": told.SECRET}
    asked = {
        "airflow": (airflow.python, {**airflow.variables(checkout), **secret, "AIRFLOW_URL": _NOBODY}),
        "prefect": (prefect.python, prefect.variables(PREFECT_API_URL=f"{_NOBODY}/api", **secret)),
    }
    python, variables = asked[name]
    log = checkout.parent / "receiver.log"
    with processes.receiver(python, f"{name}_flight_late", checkout=checkout, variables=variables, log=log) as url:
        yield url


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"key": b"somebody else's thirty-two bytes"}, id="another secret"),
        pytest.param({"age": 600}, id="ten minutes old"),
        pytest.param({"age": -600}, id="of the future"),
        pytest.param({"webhook-signature": ""}, id="unsigned"),
        pytest.param({"webhook-signature": "v1"}, id="no signature"),
        pytest.param({"webhook-signature": "v1,%%%"}, id="no base64"),
        pytest.param({"webhook-timestamp": "yesterday"}, id="no time"),
        pytest.param({"webhook-id": "msg_2"}, id="under another name"),
    ],
)
def test_what_is_not_signed_just_now_by_who_has_the_secret_is_refused(address: str, how: dict[str, object]) -> None:
    """Anybody could train a model otherwise, or make a message of last year count again."""
    assert told.post(address, told.message(), **how) == 401  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(told.message(model="another-model"), id="another model"),
        pytest.param(told.message(outcome=Outcome.WATCH), id="drift that is watched"),
        pytest.param(told.message(outcome=Outcome.REVERT), id="a way back"),
        pytest.param(told.message(action="closed"), id="over"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"type": "incident.opened", "data": null}', id="no data"),
    ],
)
def test_what_is_no_retraining_of_this_model_starts_nothing(address: str, body: bytes) -> None:
    """It is taken, so that Slipway does not post it again."""
    assert told.post(address, body) == 204


def test_what_is_no_json_and_what_has_no_end_is_refused(address: str) -> None:
    """Signed or not, it fills no memory, and prints no traceback to who posts it."""
    assert told.post(address, b"{") == 401
    assert told.post(address, b" " * (2 << 20)) == 413


def test_what_could_not_be_started_is_not_taken(address: str) -> None:
    """Slipway posts it again, by its next run."""
    assert told.post(address, told.message()) == 503
