"""What the default branch wants to know of a model, beside what is always measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from slipway.adapters import team_tests
from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.behaviour_fit import refuse_what_cannot_be_asked
from slipway.domain.fairness import refuse_what_is_undefined
from slipway.domain.identity import Identity
from slipway.domain.limits import SlicesLimit
from slipway.domain.policy import Policies


@dataclass(frozen=True, slots=True)
class Asked:
    """No limit decides anything here: policies name metrics, slices and expectations that are measured.

    `functions` are files with functions of the team.
    """

    named_metrics: tuple[str, ...]
    slices: SlicesLimit
    window_days: int
    expected: BehaviourLimit
    functions: tuple[Path, ...]

    @classmethod
    def of(cls, identity: Identity, policies: Policies, *, tests: Path | None) -> Self:
        """By the policies for that model and version; `tests` is the folder tests/models.

        Raises:
            BadFile: an expectation that cannot be asked of this model, or a criterion that is undefined for it.
        """
        model = identity.model
        slices = policies.slices.limit_for(model)
        expected = policies.behaviour.limit_for(model).for_version(identity.version)
        refuse_what_cannot_be_asked(expected, identity.declaration, version=identity.version)
        refuse_what_is_undefined(slices.fairness, identity.declaration)
        return cls(
            named_metrics=tuple(policies.metrics.limit_for(model).named(identity.declaration.decision.kind)),
            slices=slices,
            window_days=policies.drift.limit_for(model).window_days,
            expected=expected,
            functions=team_tests.files_of(tests / model) if tests else (),
        )

    @property
    def reads(self) -> dict[str, str]:
        """For the key of a page."""
        return {
            "window days": str(self.window_days),
            "metrics": " ".join(self.named_metrics),
            "slices": self.slices.asked,
            "expected behaviour": self.expected.asked,
            "team tests": team_tests.digest_of(self.functions),
        }
