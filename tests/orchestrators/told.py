"""What Slipway's incident webhook posts, signed as it signs."""

from __future__ import annotations

import base64
import time
from datetime import date
from typing import Any

import httpx
from slipway.adapters.webhook import signed
from slipway.domain.delivery import IncidentEvent, IncidentMessage
from slipway.domain.incident import Outcome

from tests.orchestrators.world import MODEL

_KEY = b"thirty-two bytes for these tests"
SECRET = f"whsec_{base64.b64encode(_KEY).decode()}"


def message(
    *,
    model: str = MODEL,
    outcome: Outcome = Outcome.RETRAIN,
    action: str = "opened",
    incident: str = "2026-04-14-metric",
) -> bytes:
    data = IncidentEvent(
        model=model,
        environment="production",
        version="v1.0.0",
        incident=incident,
        outcome=outcome,
        title=f"{model}, production: train it again",
        since=date(2026, 4, 8),
        until=date(2026, 4, 14),
        rows=4000,
        labelled=3000,
        back_to=None,
        issue=7,
        links={},
        findings=(),
    )
    told = IncidentMessage(type=f"incident.{action}", timestamp="2026-04-15T06:00:00+00:00", data=data)
    return told.model_dump_json().encode()


def post(url: str, body: bytes, *, event: str = "msg_1", key: bytes = _KEY, age: int = 0, **headers: Any) -> int:
    """The status that a receiver answers; `age` in seconds."""
    signature = signed(body, event=event, at=int(time.time()) - age, key=key)
    return httpx.post(url, content=body, headers={**signature, **headers}, timeout=60.0).status_code
