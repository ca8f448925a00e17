"""Fit a logistic regression to a file of flights, and write it as ONNX: the train.py of the model of these tests.

It runs in the environment of requirements/onnx.txt, from the root of a repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnx.parser

_ONNX = """
<ir_version: 9, opset_import: ["" : 17]>
answer (float[N,1] hour, float[N,1] delay) => (float[N,1] p_late)
<float[1] a = {HOUR}, float[1] b = {DELAY}, float[1] c = {BIAS}>
{
    from_hour = Mul (hour, a)
    from_delay = Mul (delay, b)
    score = Sum (from_hour, from_delay, c)
    p_late = Sigmoid (score)
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flights", type=Path, required=True, help="npz with hour, delay and late, each of shape (N,)")
    flights = np.load(parser.parse_args().flights)
    inputs = np.stack([flights["hour"], flights["delay"], np.ones_like(flights["hour"])], axis=1).astype(np.float64)
    hour, delay, bias = (f"{weight:.6f}" for weight in _fitted(inputs, flights["late"].astype(np.float64)))
    text = _ONNX.replace("HOUR", hour).replace("DELAY", delay).replace("BIAS", bias)
    source = Path(__file__).parent / "source"
    source.mkdir(exist_ok=True)
    onnx.save(onnx.parser.parse_model(text), source / "model.onnx")
    print(f"fitted to {len(inputs)} flights: hour {hour}, delay {delay}, bias {bias}")  # noqa: T201  # its result


def _fitted(inputs: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Newton's method, with a little ridge."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        curvature = inputs.T @ (inputs * (chance * (1 - chance))[:, None]) + 1e-3 * np.eye(inputs.shape[1])
        weights += np.linalg.solve(curvature, inputs.T @ (late - chance) - 1e-3 * weights)
    return weights


if __name__ == "__main__":
    main()
