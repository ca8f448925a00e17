"""What came of a tag that `slipway tag` was asked for."""

from __future__ import annotations

from slipway.domain.pages import Frozen


class Tagged(Frozen):
    """`made` is False where the commit had its tag already, `pushed` True where the remote has it by now."""

    tag: str
    commit: str
    message: str
    made: bool
    pushed: bool
