"""What came of putting a deployed version on another runtime image."""

from __future__ import annotations

from slipway.domain.pages import Frozen
from slipway.domain.verdict import Verdict


class Rebased(Frozen):
    """`revision` is None where `of`, which is deployed, stands on that runtime image already: nothing was done then.

    `verdict`, `digest` and `pull` are None as far as it did not come: what failed has no image and no pull request.
    """

    model: str
    environment: str
    of: str
    runtime: str
    revision: str | None = None
    verdict: Verdict | None = None
    digest: str | None = None
    pull: int | None = None
