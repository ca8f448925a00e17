"""A hundred thousand bodies that are wrong, and the good ones in between."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.contract.conftest import Serve
from tests.unit.serving import graphs
from tests.unit.serving.processes import read_status

BAD = 100_000
AT_ONCE = 200  # requests that are sent before the answers to them are read
GOOD_EVERY = 50
GROWTH = 16 * 2**20  # bytes: the allocator's own; a request that stayed in memory, a kilobyte each, would be 100 MB
GOOD = orjson.dumps(
    {
        "id": "good",
        "inputs": [
            {
                "name": name,
                "datatype": name,
                "shape": [1, 2] if name == "INT64" else [1, 1][: 1 if name == "BOOL" else 2],
                "data": {"BOOL": [True], "BYTES": ["Ü"], "INT64": [1, 2]}.get(name, [1]),
            }
            for name in graphs.TYPES
        ],
        "outputs": [{"name": "FP32_"}],
    }
)


@pytest.mark.xdist_group("contract")
def test_bad_bodies_cost_neither_an_answer_nor_memory(serve: Serve) -> None:
    """A client with a fault sends the same nonsense all night; in the morning everybody else was served."""
    server = serve()
    chance = random.Random(6)
    rejected = answered = 0
    before = 0
    with server.connect() as connection:
        stream = connection.makefile("rb")
        for turn in range(BAD // AT_ONCE):
            bodies = list(_mixed(chance))
            connection.sendall(b"".join(_request(body) for body in bodies))
            for body in bodies:
                status = read_status(stream)
                expected = 200 if body is GOOD else 400
                assert status == expected, (status, body[:200])
                rejected, answered = rejected + (status == 400), answered + (status == 200)
            if turn == BAD // AT_ONCE // 5:
                before = _resident(server.process.pid)
    assert (rejected, answered) == (BAD, BAD // GOOD_EVERY)
    assert _resident(server.process.pid) - before < GROWTH


def _mixed(chance: random.Random) -> Iterator[bytes]:
    for number in range(AT_ONCE):
        yield _broken(chance)
        if number % GOOD_EVERY == 0:
            yield GOOD


def _broken(chance: random.Random) -> bytes:
    """A good body with a hole, cut off, or with noise at its end; or noise alone. None of them is a request."""
    at = chance.randrange(1, len(GOOD) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return GOOD[:at]
    if kind == 1:
        return GOOD + chance.randbytes(8)
    if kind == 2:
        return chance.randbytes(chance.randrange(200))
    return GOOD.replace(b'"inputs"', b'"inputs%d"' % at)


def _request(body: bytes) -> bytes:
    return b"POST /v2/models/echo/infer HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _resident(pid: int) -> int:
    """Bytes of memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * int(os.sysconf("SC_PAGE_SIZE"))
