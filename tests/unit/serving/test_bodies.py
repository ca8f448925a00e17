"""Reading bodies, packed or not."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from serving import bodies
from serving.admission import Admission
from serving.bodies import ClientGone
from serving.errors import RequestRefused

TEXT = b'{"inputs": []}' * 20


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


def read(chunks: Sequence[bytes | None], *, most_bytes: int, admission: Admission | None = None) -> tuple[bytes, int]:
    """Read a body that comes in these chunks; None is a client that goes away. With how much was counted as held."""
    messages = iter(chunks)
    left = len(chunks)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        chunk = next(messages)
        return (
            {"type": "http.disconnect"}
            if chunk is None
            else {
                "type": "http.request",
                "body": chunk,
                "more_body": left > 0,
            }
        )

    visit = (admission or Admission(most_requests=10, most_bytes=10**9)).enter()
    assert visit is not None
    return asyncio.run(bodies.read(receive, visit, most_bytes=most_bytes)), visit.held_bytes


@given(chunks=st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_a_body_in_pieces_is_put_together(chunks: list[bytes]) -> None:
    """A large body comes in as many pieces as the network likes."""
    assert read(chunks, most_bytes=100)[0] == b"".join(chunks)


@pytest.mark.parametrize("chunks", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"x"] * 40])
def test_a_body_beyond_the_limit_is_refused(chunks: list[bytes]) -> None:
    """Whether it comes at once or never says how long it will be."""
    with pytest.raises(RequestRefused, match="larger than 10 bytes") as refusal:
        read(chunks, most_bytes=10)

    assert refusal.value.status == 413


def test_all_bodies_together_have_a_limit(subtests: pytest.Subtests) -> None:
    """Two hundred clients that each stay below theirs would take gigabytes."""
    admission = Admission(most_requests=10, most_bytes=50)
    with subtests.test("one fits"):
        assert read([b"x" * 20, b"x" * 20], most_bytes=100, admission=admission)[1] == 40
    with subtests.test("and the next does not"), pytest.raises(RequestRefused, match="the server is busy") as refusal:
        read([b"x" * 5, b"x" * 6], most_bytes=100, admission=admission)
    assert refusal.value.status == 503


@pytest.mark.parametrize("chunks", [[b"x" * 100_000], [b"x" * 100_000, b""]], ids=["whole", "with an end of its own"])
def test_what_came_at_once_counts_too(chunks: list[bytes]) -> None:
    """A connection gathers a quarter of a megabyte before anybody asks; with hundreds of them that is memory."""
    assert read(chunks, most_bytes=200_000)[1] == 100_000

    with pytest.raises(RequestRefused, match="the server is busy"):
        read(chunks, most_bytes=200_000, admission=Admission(most_requests=1, most_bytes=90_000))


def test_a_client_that_goes_away_is_no_request() -> None:
    """Half a body may be whole JSON."""
    with pytest.raises(ClientGone):
        read([b"{}", None], most_bytes=100)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("deflate", raw_deflate(TEXT))],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_each_form_of_each_encoding_is_read(encoding: str, packed: bytes) -> None:
    """`deflate` means zlib's format, and half of the clients send it without the frame."""
    assert bodies.inflate(packed, encoding, most_bytes=1000) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_small_body_that_grows_beyond_the_limit_is_refused(encoding: str) -> None:
    """A gigabyte of zeros takes a megabyte to send: it is never inflated."""
    bomb = bodies.compress(b"\0" * 50_000_000, encoding)
    with pytest.raises(RequestRefused) as refusal:
        bodies.inflate(bomb, encoding, most_bytes=10_000)

    assert len(bomb) < 250_000
    assert refusal.value.status == 413


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "ends too early"),
        (b"{}", "no gzip"),
        (gzip.compress(TEXT)[:-1], "ends too early"),
        (gzip.compress(TEXT) + b"more", "4 bytes follow the gzip"),
        (gzip.compress(TEXT) + gzip.compress(TEXT), "bytes follow the gzip"),
    ],
    ids=["nothing", "JSON", "cut", "trailing", "two"],
)
def test_a_damaged_stream_is_refused(packed: bytes, reason: str) -> None:
    """Half a body must never be answered as if it were one."""
    with pytest.raises(RequestRefused, match=reason):
        bodies.inflate(packed, "gzip", most_bytes=10_000)


@given(packed=st.binary(max_size=100), encoding=st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_inflated_or_refused(packed: bytes, encoding: str) -> None:
    """zlib has errors of its own, and a client must see none of them as ours."""
    try:
        assert len(bodies.inflate(packed, encoding, most_bytes=1000)) <= 1000
    except RequestRefused as refusal:
        assert refusal.status in (400, 413)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        (b"gzip, deflate, br", "gzip"),
        (b"deflate", "deflate"),
        (b"gzip;q=0, deflate;q=0.5", "deflate"),
        (b"identity", None),
        (b"", None),
        (b"*", None),
        (b"\xff;;q=,", None),
    ],
)
def test_an_answer_is_packed_only_as_the_client_can_read_it(accepted: bytes, encoding: str | None) -> None:
    """A client that gets what it did not ask for sees noise."""
    assert bodies.wanted_encoding({b"accept-encoding": accepted}) == encoding
