"""The Open Inference Protocol v2: the body of an `infer` request, read and answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from serving.errors import RequestRefused
from serving.inference import Model
from serving.tensors import Batch, decode, encode

_NO_BINARY = "binary tensors are not read by this server yet: send the values as JSON in `data`"


@dataclass(frozen=True, slots=True)
class Rules:
    """What this server takes, beside what the model takes."""

    most_rows: int = 50_000
    refuse_unknown_inputs: bool = False
    accept_event_time: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An `infer` request that the model can answer.

    `times` are microseconds since 1970 in UTC, one a row; None means "now".
    """

    id: str
    batch: Batch
    rows: int
    outputs: tuple[str, ...]
    unknown_inputs: int
    times: tuple[int, ...] | None


def read(body: bytes, *, model: Model, rules: Rules) -> Request:
    """Read the body of an `infer` request.

    Raises:
        RequestRefused: with a reason that names the field.
    """
    request = _json_object(body)
    tensors = _named(request.get("inputs"), where="inputs")
    if not tensors:
        raise RequestRefused("inputs is empty: the model takes " + ", ".join(model.inputs))
    unknown = [name for name in tensors if name not in model.inputs]
    if unknown and rules.refuse_unknown_inputs:
        raise RequestRefused(f"{tensors[unknown[0]][0]}: the model has no input `{unknown[0][:60]}`")
    batch = _batch(tensors, model=model, most_rows=rules.most_rows)
    rows = len(next(iter(batch.values())))
    return Request(
        id=_request_id(request.get("id")),
        batch=batch,
        rows=rows,
        outputs=_outputs(request.get("outputs"), model=model),
        unknown_inputs=len(unknown),
        times=_times(request.get("parameters"), rows=rows) if rules.accept_event_time else None,
    )


def write(request: Request, answer: Batch, *, model: Model) -> bytes:
    """Write the body of the answer; values that are not finite become `null`."""
    outputs = [encode(model.outputs[name], answer[name]) for name in request.outputs]
    body = {"model_name": model.name, "model_version": model.version, "id": request.id, "outputs": outputs}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as failure:
        raise RequestRefused(f"body: no JSON: {failure}") from None
    if not isinstance(request, dict):
        raise RequestRefused("body: must be a JSON object with `inputs`")
    return request


def _named(tensors: object, *, where: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Key a list of tensors by name, each with its place in the request."""
    if not isinstance(tensors, list):
        raise RequestRefused(f"{where} must be a list of tensors")
    named: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, tensor in enumerate(tensors):
        place = f"{where}[{number}]"
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str):
            raise RequestRefused(f"{place} must be an object with a `name`")
        if name in named:
            raise RequestRefused(f"{place}.name: `{name[:60]}` is there twice")
        _refuse_binary(tensor, place)
        named[name] = (place, tensor)
    return named


def _refuse_binary(tensor: dict[str, Any], place: str) -> None:
    parameters = tensor.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestRefused(f"{place}.parameters must be an object")
    for name in ("binary_data", "binary_data_size"):
        if parameters.get(name):
            raise RequestRefused(f"{place}.parameters.{name}: {_NO_BINARY}")


def _batch(tensors: dict[str, tuple[str, dict[str, Any]]], *, model: Model, most_rows: int) -> Batch:
    batch: Batch = {}
    rows: int | None = None
    for name, specification in model.inputs.items():
        if name not in tensors:
            raise RequestRefused(f"inputs: `{name}` is missing")
        place, tensor = tensors[name]
        _refuse_too_many(tensor.get("shape"), place, most_rows)
        batch[name] = decode(tensor, specification, where=place)
        rows = len(batch[name]) if rows is None else rows
        if len(batch[name]) != rows:
            raise RequestRefused(f"{place}.shape: `{name}` has {len(batch[name])} rows, the inputs before it {rows}")
    return batch


def _refuse_too_many(shape: object, place: str, most_rows: int) -> None:
    if isinstance(shape, list) and shape and type(shape[0]) is int and shape[0] > most_rows:
        raise RequestRefused(f"{place}.shape: {shape[0]} rows; this server takes {most_rows} a request", status=413)


def _outputs(asked: object, *, model: Model) -> tuple[str, ...]:
    names = _named(asked, where="outputs") if asked is not None else {}
    for name, (place, _) in names.items():
        if name not in model.outputs:
            raise RequestRefused(f"{place}.name: the model has no output `{name[:60]}`")
    return tuple(names) or tuple(model.outputs)


def _request_id(stated: object) -> str:
    if stated is None or stated == "":
        return uuid.uuid4().hex
    if not isinstance(stated, str) or len(stated) > 200:
        raise RequestRefused("id must be a string of at most 200 characters")
    return stated


def _times(parameters: object, *, rows: int) -> tuple[int, ...] | None:
    """When each row happened, for replays of history: `parameters.time`, or `parameters.times` one a row."""
    if parameters is None:
        return None
    if not isinstance(parameters, dict):
        raise RequestRefused("parameters must be an object")
    if "times" in parameters:
        times = parameters["times"]
        if not isinstance(times, list) or len(times) != rows:
            raise RequestRefused(f"parameters.times must be a list of {rows} times, one a row")
        return tuple(_microseconds(text, where=f"parameters.times[{row}]") for row, text in enumerate(times))
    if "time" in parameters:
        return (_microseconds(parameters["time"], where="parameters.time"),) * rows
    return None


def _microseconds(text: object, *, where: str) -> int:
    """Read ISO 8601; a time without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or not 1 < moment.year < 9999:  # an offset may not push it out of the calendar
        raise RequestRefused(f"{where} must be a time in ISO 8601, such as 2013-08-01T06:15:00Z")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
