"""A model of two inputs that is trained and asked in a moment: will a flight be late? Declared, and with its rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def declaration(model: str, *, framework: str) -> dict[str, object]:
    """What model.yaml says, in the order of the file."""
    return {
        "name": model,
        "summary": "Will a flight be late?",
        "framework": framework,
        "source": "source",
        "owners": ["@flight-team"],
        "inputs": [
            {"name": "hour", "dtype": "float32", "meaning": "Hour of departure"},
            {"name": "delay", "dtype": "float32", "meaning": "Minutes late at departure"},
        ],
        "outputs": [{"name": "p_late", "dtype": "float32", "meaning": "Probability that it is late"}],
        "decision": {"output": "p_late", "threshold": 0.5},
        "samples": {"path": "samples/held-out.parquet", "time": "time", "label": "late"},
    }


def flights(rows: int, *, seed: int) -> tuple[dict[str, Floats], npt.NDArray[np.bool_]]:
    """Hours and delays of shape (rows,), and which flights were late."""
    chance = np.random.default_rng(seed)
    hour = chance.uniform(0, 23, rows).round().astype(np.float32)
    delay = chance.normal(10, 12, rows).round().astype(np.float32)
    late = (hour - 12) / 4 + (delay - 10) / 5 + chance.normal(0, 0.3, rows) > 0
    return {"hour": hour, "delay": delay}, late
