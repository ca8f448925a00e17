"""What the libraries of stores and hubs raise, in our words: who was refused, and who may ask again later."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from slipway.errors import SlipwayError, SourceRefused, Unreachable

_NOT_THERE = {
    "FileNotFoundError",
    "ResourceNotFoundError",
    "RepositoryNotFoundError",
    "RevisionNotFoundError",
    "EntryNotFoundError",
    "RemoteEntryNotFoundError",
}
_NOT_ALLOWED = {
    "PermissionError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialsError",
    "ClientAuthenticationError",
    "DefaultCredentialsError",
    "RefreshError",
    "GatedRepoError",
}
_NOT_TOGETHER = {"FileExistsError", "NotADirectoryError", "IsADirectoryError"}  # `a` and `a/b`, which a store may hold
_NO_ANSWER = {"ClientConnectionError", "ClientPayloadError"}  # of aiohttp; fsspec says FileNotFoundError on top of them
_OF_LIBRARIES = {
    *("aiohttp", "aiobotocore", "adlfs", "azure", "botocore", "fsspec", "gcsfs", "google", "huggingface_hub", "httpx"),
    *("httpx2", "mlflow", "requests", "s3fs", "urllib3"),
}
_LATER = {408, 429}  # HTTP: a request that took too long, and too many of them


def in_our_words(failure: Exception, *, address: str) -> SlipwayError | None:
    """None where nobody expected it: a defect of ours. What we said inside of a library is said."""
    ours = next((one for one in _chain(failure) if isinstance(one, SlipwayError)), None)
    return ours or _of_a_library(failure, address)


def _of_a_library(failure: Exception, address: str) -> SlipwayError | None:
    names = {kind.__name__ for one in _chain(failure) for kind in type(one).__mro__}
    status = next((found for one in _chain(failure) if (found := _status(one))), None)
    told = f"{type(failure).__name__}: {(str(failure).splitlines() or [''])[0][:300]}"
    if names & _NOT_ALLOWED or status in (401, 403):
        return SourceRefused(
            f"{address} is not given to us: {told}",
            mend="give this job credentials that may read it, as lines of the secret SLIPWAY_SOURCE_ENVIRONMENT; on a "
            "laptop, log in as its library asks (docs/sources.md)",
        )
    if names & _NO_ANSWER or (status is not None and (status >= 500 or status in _LATER)):
        return _later(address, told)
    if names & _NOT_THERE or status in (404, 410):
        return SourceRefused(f"{address} is not there: {told}", mend="correct `source` in model.yaml, or put it there")
    if names & _NOT_TOGETHER or _is_full(failure):
        return _not_laid_down(failure, address, told)
    if status is not None and status >= 400:  # who asks is at fault
        return SourceRefused(f"{address} cannot be had: {told}", mend="correct `source` in model.yaml")
    return _later(address, told) if _is_expected(failure) else None


def _not_laid_down(failure: Exception, address: str, told: str) -> SlipwayError:
    if _is_full(failure):
        return SourceRefused(f"there is no room for {address}: {told}", mend="make room on the disk, then run again")
    return SourceRefused(
        f"{address} holds a file whose name is another one's folder: {told}",
        mend="give each a name of its own where they are stored, then fetch again",
    )


def _later(address: str, told: str) -> SlipwayError:
    return Unreachable(f"{address} could not be fetched: {told}", mend="run the same command again later")


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """The failure, and what it came from."""
    at: BaseException | None = failure
    for _ in range(10):
        if at is None:
            return
        yield at
        at = at.__cause__ or at.__context__


def _status(failure: BaseException) -> int | None:
    """The status of HTTP, wherever a library keeps it."""
    answer = getattr(failure, "response", None)
    told = (getattr(failure, "status", None), getattr(answer, "status_code", None), getattr(failure, "code", None))
    return next((one for one in told if isinstance(one, int) and 100 <= one < 600), None)


def _is_full(failure: BaseException) -> bool:
    return any(isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT) for one in _chain(failure))


def _is_expected(failure: Exception) -> bool:
    ours = isinstance(failure, OSError | TimeoutError)
    return ours or any(kind.__module__.partition(".")[0] in _OF_LIBRARIES for kind in type(failure).__mro__)
