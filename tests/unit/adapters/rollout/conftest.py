"""Versions of a tiny model with a string input, and a state folder whose servers end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import onnx.parser
import pytest
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.process import stop_all

_MODEL = """
<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>
late (float[N,1] hour, string[N,1] carrier) => (float[N,1] p_late, string[N,1] airline) <float[1] bias = {BIAS}>
{
    risk = ai.onnx.ml.LabelEncoder <
        keys_strings: strings = ["AA", "HA"], values_floats: floats = [0.125, 0.25], default_float: float = 0.0
    > (carrier)
    p_late = Sum (risk, hour, bias)
    airline = Identity (carrier)
}
"""
Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    """A version as it comes out of its image's layer; `bias` is what its answers differ by."""

    def make(version: str, *, bias: float = 0.0, broken: bool = False) -> Deployment:
        directory = tmp_path / "layers" / version
        directory.mkdir(parents=True, exist_ok=True)
        onnx.save(onnx.parser.parse_model(_MODEL.replace("BIAS", str(bias))), directory / "model.onnx")
        if broken:
            (directory / "model.onnx").write_bytes(b"half a mod")
        return Deployment(
            model="flight-delay",
            environment="production",
            version=version,
            digest=f"sha256:{version}",
            image=f"flight-delay:{version}",
            commit="c0ffee",
            model_directory=directory,
            served_log=str(tmp_path / "served"),
        )

    return make


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    stop_all(tmp_path / "state")
