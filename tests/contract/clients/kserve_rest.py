"""KServe's own client for REST. Runs in the environment of requirements/contract.txt."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from tests.contract.clients import rows

URL = f"http://{sys.argv[1]}"
METADATA = httpx.get(f"{URL}/v2/models/{rows.MODEL}").json()
ARRAYS = {entry["name"]: rows.of(entry["datatype"], entry["shape"]) for entry in METADATA["inputs"]}


def run(check: Callable[[InferenceRESTClient], Awaitable[None]]) -> None:
    async def with_client() -> None:
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            await check(client)

    asyncio.run(with_client())


def request(*, sent: bool, came: bool) -> InferRequest:
    inputs = []
    for entry in METADATA["inputs"]:
        array = ARRAYS[entry["name"]]
        tensor = InferInput(entry["name"], list(array.shape), entry["datatype"])
        tensor.set_data_from_numpy(array, binary_data=sent or entry["datatype"] == "FP16")  # it has no JSON for FP16
        inputs.append(tensor)
    outputs = [RequestedOutput(f"{name}_", {"binary_data": came or name == "FP16"}) for name in ARRAYS]
    return InferRequest(rows.MODEL, inputs, request_id="an id of ours", request_outputs=outputs)


async def every_datatype(client: InferenceRESTClient, *, sent: bool, came: bool) -> None:
    """All inputs at once, in binary form or JSON, each answered as it came."""
    answer = await client.infer(URL, request(sent=sent, came=came), model_name=rows.MODEL)
    assert answer.id == "an id of ours"
    for name, array in ARRAYS.items():
        rows.same(array, answer.get_output_by_name(f"{name}_").as_numpy())


async def packed(client: InferenceRESTClient) -> None:
    """Its client packs nothing by itself, so the body is packed by hand; what comes back, httpx unpacks."""
    body: Any
    body, length = request(sent=True, came=True).to_rest()
    headers = {"inference-header-content-length": str(length), "content-encoding": "gzip"}
    came = await client._client.post(
        f"{URL}/v2/models/{rows.MODEL}/infer", content=gzip.compress(body), headers=headers
    )
    assert came.status_code == 200, came.text
    assert came.headers["content-encoding"] == "gzip"
    announced = json.loads(came.content[: int(came.headers["inference-header-content-length"])])
    sizes = [output["parameters"]["binary_data_size"] for output in announced["outputs"]]
    assert len(came.content) == int(came.headers["inference-header-content-length"]) + sum(sizes)


async def questions(client: InferenceRESTClient) -> None:
    assert await client.is_server_live(URL)
    assert await client.is_server_ready(URL)
    assert await client.is_model_ready(URL, rows.MODEL)
    assert not await client.is_model_ready(URL, "another")


async def refused(client: InferenceRESTClient, *, status: int, model: str, fields: dict[str, Any]) -> None:
    try:
        await client.infer(URL, {"inputs": [], **fields}, model_name=model)
    except httpx.HTTPStatusError as failure:
        assert failure.response.status_code == status, failure
        assert failure.response.json()["error"], failure
    else:
        raise AssertionError("it was answered")


CHECKS: dict[str, Callable[[InferenceRESTClient], Awaitable[None]]] = {
    "questions": questions,
    "binary both ways": partial(every_datatype, sent=True, came=True),
    "JSON both ways": partial(every_datatype, sent=False, came=False),
    "binary in": partial(every_datatype, sent=True, came=False),
    "binary out": partial(every_datatype, sent=False, came=True),
    "gzip both ways": packed,
    "no inputs": partial(refused, status=400, model=rows.MODEL, fields={}),
    "inputs that are no list": partial(refused, status=400, model=rows.MODEL, fields={"inputs": 5}),
    "another model": partial(refused, status=404, model="another", fields={}),
}
rows.report({name: partial(run, check) for name, check in CHECKS.items()})
