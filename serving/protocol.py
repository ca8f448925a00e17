"""The Open Inference Protocol v2: the body of an `infer` request, read and answered.

A body is JSON, or JSON of a stated length with the values of some tensors behind it in binary form.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from serving import binary
from serving.errors import RequestRefused
from serving.inference import Model
from serving.tensors import Array, Batch, TensorSpecification, decode, encode, shown

_ELSEWHERE = {  # extensions of other servers: without them the client would get, in silence, what it did not ask for
    "shared_memory_region": "this server reads no shared memory: send the values in the body",
    "classification": "this server does not rank classes: ask for the values",
}
_NONE: dict[str, Any] = {}
_PROCESS = uuid.uuid4().hex  # an id a request of this process begins with it, and costs no call of the system
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Rules:
    """What this server takes, beside what the model takes."""

    most_rows: int = 50_000
    refuse_unknown_inputs: bool = False
    accept_event_time: bool = False


class Request(NamedTuple):  # made in a third of the time that a frozen dataclass takes
    """An `infer` request that the model can answer.

    `binary` are those of the `outputs` that go into the answer in binary form. `times` are microseconds since 1970 in
    UTC, one a row; None means "now".
    """

    id: str
    batch: Batch
    rows: int
    outputs: tuple[str, ...]
    binary: frozenset[str]
    unknown_inputs: int
    times: tuple[int, ...] | None


class Body(NamedTuple):
    """A body of an answer; `json_length` is that of the JSON before binary tensors, None where all is JSON."""

    content: bytes
    json_length: int | None = None


class _Sent(NamedTuple):
    """A tensor of a request, with its place in there and, where they came in binary form, its bytes."""

    place: str
    tensor: dict[str, Any]
    parameters: dict[str, Any]
    raw: memoryview | None = None

    def array(self, specification: TensorSpecification) -> Array:
        if self.raw is None:
            return decode(self.tensor, specification, where=self.place)
        return binary.decode(self.tensor, self.raw, specification, where=self.place)


def read(body: bytes, *, model: Model, rules: Rules, json_length: int | None = None) -> Request:
    """Read the body of an `infer` request, of which `json_length` bytes are JSON, all of them without it.

    Raises:
        RequestRefused: with a reason that names the field.
    """
    request, raw = _split(body, json_length)
    parameters = _parameters(request, "parameters")
    sent = _with_bytes(_named(request.get("inputs"), where="inputs"), raw)
    if not sent:
        raise RequestRefused("inputs is empty: the model takes " + ", ".join(model.inputs))
    unknown = [name for name in sent if name not in model.inputs]
    if unknown and rules.refuse_unknown_inputs:
        raise RequestRefused(f"{sent[unknown[0]].place}: the model has no input `{unknown[0][:60]}`")
    batch = _batch(sent, model=model, most_rows=rules.most_rows)
    rows = len(next(iter(batch.values())))
    outputs, in_binary = _outputs(request.get("outputs"), parameters, model=model)
    return Request(
        id=_request_id(request.get("id")),
        batch=batch,
        rows=rows,
        outputs=outputs,
        binary=in_binary,
        unknown_inputs=len(unknown),
        times=_times(parameters, rows=rows) if rules.accept_event_time else None,
    )


def write(request: Request, answer: Batch, *, model: Model) -> Body:
    """Write the body of the answer; in JSON, values that are not finite become `null`."""
    raw = {name: binary.encode(answer[name]) for name in request.outputs if name in request.binary}
    outputs = [
        _announced(model.outputs[name], answer[name], len(raw[name]))
        if name in raw
        else encode(model.outputs[name], answer[name])
        for name in request.outputs
    ]
    body = {"model_name": model.name, "model_version": model.version, "id": request.id, "outputs": outputs}
    content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Body(b"".join([content, *raw.values()]), len(content)) if raw else Body(content)


def _announced(specification: TensorSpecification, array: Array, size: int) -> dict[str, object]:
    """What the JSON says of a tensor whose values follow in binary form."""
    shape, datatype = list(array.shape), specification.kind.datatype
    return {
        "name": specification.name,
        "datatype": datatype,
        "shape": shape,
        "parameters": {"binary_data_size": size},
    }


def _split(body: bytes, json_length: int | None) -> tuple[dict[str, Any], memoryview]:
    if json_length is None or json_length == len(body):
        return _json_object(body), memoryview(b"")
    if json_length > len(body):
        raise RequestRefused(f"Inference-Header-Content-Length is {json_length}; the body has {len(body)} bytes")
    whole = memoryview(body)
    return _json_object(whole[:json_length]), whole[json_length:]


def _json_object(body: bytes | memoryview) -> dict[str, Any]:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as failure:
        raise RequestRefused(f"body: no JSON: {failure}") from None
    if not isinstance(request, dict):
        raise RequestRefused("body: must be a JSON object with `inputs`")
    return request


def _named(tensors: object, *, where: str) -> dict[str, _Sent]:
    """Key a list of tensors by name."""
    if not isinstance(tensors, list):
        raise RequestRefused(f"{where} must be a list of tensors")
    named: dict[str, _Sent] = {}
    for number, tensor in enumerate(tensors):
        place = f"{where}[{number}]"
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str):
            raise RequestRefused(f"{place} must be an object with a `name`")
        if name in named:
            raise RequestRefused(f"{place}.name: `{name[:60]}` is there twice")
        named[name] = _Sent(place, tensor, _parameters(tensor, f"{place}.parameters"))
    return named


def _parameters(holder: dict[str, Any], where: str) -> dict[str, Any]:
    parameters = holder.get("parameters")
    if parameters is None:
        return _NONE
    if not isinstance(parameters, dict):
        raise RequestRefused(f"{where} must be an object")
    for name, mend in _ELSEWHERE.items():
        if name in parameters:
            raise RequestRefused(f"{where}.{name}: {mend}")
    return parameters


def _with_bytes(sent: dict[str, _Sent], raw: memoryview) -> dict[str, _Sent]:
    """Deal out what stands behind the JSON, in the order of the inputs."""
    at = 0
    for name, one in sent.items():
        size = one.parameters.get("binary_data_size")
        if size is None:
            continue
        where = f"{one.place}.parameters.binary_data_size"
        if type(size) is not int or size < 0:
            raise RequestRefused(f"{where} must be a number of bytes, is {shown(size)}")
        if "data" in one.tensor:
            raise RequestRefused(f"{where}: the tensor has `data` too; send one of both")
        if size > len(raw) - at:
            raise RequestRefused(
                f"{where} is {size}; behind the JSON are {len(raw) - at} bytes for it: the header "
                "Inference-Header-Content-Length says how long the JSON is"
            )
        sent[name] = _Sent(one.place, one.tensor, one.parameters, raw[at : at + size])
        at += size
    if at != len(raw):
        raise RequestRefused(f"body: {len(raw) - at} bytes at its end belong to no input's binary_data_size")
    return sent


def _batch(sent: dict[str, _Sent], *, model: Model, most_rows: int) -> Batch:
    batch: Batch = {}
    rows: int | None = None
    for name, specification in model.inputs.items():
        if name not in sent:
            raise RequestRefused(f"inputs: `{name}` is missing")
        one = sent[name]
        _refuse_too_many(one.tensor.get("shape"), one.place, most_rows)
        batch[name] = one.array(specification)
        rows = len(batch[name]) if rows is None else rows
        if len(batch[name]) != rows:
            raise RequestRefused(
                f"{one.place}.shape: `{name}` has {len(batch[name])} rows, the inputs before it {rows}"
            )
    return batch


def _refuse_too_many(shape: object, place: str, most_rows: int) -> None:
    if isinstance(shape, list) and shape and type(shape[0]) is int and shape[0] > most_rows:
        raise RequestRefused(
            f"{place}.shape: {shape[0]} rows; this server takes {most_rows} a request",
            status=413,
            cause="too_many_rows",
        )


def _outputs(asked: object, parameters: dict[str, Any], *, model: Model) -> tuple[tuple[str, ...], frozenset[str]]:
    """The outputs of the answer, and those of them in binary form."""
    named = _named(asked, where="outputs") if asked is not None else {}
    for name, one in named.items():
        if name not in model.outputs:
            raise RequestRefused(f"{one.place}.name: the model has no output `{name[:60]}`")
    usual = _switch(parameters, "binary_data_output", where="parameters", usual=False)
    if not named:
        return tuple(model.outputs), frozenset(model.outputs if usual else ())
    in_binary = {
        name
        for name, one in named.items()
        if _switch(one.parameters, "binary_data", where=f"{one.place}.parameters", usual=usual)
    }
    return tuple(named), frozenset(in_binary)


def _switch(parameters: dict[str, Any], name: str, *, where: str, usual: bool) -> bool:
    value = parameters.get(name, usual)
    if not isinstance(value, bool):
        raise RequestRefused(f"{where}.{name} must be true or false, is {shown(value)}")
    return value


def _request_id(stated: object) -> str:
    if stated is None or stated == "":
        return f"{_PROCESS}-{next(_numbers)}"
    if not isinstance(stated, str) or len(stated) > 200:
        raise RequestRefused("id must be a string of at most 200 characters")
    return stated


def _times(parameters: dict[str, Any], *, rows: int) -> tuple[int, ...] | None:
    """When each row happened, for replays of history: `parameters.time`, or `parameters.times` one a row."""
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
