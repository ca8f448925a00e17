"""How much may be fetched of a source that lies elsewhere.

Apart from the other limits: the process that fetches reads it, and has little installed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slipway.domain.declared import Declared

Host = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?$")]


class SourceLimit(Declared):
    """What a source that is fetched may be at most."""

    bytes: int = Field(default=4 << 30, ge=1, le=1 << 40, description="of all its files together")
    files: int = Field(default=1_000, ge=1, le=10_000, description="how many it may have")
    seconds: int = Field(default=900, ge=1, le=7_200, description="until all of it is there; a server may be slow")
    redirects: tuple[Host, ...] = Field(
        default=(),
        description="hosts, `:port` where it is not 443, that an https:// address may be led on to, beside its own",
    )
