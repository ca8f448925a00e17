"""The server's own description, held against the server by a tester that nobody here wrote."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from tests.unit.serving.processes import Server

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
OPTIONS = (
    f"--checks={','.join(CHECKS)}",
    "--phases=examples,coverage,fuzzing",
    "--max-examples=20",  # an operation; the fuzzing of the parser itself has its own tests
    "--seed=1",
    "--request-timeout=30",
    "--no-color",
)


@pytest.mark.xdist_group("contract")
def test_every_answer_is_as_the_description_says(their_python: Path, server: Server, tmp_path: Path) -> None:
    """Schemathesis sends what the description allows and what it does not: no 500, no status and no body unheard of."""
    host, port = server.address()
    command = [str(their_python.parent / "st"), "run", f"http://{host}:{port}/openapi.json", *OPTIONS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    counts = httpx.get(f"http://{host}:{port}/metrics").text

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert 'slipway_requests_total{code="200"}' in counts
    assert 'slipway_requests_total{code="400"}' in counts


@pytest.mark.xdist_group("contract")
def test_the_description_describes_what_clients_send(server: Server) -> None:
    """A client that is generated from it sends requests that are answered, and can read the answers."""
    host, port = server.address()
    with httpx.Client(base_url=f"http://{host}:{port}") as client:
        description = client.get("/openapi.json").json()
        sent = [
            {
                "name": tensor["name"],
                "datatype": tensor["datatype"],
                "shape": [1, *tensor["shape"][1:]],
                "data": [_value(tensor["datatype"])] * (2 if tensor["name"] == "INT64" else 1),
            }
            for tensor in client.get("/v2/models/echo").json()["inputs"]
        ]
        answer = client.post("/v2/models/echo/infer", json={"inputs": sent})

    assert answer.status_code == 200, answer.text
    for name, body in (("Request", {"inputs": sent}), ("Answer", answer.json())):
        OAS31Validator({"$ref": f"#/components/schemas/{name}", **description}).validate(body)
    assert not OAS31Validator({"$ref": "#/components/schemas/Request", **description}).is_valid({"inputs": [5]})


def _value(datatype: str) -> object:
    return {"BOOL": True, "BYTES": "Ü"}.get(datatype, 1)
