"""To be written."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters.sources.fetched import Fetched
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit

requirements: str | None = "sources"


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    raise NotImplementedError
