"""The objects below a prefix, page by page: `find` of fsspec reads a listing to its end before it shows any of it.

Each store is asked by its own library's call for a page, with the credentials that fsspec found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_Listed = Iterator[tuple[str, int]]


def below(store: Any, scheme: str, top: str) -> _Listed:
    """Name, with the bucket before it, and bytes of each object below `top`; pages are asked for as they are needed."""
    bucket, _, path = top.partition("/")
    for name, size in _PAGES[scheme](store, bucket, f"{path}/" if path else ""):
        yield f"{bucket}/{name}", size


def _of_s3(store: Any, bucket: str, prefix: str) -> _Listed:
    asked = {"Bucket": bucket, "Prefix": prefix}
    while asked:
        page = store.call_s3("list_objects_v2", **asked)
        yield from ((one["Key"], int(one["Size"])) for one in page.get("Contents", ()))
        more = page.get("NextContinuationToken") if page.get("IsTruncated") else None
        asked = {**asked, "ContinuationToken": more} if more else {}


def _of_google(store: Any, bucket: str, prefix: str) -> _Listed:
    asked = {"prefix": prefix, "maxResults": 1000}
    while asked:
        page = store.call("GET", "b/{}/o", bucket, json_out=True, **asked)
        yield from ((one["name"], int(one["size"])) for one in page.get("items", ()))
        more = page.get("nextPageToken")
        asked = {**asked, "pageToken": more} if more else {}


def _of_azure(store: Any, bucket: str, prefix: str) -> _Listed:
    from fsspec.asyn import sync  # noqa: PLC0415 - in this environment alone

    container = store.service_client.get_container_client(bucket)
    pages = container.list_blobs(name_starts_with=prefix, include=["metadata"]).by_page()
    while (page := sync(store.loop, _next_page, pages)) is not None:
        yield from ((one.name, int(one.size)) for one in page if not _is_a_folder(one.metadata))


async def _next_page(pages: Any) -> list[Any] | None:
    page = await anext(pages, None)
    return None if page is None else [one async for one in page]


def _is_a_folder(metadata: Mapping[str, str] | None) -> bool:
    """Accounts with a hierarchy keep an empty object for each: https://learn.microsoft.com/azure/storage/blobs/."""
    return (metadata or {}).get("hdi_isfolder") == "true"


_PAGES: Mapping[str, Callable[[Any, str, str], _Listed]] = {"s3": _of_s3, "gs": _of_google, "az": _of_azure}
