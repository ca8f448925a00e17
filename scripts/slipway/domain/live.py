"""What runs, held against what git says should run and what the ledger says passed."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from slipway.domain.pages import Body, Frozen


class LiveState(StrEnum):
    IN_STEP = "in step"
    BEHIND = "behind"
    ANOTHER = "something else runs"
    NEVER_PASSED = "runs what never passed"
    NOTHING = "nothing runs"
    NOT_SEEN = "could not look"


WELL = (LiveState.IN_STEP, LiveState.BEHIND)  # between a merge and its rollout it is behind


class LiveRow(Frozen):
    """What an environment runs of a model: `digest`, which `version` of the ledger it is, and what it is called there.

    `wanted` and `wanted_digest` are what the manifest of the default branch names; each is None where there is none.
    `problem` and `mend` say why nobody could look; a row of no `model` is about all that no manifest names. A `canary`
    is what gets a share of the traffic, in a row of its own. `ended_by` is a command for what no manifest names.
    """

    model: str
    environment: str
    state: LiveState
    wanted: str | None = None
    wanted_digest: str | None = None
    version: str | None = None
    digest: str | None = None
    called: str | None = None
    problem: str = ""
    mend: str = ""
    canary: bool = False
    ended_by: str = ""


class LiveReport(Body):
    """All that was looked at: what git deploys, what is declared and runs, and what runs besides, as far as is told."""

    kind: ClassVar[str] = "live-report"

    rows: tuple[LiveRow, ...]

    @property
    def is_well(self) -> bool:
        """As far as it could be looked at."""
        return all(row.state in (*WELL, LiveState.NOT_SEEN) for row in self.rows)

    @property
    def is_whole(self) -> bool:
        return all(row.state is not LiveState.NOT_SEEN for row in self.rows)


def state_of(*, wanted: str | None, live: str | None, passed: bool, verified: bool) -> LiveState:
    """How a digest that runs lies to the one that the manifest names.

    Args:
        wanted: the manifest's, None where it deploys nothing.
        live: what runs, None where nothing does.
        passed: whether what runs is the image of a release of the model that passed.
        verified: whether the manifest's was seen to run, since the commit that brought it there.
    """
    if live is None:
        return LiveState.IN_STEP if wanted is None else LiveState.NOTHING
    if not passed:
        return LiveState.NEVER_PASSED
    if live == wanted:
        return LiveState.IN_STEP
    return LiveState.ANOTHER if wanted is None or verified else LiveState.BEHIND
