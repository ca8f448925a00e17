"""The first texts of a new model."""

from __future__ import annotations

from slipway.domain.model import Framework
from slipway.reports import rendering

_OTHERS = ", ".join(one for one in Framework if one is not Framework.TENSORFLOW)


def new_model_files(model: str) -> dict[str, str]:
    """File name → text, below the model's folder."""
    return {
        "model.yaml": rendering.plain("new_model.yaml", model=model, frameworks=_OTHERS),
        "README.md": rendering.plain("new_model_card.md", model=model),
        "source/.gitkeep": "",
        "samples/.gitkeep": "",
    }
