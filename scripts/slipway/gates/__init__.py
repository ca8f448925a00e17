"""One promise a module; the name of a gate is its module, its measure and its policy.

A gate is pure: what was measured and a limit go in, findings come out.
"""

from __future__ import annotations

from typing import Any

from slipway.domain.case import ReleaseGate, WindowGate
from slipway.gates import drift, fidelity, metrics, outputs, previous_version, promise, signature, way_back

# In the order of a reviewer's questions. A gate takes the limit of its own policy, hence `Any`.
RELEASE_GATES: dict[str, ReleaseGate[Any]] = {
    "promise": promise,
    "fidelity": fidelity,
    "metrics": metrics,
    "signature": signature,
    "outputs": outputs,
    "way_back": way_back,
}

WINDOW_GATES: dict[str, WindowGate[Any]] = {
    "metrics": metrics,
    "previous_version": previous_version,
    "drift": drift,
}
