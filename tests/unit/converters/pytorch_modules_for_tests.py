"""Train modules of PyTorch, save each as code, weights and examples, and convert them: runs in PyTorch's environment.

The folder of the data sets must lie beside the one of this script.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from slipway.converters import pytorch
from slipway.converters.batches import write_batch
from slipway.domain.rows import Batch, take
from torch import nn
from trained_for_tests import AWKWARD, Case, convert_all

ALLOWED = {"pickle": False, "types": [], "python": True}
PROBABILITY = [("p", "float32", [1])]
DIGITS = """\
import torch
from torch import nn

from layers_of_digits import seen


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = seen(kinds=10)

    def forward(self, image):
        probabilities = torch.softmax(self.seen(image / 16), 1)
        return probabilities, probabilities.argmax(1)


def module():
    return Digits()
"""
LAYERS = """\
from torch import nn


def seen(*, kinds):
    first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    return nn.Sequential(first, nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, kinds))
"""
LATE = """\
import torch
from torch import nn


class Late(nn.Module):
    def __init__(self):
        super().__init__()
        self.origins = nn.Embedding(3, 4)
        self.network = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, origin, distance, delay, scale=0.001):
        known = self.origins(origin).flatten(1)
        return {"p": self.network(torch.cat([known, distance * scale, delay.to(torch.float32) / 60], 1))}


def module():
    return Late()
"""
SMALL = """\
import torch
from torch import nn
from torch.nn import functional


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(2, 1)
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("asked", torch.zeros(1))

    def forward(self, x):
        {forward}
        return self.line(x)


def module():
    return Small()
