"""Whether a layer is worth compressing, and the one way in which it is: gzip (RFC 1952) at level 1.

Float weights keep 93 % of their bytes under any compressor and cost seconds a gigabyte; the tables of a tree
ensemble shrink to a fifth. So the first megabytes decide. Never zstd: docker reads it from version 23 on only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_SAMPLE = 4 << 20  # bytes
_LEAST = 1 << 20  # bytes; what a smaller model could save is less than one answer of a registry costs
_WORTH = 0.70  # of the sample; above, the time to compress is longer than the time to send what it saves
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's header, in which it leaves name and time out


def is_worth_it(content: Path | bytes) -> bool:
    """Say whether the first 4 MiB of a model shrink below 70 %; a model under 1 MiB is never compressed."""
    sample = content[:_SAMPLE] if isinstance(content, bytes) else _start_of(content)
    return len(sample) >= _LEAST and sum(map(len, compressed([sample]))) < _WORTH * len(sample)


def compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress a stream; the same chunks give the same bytes, as long as zlib is the same."""
    gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        if piece := gzip.compress(chunk):
            yield piece
    yield gzip.flush()


def decompressed(chunks: Iterable[bytes], *, most: int) -> Iterator[bytes]:
    """Decompress a stream of one gzip member, a piece of at most `most` bytes at a time.

    Raises:
        ValueError: the bytes are no gzip, end too early, or go on after their end.
    """
    gzip = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if gzip.eof:
                    raise ValueError("more bytes follow after the end of its gzip stream")
                yield gzip.decompress(rest, most)
                rest = gzip.unconsumed_tail or gzip.unused_data
        while not gzip.eof and (piece := gzip.decompress(b"", most)):  # what the last chunk still holds back
            yield piece
    except zlib.error as problem:
        raise ValueError(f"it is no gzip stream ({problem})") from None
    if not gzip.eof:
        raise ValueError("its gzip stream breaks off")


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SAMPLE)
