"""Bodies that a fuzzer makes up, led by the branches that it reached: each is read or refused, and nothing else.

    python -m tests.contract.fuzz_bodies MODEL_FOLDER SEEDS_FOLDER SECONDS [REFUSAL]

Runs in an environment of its own, with atheris (Google's libFuzzer for Python). With REFUSAL, a refusal in these words
counts as a fault: that shows how deep the fuzzer comes, and that a fault ends it. A fault ends with code 77.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris
import numpy as np

with atheris.instrument_imports(include=["serving"]):
    from serving import bodies, protocol
    from serving.errors import RequestRefused
    from serving.inference import Model
    from serving.protocol import Rules
    from serving.tensors import TensorSpecification

_MOST_BYTES = 1_000_000
_RULES = (Rules(), Rules(most_rows=1, refuse_unknown_inputs=True, accept_event_time=True))
_ENCODINGS = ("", "", "gzip", "deflate")
_STRICT, _BINARY, _COMPRESSED_HERE = 4, 8, 16  # bits of an input's first byte, above its encoding
_ODD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2,
    2**63,
    1e308,
    0.5,
    "",
    "a",
    "\0",
    "FP32",
    "BYTES",
    [],
    [[]],
    [1, 1],
    [2],
    {},
    {"a": 1},
)


class Fault(Exception):
    """What must never happen."""


def main() -> None:
    folder, seeds, seconds, *planted = sys.argv[1:]
    model = Model.load(Path(folder), name="echo", version="v1.0.0")
    write_seeds(Path(seeds), model)
    flags = [f"-max_total_time={seconds}", "-max_len=4096", "-len_control=0", "-rss_limit_mb=2048", "-timeout=10"]
    flags += [f"-artifact_prefix={seeds}/fault-", "-seed=7", seeds]
    atheris.Setup([sys.argv[0], *flags], asked(model, "".join(planted)), custom_mutator=mutated)
    atheris.Fuzz()


def asked(model: Model, planted: str) -> Callable[[bytes], None]:
    """A question of one input: its first byte chooses rules, form and encoding, two more how long the JSON is."""

    def ask(data: bytes) -> None:
        if len(data) < 3:
            return
        choice, length, body = data[0], int.from_bytes(data[1:3], "little"), data[3:]
        encoding, rules = _ENCODINGS[choice & 3], _RULES[bool(choice & _STRICT)]
        try:
            if choice & _COMPRESSED_HERE:
                body = bodies.compress(body, encoding) if encoding else body
            if encoding:
                body = bodies.inflate(body, encoding, most_bytes=_MOST_BYTES)
            request = protocol.read(body, model=model, rules=rules, json_length=length if choice & _BINARY else None)
            answer = model.answer(request.batch, request.outputs)
            written = protocol.write(request, answer, model=model)
            json.loads(written.content[: written.json_length])
        except RequestRefused as refusal:
            if planted and planted in refusal.reason:
                raise Fault(refusal.reason) from refusal

    return ask


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Mostly still JSON, with a part of it changed; what libFuzzer does to bytes seldom comes past the brackets."""
    chance = random.Random(seed)
    length = int.from_bytes(data[1:3], "little") if data[:1] and data[0] & _BINARY else len(data)
    head, tail = data[3 : 3 + length], data[3 + length :]
    try:
        tree = json.loads(head)
    except ValueError:
        return _by_libfuzzer(data, max_size)
    kind = chance.randrange(4)
    if kind == 0:
        return _by_libfuzzer(data, max_size)
    if kind == 1:
        tail = _by_libfuzzer(tail, max(1, max_size - len(head) - 3)) if tail else chance.randbytes(chance.randrange(4))
    else:
        _change_a_part(tree, chance)
    head = json.dumps(tree).encode()
    choice = data[0] if chance.randrange(4) else chance.randrange(32)
    return _seed(choice, head + tail, length=min(len(head), 65535))[:max_size]


def _by_libfuzzer(data: bytes, max_size: int) -> bytes:
    return bytes(atheris.Mutate(data, max_size))


def _change_a_part(tree: Any, chance: random.Random) -> None:
    """Somewhere below, one value becomes another, or is gone, or is there twice."""
    at = tree
    while isinstance(at, (dict, list)) and at:
        key = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))
        if not isinstance(at[key], (dict, list)) or not at[key] or not chance.randrange(4):
            break
        at = at[key]
    else:
        return
    change = chance.randrange(4)
    if change == 0:
        del at[key]
    elif change == 1 and isinstance(at, list):
        at.append(at[key])
    else:
        at[key] = chance.choice(_ODD)


def write_seeds(folder: Path, model: Model) -> None:
    """A good request in each way that one can come."""
    inputs = list(model.inputs.values())
    named = [{"name": one.name, "datatype": one.kind.datatype, "shape": _shape(one)} for one in inputs]
    tensors = [tensor | {"data": _values(one)} for tensor, one in zip(named, inputs, strict=True)]
    wished = [{"name": next(iter(model.outputs))}]
    in_json = json.dumps({"id": "a", "inputs": tensors, "outputs": wished, "parameters": {}}).encode()
    raw = [_bytes(one) for one in inputs]
    announced = [
        tensor | {"parameters": {"binary_data_size": len(one)}} for tensor, one in zip(named, raw, strict=True)
    ]
    head = json.dumps({"inputs": announced, "parameters": {"binary_data_output": True}}).encode()
    in_binary = head + b"".join(raw)
    seeds = {
        "json": _seed(0, in_json),
        "strict": _seed(_STRICT, in_json),
        "binary": _seed(_BINARY, in_binary, length=len(head)),
        "gzip": _seed(2, gzip.compress(in_json, mtime=0)),
        "deflate": _seed(_BINARY | _COMPRESSED_HERE | 3, in_binary, length=len(head)),
    }
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def _seed(choice: int, body: bytes, *, length: int = 0) -> bytes:
    return bytes([choice]) + length.to_bytes(2, "little") + body


def _shape(one: TensorSpecification) -> list[int]:
    return [1, *one.shape[1:]]


def _values(one: TensorSpecification) -> list[object]:
    value: object = {"BOOL": True, "BYTES": "Ü"}.get(one.kind.datatype, 1)
    return [value] * math.prod(_shape(one))


def _bytes(one: TensorSpecification) -> bytes:
    if one.kind.datatype == "BYTES":
        return b"\x02\x00\x00\x00ab"
    return np.ones(_shape(one), dtype=one.kind.numpy).tobytes()


if __name__ == "__main__":
    main()
