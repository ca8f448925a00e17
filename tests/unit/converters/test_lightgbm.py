"""LightGBM's own files through a real LightGBM and onnxmltools, trained on real data."""

from __future__ import annotations

import numpy as np
import pytest
from slipway.converters.batches import read_batch

from tests.unit.converters.conftest import Models, Trained

_ROUNDING = 16 * 2.0**-23  # of outputs up to 1


@pytest.fixture(scope="session")
def models(models_of: Models) -> Trained:
    return models_of("lightgbm")


def test_what_lightgbm_takes_for_zero_is_all_that_differs_at_splits(models: Trained) -> None:
    """It rounds what is within 1e-35 to 0, and ONNX does not: why the gate judges these rows by share."""
    folder = models.folder / "flights"
    asked, source = (read_batch(folder / f"{name}.npz") for name in ("probes", "outputs-probes"))
    apart = np.abs(models.onnx("flights").predict(asked)["p"] - source["p"])[:, 0] > _ROUNDING

    assert 0 < apart.mean() < 0.005
    assert np.unique(np.abs(asked["dep_delay"][apart])).tolist() == [np.float32(1e-35)]
