"""Places that a model's source is fetched from: one kind of place a module, listed in one dict.

A module runs in a process of its own, in the environment of its library, where alone the credentials are; `process`
starts it. So each imports its library inside of `fetch`, and is imported elsewhere for its names alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from slipway.adapters.sources import https, hugging_face, mlflow, object_store, oci
from slipway.adapters.sources.fetched import Fetched
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit


class Fetcher(Protocol):
    """What a module of this folder offers.

    `requirements` is the file under requirements/ (without its ending) that its environment is made of; None stands for
    our own.
    """

    requirements: str | None

    def fetch(self, address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
        """Write the files of `address` below `into`, an empty folder, by their names.

        Raises:
            SourceRefused: the address names nothing, the credentials do not suffice, or it is more than the limit.
            Unreachable: the place does not answer.
        """


FETCHERS: Mapping[str, Fetcher] = {
    "https": https,
    "s3": object_store,
    "gs": object_store,
    "az": object_store,
    "hf": hugging_face,
    "oci": oci,
    "models": mlflow,
    "runs": mlflow,
}
