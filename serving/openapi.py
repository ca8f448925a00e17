"""The server described in OpenAPI 3.1, for the model that it serves: what a generated client or a tester reads."""

from __future__ import annotations

import math
from typing import Any

from serving.inference import Model
from serving.tensors import FREE, KINDS, TensorSpecification

Schema = dict[str, Any]

_VALUES: dict[str, Schema] = {
    "FP": {"type": ["number", "null"]},
    "INT": {"type": "integer"},
    "UINT": {"type": "integer", "minimum": 0},
    "BOOL": {"type": "boolean"},
    "BYTES": {"type": "string"},
}
_PARAMETERS: Schema = {"type": "object", "description": "Settings of the protocol; unknown ones are ignored"}
_ERRORS = {
    400: "The request is wrong; the reason names the field",
    408: "The request did not arrive in time",
    413: "The body or the number of rows is too large",
    415: "The body's Content-Encoding is not known",
    500: "The model failed on these values",
    503: "The server is busy or leaves: try again",
}


def describe(model: Model, *, places: tuple[str, str]) -> Schema:
    """The description, with the names, datatypes and shapes of the model's own inputs and outputs."""
    paths = {
        "/v2": _asked("What the server is", _object(name=_TEXT, version=_TEXT, extensions=_list_of(_TEXT))),
        "/v2/health/live": _asked("Whether the process answers", _object(live=_TRUTH)),
        "/v2/health/ready": _asked("Whether requests are answered", _object(ready=_TRUTH), 503),
        "/openapi.json": _asked("This description", {"type": "object"}),
    }
    for place in places:
        paths[place] = _asked("What the model takes and gives", _ref("Metadata"))
        paths[f"{place}/ready"] = _asked("Whether the model answers", _object(name=_TEXT, ready=_TRUTH), 503)
        paths[f"{place}/infer"] = _infer(example={"inputs": [_row(one) for one in model.inputs.values()]})
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Open Inference Protocol v2: {model.name}", "version": model.version},
        "paths": paths,
        "components": {"schemas": _schemas(model)},
    }


_TEXT: Schema = {"type": "string"}
_TRUTH: Schema = {"type": "boolean"}


def _schemas(model: Model) -> Schema:
    datatypes = {"enum": [kind.datatype for kind in KINDS]}
    tensor = {"name": _TEXT, "datatype": datatypes, "shape": _list_of({"type": "integer", "minimum": FREE})}
    outputs = [_tensor(specification, sent=False) for specification in model.outputs.values()]
    inputs = [_tensor(specification, sent=True) for specification in model.inputs.values()]
    return {
        "Error": _object(error=_TEXT),
        "Metadata": _object(
            name=_TEXT,
            versions=_list_of(_TEXT),
            platform=_TEXT,
            inputs=_list_of(_object(**tensor)),
            outputs=_list_of(_object(**tensor)),
        ),
        "Request": _request(inputs, list(model.outputs)),
        "Answer": _object(model_name=_TEXT, model_version=_TEXT, id=_TEXT, outputs=_list_of({"anyOf": outputs})),
    }


def _request(inputs: list[Schema], outputs: list[str]) -> Schema:
    wanted = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"enum": outputs}, "parameters": _PARAMETERS},
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "maxLength": 200},
            "parameters": _PARAMETERS,
            "inputs": {"type": "array", "items": {"anyOf": inputs}, "minItems": len(inputs)},
            "outputs": _list_of(wanted),
        },
    }


def _tensor(specification: TensorSpecification, *, sent: bool) -> Schema:
    rank = len(specification.shape)
    length = {"type": "integer", "minimum": 1, "description": f"of {list(specification.shape)}, where -1 is free"}
    data = _list_of(_values(specification.kind.datatype))
    return {
        "type": "object",
        "required": ["name", "datatype", "shape", *(["data"] if sent else [])],
        "properties": {
            "name": {"const": specification.name},
            "datatype": {"const": specification.kind.datatype},
            "shape": _list_of(length) | {"minItems": rank, "maxItems": rank},
            "data": data,
            "parameters": _PARAMETERS,
        },
    }


def _values(datatype: str) -> Schema:
    return _VALUES[datatype.rstrip("0123456789")]


def _row(specification: TensorSpecification) -> Schema:
    """A row of zeros and empty texts, as a client sends it."""
    shape = [1 if length == FREE else length for length in specification.shape]
    blank = {"BOOL": False, "BYTES": ""}.get(specification.kind.datatype, 0)
    content = {"datatype": specification.kind.datatype, "shape": shape, "data": [blank] * math.prod(shape)}
    return {"name": specification.name, **content}


def _infer(*, example: Schema) -> Schema:
    return {
        "post": {
            "summary": "Answer rows",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref("Request"), "example": example}},
            },
            "responses": {"200": _response("The answer", _ref("Answer")), **_errors(*_ERRORS)},
        }
    }


def _asked(summary: str, schema: Schema, *unlike: int) -> Schema:
    responses = {"200": _response(summary, schema)}
    responses |= {str(status): _response("Not now", schema) for status in unlike}
    return {"get": {"summary": summary, "responses": responses}}


def _errors(*statuses: int) -> Schema:
    return {str(status): _response(_ERRORS[status], _ref("Error")) for status in statuses}


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