"""


def written(folder: Path, code: str, **beside: str) -> None:
    for name, text in {"module": code, **beside}.items():
        (folder / f"{name}.py").write_text(text)


def built(folder: Path) -> Any:
    """The module as a team would make it, from its own file."""
    spec = importlib.util.spec_from_file_location("of_the_team", folder / "module.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.path.append(str(folder))
    try:
        spec.loader.exec_module(found)
        return found.module()
    finally:
        sys.path.remove(str(folder))


def fit(module: Any, inputs: tuple[Any, ...], loss: Callable[[Any], Any], *, steps: int = 60) -> None:
    optimiser = torch.optim.Adam(module.parameters(), 0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(module(*inputs)).backward()
        optimiser.step()


def digits(_: Batch) -> Case:
    with np.load(Path.cwd().parents[2] / "datasets_for_tests" / "digits.npz") as stored:
        images, labels = stored["values"].astype(np.float32).reshape(-1, 1, 8, 8), stored["labels"]

    def save(folder: Path) -> None:
        written(folder, DIGITS, layers_of_digits=LAYERS)
        torch.manual_seed(1)
        answers = torch.from_numpy(labels[:1000]).long()
        module = built(folder)
        fit(module, (torch.from_numpy(images[:1000]),), lambda found: nn.functional.nll_loss(found[0].log(), answers))
        torch.save(module.state_dict(), folder / "state_dict.pt")
        np.savez(folder / "example.npz", image=images[:2])
        _keep_answers(module, torch.from_numpy(images[1000:]), folder.parent)

    outputs = [("digit", "float32", [10]), ("label", "int64", [1])]
    return {"save": save, "samples": {"image": images[1000:]}, "outputs": outputs, "trust": ALLOWED}


def _keep_answers(module: Any, images: Any, folder: Path) -> None:
    """As the team measures it, and as it answers while it trains."""
    torch.manual_seed(2)
    with torch.no_grad():
        asked, training = (module.train(mode)(images)[0].numpy() for mode in (False, True))  # the last changes it
    write_batch(folder / "of-the-team.npz", {"training": training, "asked": asked})


def late(examples: int = 2) -> Callable[[Batch], Case]:
    def case(flights: Batch) -> Case:
        origins = np.unique(flights["origin"].astype(str), return_inverse=True)[1].reshape(-1, 1).astype(np.int64)
        delays = flights["dep_delay"].astype(np.float64)
        samples = {"delay": delays, "distance": flights["distance"], "origin": origins}  # in another order

        def save(folder: Path) -> None:
            written(folder, LATE)
            torch.manual_seed(1)
            module = built(folder)
            inputs = tuple(torch.from_numpy(samples[name][:1500]) for name in ("origin", "distance", "delay"))
            wanted = torch.from_numpy(flights["late"][:1500].astype(np.float32)).reshape(-1, 1)
            fit(module, inputs, lambda found: nn.functional.binary_cross_entropy(found["p"], wanted))
            torch.save(module.state_dict(), folder / "state_dict.pt")
            rows: dict[str, Any] = dict(take(samples, slice(0, examples)))
            np.savez(folder / "example.npz", **rows)

        asked = take(samples, slice(1500, None))
        return {"save": save, "samples": asked, "edges": _edges(asked), "outputs": PROBABILITY, "trust": ALLOWED}

    return case


def _edges(samples: Batch) -> dict[str, Any]:
    """Awkward distances, then origins that the table does not have."""
    rows = len(AWKWARD)
    edges = {name: np.repeat(column[:1], rows + 4, axis=0) for name, column in samples.items()}
    edges["distance"][:rows, 0] = AWKWARD
    edges["origin"][rows:, 0] = (3, 2**24 + 1, -1, 2)
    return edges


Change = Callable[[Path], object]


def small(
    forward: str = "pass", *, change: Change | None = None, code: str | None = None, **more: Any
) -> Callable[[Batch], Case]:
    """Two columns, a line through them; `change` is done to the folder after all was saved."""

    def save(folder: Path) -> None:
        written(folder, SMALL.format(forward="pass"))
        torch.manual_seed(1)
        torch.save(built(folder).state_dict(), folder / "state_dict.pt")
        np.savez(folder / "example.npz", x=np.ones((2, 2), np.float32))
        written(folder, code or SMALL.format(forward=forward))
        if change:
            change(folder)

    samples = {"x": np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32)}
    return lambda _: {"save": save, "samples": samples, "outputs": PROBABILITY, "trust": ALLOWED, **more}


def weights(change: Callable[[dict[str, Any]], object]) -> Change:
    """Saved with what `change` makes of them."""

    def write(folder: Path) -> None:
        state = torch.load(folder / "state_dict.pt", weights_only=True)
        torch.save(change(state), folder / "state_dict.pt")

    return write


def examples(**columns: Any) -> Change:
    return lambda folder: np.savez(folder / "example.npz", **columns)


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


STAYS = SMALL.replace(
    "def forward", "def train(self, mode=True):\n        return super().train(True)\n\n    def forward"
)
ONES = np.ones((2, 2), np.float32)
CASES: Mapping[str, Callable[[Batch], Case]] = {
    "digits": digits,
    "late": late(),
    "late, one example": late(examples=1),
    "no policy": small(
        trust={"pickle": True, "types": []}, change=lambda folder: (folder / "module.py").write_bytes(b"\xff")
    ),
    "an exported program beside": small(change=lambda folder: (folder / "model.pt2").write_bytes(b"PK")),
    "a weight less": small(change=weights(lambda state: {k: v for k, v in state.items() if k != "line.bias"})),
    "a weight more": small(change=weights(lambda state: {**state, "other.bias": torch.zeros(1)})),
    "a weight of another shape": small(change=weights(lambda state: {**state, "line.weight": torch.zeros(1, 3)})),
    "a checkpoint": small(change=weights(lambda state: {"model": state, "epoch": 7})),
    "a whole module": small(change=lambda folder: torch.save(nn.Linear(2, 1), folder / "state_dict.pt")),
    "no weights": small(change=without("state_dict.pt")),
    "no examples": small(change=without("example.npz")),
    "examples of another name": small(change=examples(y=ONES)),
    "examples of another type": small(change=examples(x=ONES.astype(np.float64))),
    "examples without a row": small(change=examples(x=ONES[:0])),
    "packed examples": small(change=lambda folder: np.savez_compressed(folder / "example.npz", x=ONES)),
    "other arguments": small(code=SMALL.format(forward="pass").replace("self, x", "self, y, z")),
    "refuses its examples": small("assert x.sum() > 100, 'too small'"),
    "chooses by values": small("x = x if x.sum() > 0 else -x"),
    "batch of two": small("x = x.reshape(2, 2)"),
    "goes on training": small(code=STAYS.format(forward="pass")),
    "drops values when asked": small("x = functional.dropout(x)"),
    "learns when asked": small(
        "x = functional.batch_norm(x, self.norm.running_mean, self.norm.running_var, training=True)"
    ),
    "counts questions": small("self.asked += 1"),
    "fails": small(code="import nothing_that_is_there"),
    "ends": small(code="import sys; sys.exit(0)"),
    "no function": small(code="import torch"),
    "no module": small(code="def module(): return 7"),
    "no UTF-8": small(change=lambda folder: (folder / "module.py").write_bytes(b"name = '\xff'")),
    "no Python": small(code="def module(:"),
}


if __name__ == "__main__":
    convert_all(pytorch, CASES, json.loads(Path(sys.argv[1]).read_text()))
