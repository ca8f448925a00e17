"""Triton's client for Python, over HTTP. Runs in the environment of requirements/contract.txt."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tritonclient import http
from tritonclient.utils import InferenceServerException

from tests.contract.clients import rows

client = http.InferenceServerClient(sys.argv[1])
metadata = client.get_model_metadata(rows.MODEL)


def tensor(entry: dict[str, Any], array: rows.Array, *, binary: bool) -> http.InferInput:
    sent = http.InferInput(entry["name"], list(array.shape), entry["datatype"])
    sent.set_data_from_numpy(array, binary_data=binary or entry["datatype"] == "FP16")  # it has no JSON for FP16
    return sent


def every_datatype(*, sent: bool, came: bool, version: str = "", packing: str | None = None) -> None:
    """All inputs at once, in binary form or JSON, each answered as it came."""
    arrays = {entry["name"]: rows.of(entry["datatype"], entry["shape"]) for entry in metadata["inputs"]}
    answer = client.infer(
        rows.MODEL,
        [tensor(entry, arrays[entry["name"]], binary=sent) for entry in metadata["inputs"]],
        model_version=version,
        outputs=[http.InferRequestedOutput(f"{name}_", binary_data=came) for name in arrays],
        request_id="an id of ours",
        request_compression_algorithm=packing,
        response_compression_algorithm=packing,
    )
    assert answer.get_response()["id"] == "an id of ours"
    for name, array in arrays.items():
        rows.same(array, answer.as_numpy(f"{name}_"))


def all_outputs_without_a_wish() -> None:
    """It asks for `binary_data_output` by itself then."""
    arrays = {entry["name"]: rows.of(entry["datatype"], entry["shape"]) for entry in metadata["inputs"]}
    sent = [tensor(entry, arrays[entry["name"]], binary=True) for entry in metadata["inputs"]]
    answer = client.infer(rows.MODEL, sent)
    for name, array in arrays.items():
        rows.same(array, answer.as_numpy(f"{name}_"))


def some_outputs() -> None:
    sent = [tensor(entry, rows.of(entry["datatype"], entry["shape"]), binary=True) for entry in metadata["inputs"]]
    answer = client.infer(rows.MODEL, sent, outputs=[http.InferRequestedOutput("INT8_")])
    assert [output["name"] for output in answer.get_response()["outputs"]] == ["INT8_"]


def questions() -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(rows.MODEL)
    assert client.is_model_ready(rows.MODEL, "v1.0.0")
    assert not client.is_model_ready("another")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert client.get_model_metadata(rows.MODEL, "v1.0.0")["versions"] == ["v1.0.0"]


def refused(status: str, *, model: str = rows.MODEL, version: str = "", shape: tuple[int, ...] = (2, 3)) -> None:
    sent = http.InferInput("INT8", list(shape), "INT8")
    sent.set_data_from_numpy(np.zeros(shape, dtype=np.int8))
    try:
        client.infer(model, [sent], model_version=version)
    except InferenceServerException as failure:
        assert failure.status() == status, failure
        assert failure.message(), failure
    else:
        raise AssertionError("it was answered")


CHECKS: dict[str, Callable[[], None]] = {
    "questions": questions,
    "binary both ways": partial(every_datatype, sent=True, came=True),
    "JSON both ways": partial(every_datatype, sent=False, came=False),
    "binary in": partial(every_datatype, sent=True, came=False),
    "binary out": partial(every_datatype, sent=False, came=True),
    "a version": partial(every_datatype, sent=True, came=True, version="v1.0.0"),
    "gzip both ways": partial(every_datatype, sent=True, came=True, packing="gzip"),
    "deflate both ways": partial(every_datatype, sent=False, came=False, packing="deflate"),
    "no wish": all_outputs_without_a_wish,
    "some outputs": some_outputs,
    "a wrong shape": partial(refused, "400"),
    "another model": partial(refused, "404", model="another"),
    "another version": partial(refused, "404", version="v9.9.9"),
}
rows.report(CHECKS)
client.close()
