"""Prometheus' Pushgateway: it keeps what it was told until somebody says otherwise, also when nobody comes again."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import httpx
from prometheus_client import CONTENT_TYPE_LATEST

from slipway.errors import PushRefused, Unreachable

JOB = "slipway-watch"
_SECONDS = 10.0
_ADDRESS = "give --push-to the address of a Pushgateway, without /metrics, such as http://127.0.0.1:9091"


def push(text: bytes, *, to: str, instance: str) -> None:
    """Put `text` in place of all that was told before under this job and `instance`.

    Raises:
        Unreachable: nothing answers at `to`.
        PushRefused: `to` is no address, or what answers does not take it.
    """
    name = urlsafe_b64encode(instance.encode()).decode()  # so that it may hold a slash
    url = f"{to.rstrip('/')}/metrics/job/{JOB}/instance@base64/{name}"
    try:
        answer = httpx.put(url, content=text, headers={"content-type": CONTENT_TYPE_LATEST}, timeout=_SECONDS)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as failure:
        raise PushRefused(f"{to} is no address: {failure}", mend=_ADDRESS) from failure
    except httpx.TransportError as failure:
        raise Unreachable(
            f"the Pushgateway does not answer at {to}: {failure or type(failure).__name__}",
            mend="run the command again where it can be reached; --out writes a file for node_exporter instead",
        ) from failure
    if not answer.is_success:
        raise PushRefused(
            f"{to} answered {answer.status_code}: {answer.text[:500]}",
            mend=_ADDRESS,
        )
