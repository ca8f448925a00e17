"""The first texts of a new model."""

from __future__ import annotations

from slipway.reports import rendering


def new_model_files(model: str) -> dict[str, str]:
    """File name → text, below the model's folder."""
    return {
        "model.yaml": rendering.plain("new_model.yaml", model=model),
        "README.md": rendering.plain("new_model_card.md", model=model),
        "source/.gitkeep": "",
        "samples/.gitkeep": "",
    }
