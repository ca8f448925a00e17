"""A layer is compressed where its bytes are worth it, and comes back as it was."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.compression import compressed, decompressed, is_worth_it

MIB = 1 << 20
CHUNKS = st.lists(st.binary(max_size=3000) | st.integers(0, 9000).map(bytes), max_size=8)


@given(chunks=CHUNKS)
def test_any_reader_of_gzip_reads_it(chunks: list[bytes]) -> None:
    """Engines read it, not we."""
    assert gzip.decompress(b"".join(compressed(chunks))) == b"".join(chunks)


@given(chunks=CHUNKS, cut=st.integers(1, 700), most=st.integers(1, 5000))
def test_it_comes_back_however_it_is_cut(chunks: list[bytes], cut: int, most: int) -> None:
    """A registry sends pieces of any size, and a piece that unpacks to gigabytes is never held whole."""
    stored = b"".join(compressed(chunks))
    pieces = list(decompressed((stored[start : start + cut] for start in range(0, len(stored), cut)), most=most))
    assert b"".join(pieces) == b"".join(chunks)
    assert max(map(len, pieces), default=0) <= most


@given(content=st.binary(min_size=1, max_size=300), data=st.data())
def test_what_was_cut_off_or_added_is_refused(content: bytes, data: st.DataObject) -> None:
    """Half a model must not look like a model."""
    stored = b"".join(compressed([content]))
    end = data.draw(st.integers(0, len(stored) - 1))
    for damaged in (stored[:end], stored + b"\0"):
        with pytest.raises(ValueError, match="gzip stream"):
            list(decompressed([damaged], most=MIB))


def test_it_names_no_time_and_no_file() -> None:
    """They would make another image of the same model."""
    assert b"".join(compressed([b"x"]))[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\x03"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(random.Random(1).randbytes(2 * MIB), False, id="float weights"),
        pytest.param(b"01234567" * (MIB // 4), True, id="tables of trees"),
        pytest.param(random.Random(1).randbytes(MIB) + bytes(MIB), True, id="half of it"),
        pytest.param(random.Random(1).randbytes(3 * MIB) + bytes(MIB), False, id="a quarter of it"),
        pytest.param(bytes(MIB - 1), False, id="a small model"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_the_first_megabytes_decide(tmp_path: Path, content: bytes, expected: bool) -> None:
    """Thirty seconds of CPU a gigabyte are paid where they save bytes, and nowhere else."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert (is_worth_it(content), is_worth_it(path)) == (expected, expected)
