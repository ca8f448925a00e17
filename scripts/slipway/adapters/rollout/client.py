"""A client of the Open Inference Protocol v2: numpy columns out, numpy columns back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import orjson

from slipway.adapters.rollout import Batch, Live
from slipway.errors import ServerRefused, Unreachable

ROWS_A_REQUEST = 10_000
_SECONDS = 60.0
_NOBODY_THERE = (502, 503, 504)  # of what stands before a server, or of one that leaves or has no room
_DATATYPES = {"float32": "FP32", "float64": "FP64", "int32": "INT32", "int64": "INT64", "bool": "BOOL"}
_NUMPY = {name: np.dtype(numpy) for numpy, name in _DATATYPES.items()}
Times = Sequence[np.datetime64] | npt.NDArray[np.datetime64]


def ask(live: Live, batch: Batch, *, request_id: str | None = None, times: Times | None = None) -> Batch:
    """See `Rollout.ask`; NaN travels as `null`, both ways."""
    rows = len(next(iter(batch.values())))
    stated = request_id or uuid.uuid4().hex
    answers = []
    with httpx.Client(base_url=live.url, timeout=_SECONDS) as client:
        for number, start in enumerate(range(0, rows, ROWS_A_REQUEST)):
            some = slice(start, start + ROWS_A_REQUEST)
            body = _body(
                {name: column[some] for name, column in batch.items()},
                request_id=stated if rows <= ROWS_A_REQUEST else f"{stated}.{number}",
                times=None if times is None else times[some],
            )
            answers.append(_answer(_post(client, live, body)))
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def _body(batch: Batch, *, request_id: str, times: Times | None) -> bytes:
    request: dict[str, Any] = {
        "id": request_id,
        "inputs": [_tensor(name, column) for name, column in batch.items()],
    }
    if times is not None:
        moments = np.asarray(times, dtype="datetime64[us]")
        request["parameters"] = {"times": np.datetime_as_string(moments, timezone="UTC").tolist()}
    return orjson.dumps(request, option=orjson.OPT_SERIALIZE_NUMPY)


def _tensor(name: str, column: npt.NDArray[Any]) -> dict[str, Any]:
    strings = column.dtype.kind in "OU"
    return {
        "name": name,
        "datatype": "BYTES" if strings else _DATATYPES[column.dtype.name],
        "shape": list(column.shape),
        "data": column.ravel().tolist() if strings else np.ascontiguousarray(column).ravel(),
    }


def _post(client: httpx.Client, live: Live, body: bytes) -> Any:
    path = f"/v2/models/{live.model}/infer"
    try:
        response = client.post(path, content=body, headers={"content-type": "application/json"})
    except httpx.TransportError as failure:
        raise Unreachable(
            f"{live.model} does not answer at {live.url}: {failure or type(failure).__name__}",
            mend=f"roll {live.model} {live.version} out to {live.environment} again",
        ) from failure
    if response.status_code in _NOBODY_THERE:
        raise Unreachable(
            f"{live.model} does not answer at {live.url}: {response.status_code}",
            mend=f"roll {live.model} {live.version} out to {live.environment} again",
        )
    if response.status_code != httpx.codes.OK:
        raise ServerRefused(
            f"{live.model} {live.version} answered {response.status_code}: {response.text[:500]}",
            mend="the answer names the field to mend",
        )
    return orjson.loads(response.content)


def _answer(body: Any) -> Batch:
    return {output["name"]: _column(output) for output in body["outputs"]}


def _column(output: dict[str, Any]) -> npt.NDArray[Any]:
    dtype = _NUMPY.get(output["datatype"], np.dtype(object))
    return np.array(output["data"], dtype=dtype).reshape(output["shape"])
