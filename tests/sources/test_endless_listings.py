"""A bucket that lists objects for ever: a store that lies, or one that holds the logs of ten years."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from slipway.errors import SourceRefused

from tests.sources.conftest import Fetch
from tests.sources.places import a_key_of_azure
from tests.sources.web import Quiet, Running

_PAGE = 500  # objects


def _of_s3(first: int) -> bytes:
    ours = "".join(f"<Contents><Key>logs/{n}</Key><Size>1</Size></Contents>" for n in range(first, first + _PAGE))
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{first}</NextContinuationToken>"
    return f"<ListBucketResult>{more}{ours}</ListBucketResult>".encode()


def _of_google(first: int) -> bytes:
    items = [{"name": f"logs/{n}", "size": "1", "bucket": "b"} for n in range(first, first + _PAGE)]
    return json.dumps({"kind": "storage#objects", "items": items, "nextPageToken": str(first)}).encode()


def _of_azure(first: int) -> bytes:
    about = "<Properties><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties>"
    ours = "".join(f"<Blob><Name>logs/{n}</Name>{about}</Blob>" for n in range(first, first + _PAGE))
    return f"<EnumerationResults><Blobs>{ours}</Blobs><NextMarker>{first}</NextMarker></EnumerationResults>".encode()


class _Endless(Quiet):
    def do_GET(self) -> None:  # noqa: N802  # as the base class calls it
        listing = self.server.ours
        asked = parse_qs(urlsplit(self.path).query)
        is_listing = any(name in asked for name in ("list-type", "maxResults")) or asked.get("comp") == ["list"]
        if not is_listing:
            return self.give(404)
        listing.pages += 1
        return self.give(200, listing.page(listing.pages * _PAGE), Content_Type=listing.kind)

    do_HEAD = do_GET  # noqa: N815  # as the libraries call it


class Endless(Running):
    def __init__(self, page: Callable[[int], bytes], kind: str) -> None:
        super().__init__(_Endless)
        self.page, self.kind, self.pages = page, kind, 0
        self.start()


_STORES = {
    "s3": (_of_s3, "application/xml"),
    "gs": (_of_google, "application/json"),
    "az": (_of_azure, "application/xml"),
}


@pytest.fixture(params=_STORES)
def endless(request: pytest.FixtureRequest) -> Iterator[tuple[str, Endless]]:
    server = Endless(*_STORES[request.param])
    yield request.param, server
    server.stop()


def _environment(at: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": at,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "r",
        "STORAGE_EMULATOR_HOST": at,
        "FSSPEC_GS_TOKEN": "anon",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "AZURE_STORAGE_CONNECTION_STRING": a_key_of_azure(at),
    }


def test_a_listing_without_an_end_is_left_at_the_limit(endless: tuple[str, Endless], fetch: Fetch) -> None:
    """It would be read for a quarter of an hour, and fill the memory of the runner meanwhile."""
    scheme, server = endless
    with pytest.raises(SourceRefused, match="more than 1,000 files"):
        fetch(f"{scheme}://bucket/logs", _environment(f"http://127.0.0.1:{server.port}"), files=1000, seconds=60)

    assert server.pages <= 1000 / _PAGE + 3  # and what tells whether the name is one object's
