"""What a team may hold protected groups to by name, and of which models that is defined.

Demographic parity asks that decisions do not depend on the group (Calders, Kamiran & Pechenizkiy 2009), equal
opportunity that those who deserve a yes get it as often in each group (Hardt, Price & Srebro 2016). Both can rarely
hold at once where the groups differ in what they deserve; which one matters is for the team to say.
"""

from __future__ import annotations

from pydantic import Field

from slipway.domain.declared import Declared, Share
from slipway.domain.model import Model
from slipway.errors import BadFile
from slipway.maths.named_metrics import DecisionKind, foremost


class FairnessLimit(Declared):
    """How far two groups of a protected column may lie apart. Defined of models that decide yes or no.

    A model of several classes or of a number is refused with it: its groups are held against each other by `gap`.
    """

    demographic_parity: Share | None = Field(
        default=None, description="in the share of rows that are decided yes, whatever their labels say"
    )
    equal_opportunity: Share | None = Field(
        default=None, description="in the share of rows with a positive label that are decided yes: in recall"
    )

    @property
    def allowed(self) -> dict[str, float]:
        """By the name of the criterion."""
        return {name: gap for name, gap in self.model_dump().items() if gap is not None}


def refuse_what_is_undefined(limit: FairnessLimit | None, model: Model) -> None:
    """Whether a model decides what a criterion is about.

    Raises:
        BadFile: a criterion is named for a model that does not decide yes or no.
    """
    kind = model.decision.kind
    if limit is None or not limit.allowed or kind is DecisionKind.YES_OR_NO:
        return
    raise BadFile(
        f"policies/slices.yaml: fairness: {', '.join(limit.allowed)}: {model.name} decides {kind}, and that is defined "
        "of yes or no",
        mend=f"give {model.name} a limit without `fairness`, under `models`; `gap` holds its groups against each other "
        f"by {foremost(kind).title}, or by the `metric` that is written there",
    )
