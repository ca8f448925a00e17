"""All that a gate may look at, and what a gate is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from slipway.domain.cost import Cost
from slipway.domain.declared import Declared
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import WindowEvidence
from slipway.domain.release import Rehearsal
from slipway.domain.verdict import Finding


@dataclass(frozen=True, slots=True)
class ReleaseCase:
    """`cost` is what was measured beside the evidence at that release, None where nothing was."""

    identity: Identity
    evidence: Evidence
    rehearsal: Rehearsal
    cost: Cost | None = None


LimitT_contra = TypeVar("LimitT_contra", bound=Declared, contravariant=True)


class ReleaseGate(Protocol[LimitT_contra]):
    """A module of `gates/` that judges releases: one promise, a row a thing measured."""

    def judge(self, case: ReleaseCase, limit: LimitT_contra) -> tuple[Finding, ...]: ...


class WindowGate(Protocol[LimitT_contra]):
    """A module of `gates/` that judges what the watch measured."""

    def judge_window(self, evidence: WindowEvidence, limit: LimitT_contra) -> tuple[Finding, ...]: ...
