"""Train PyTorch models, export and convert them: runs in the environment of PyTorch.

The folder of the data sets must lie beside the one of this script.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from slipway.converters import pytorch
from slipway.domain.rows import Batch, take
from torch import nn
from trained_for_tests import AWKWARD, Case, convert_all

PROBABILITY = [("p", "float32", [1])]
FIRST_SECOND = 1_000_000.0  # near it, float32 has steps of 1/16
BATCH = torch.export.Dim("batch")


class Digits(nn.Module):  # type: ignore[misc]  # PyTorch is not there where types are checked
    """Images of 8 × 8, with layers that behave otherwise in training."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(144, 10),
        )

    def forward(self, image: Any) -> Any:
        probabilities = torch.softmax(self.seen(image / 16), 1)
        return probabilities, probabilities.argmax(1)


class Diabetes(nn.Module):  # type: ignore[misc]  # same
    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, measured: Any) -> Any:
        return self.network(measured * 20) * 100 + 150


class Late(nn.Module):  # type: ignore[misc]  # same
    """An id, a number and seconds in float64; answers by name."""

    def __init__(self) -> None:
        super().__init__()
        self.origins = nn.Embedding(3, 4)
        self.network = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, origin: Any, distance: Any, seconds: Any) -> Any:
        since = (seconds - FIRST_SECOND).to(torch.float32)
        known = self.origins(origin).flatten(1)
        return {"p": self.network(torch.cat([known, distance / 1000, since], 1))}


class Unknown(nn.Module):  # type: ignore[misc]  # same
    """The exporter to ONNX does not know Bessel functions."""

    def forward(self, x: Any) -> Any:
        return torch.special.modified_bessel_i1(x) + torch.special.i0(x)


def fit(model: Any, inputs: tuple[Any, ...], loss: Callable[[Any], Any], *, steps: int = 60) -> Any:
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(*inputs)).backward()
        optimiser.step()
    return model.eval()


def exported(model: Any, *examples: Any, free: bool = True) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        shapes = tuple({0: BATCH} for _ in examples) if free else None
        torch.export.save(torch.export.export(model, examples, dynamic_shapes=shapes), folder / "model.pt2")

    return save


def data_set(name: str) -> tuple[Any, Any]:
    with np.load(Path.cwd().parents[2] / "datasets_for_tests" / f"{name}.npz") as stored:
        return stored["values"].astype(np.float32), stored["labels"]


def trained_digits() -> tuple[Any, Any]:
    values, labels = data_set("digits")
    images = values.reshape(-1, 1, 8, 8)
    torch.manual_seed(1)
    answers = torch.from_numpy(labels[:1000]).long()
    model = fit(
        Digits(), (torch.from_numpy(images[:1000]),), lambda found: nn.functional.nll_loss(found[0].log(), answers)
    )
    return model, images


def digits(_: Batch) -> Case:
    model, images = trained_digits()
    outputs = [("digit", "float32", [10]), ("label", "int64", [1])]
    return {"save": exported(model, torch.zeros(2, 1, 8, 8)), "samples": {"image": images[1000:]}, "outputs": outputs}


def diabetes(name: str = "measured", **more: Any) -> Callable[[Batch], Case]:
    def case(_: Batch) -> Case:
        values, target = data_set("diabetes")
        torch.manual_seed(1)
        wanted = torch.from_numpy(target.astype(np.float32))[:, None]
        model = fit(Diabetes(), (torch.from_numpy(values),), lambda found: ((found - wanted) ** 2).mean() / 1000)
        save = exported(model, torch.zeros(3, 10))
        return {"save": save, "samples": {name: values}, "outputs": [("target", "float32", [1])], **more}

    return case


def late(**more: Any) -> Callable[[Batch], Case]:
    def case(flights: Batch) -> Case:
        origins = np.unique(flights["origin"].astype(str), return_inverse=True)[1].reshape(-1, 1).astype(np.int64)
        seconds = FIRST_SECOND + flights["dep_delay"].astype(np.float64) / 60 + 0.001
        samples = {"seconds": seconds, "distance": flights["distance"], "origin": origins}  # in another order
        torch.manual_seed(1)
        inputs = tuple(torch.from_numpy(samples[name][:1500]) for name in ("origin", "distance", "seconds"))
        wanted = torch.from_numpy(flights["late"][:1500].astype(np.float32)).reshape(-1, 1)
        model = fit(Late(), inputs, lambda found: nn.functional.binary_cross_entropy(found["p"], wanted))
        save = exported(model, *(one[:2] for one in inputs))
        asked = take(samples, slice(1500, None))
        return {"save": save, "samples": asked, "edges": _edges(asked), "outputs": PROBABILITY, **more}

    return case


def _edges(samples: Batch) -> dict[str, Any]:
    """Awkward distances, then origins that the table does not have."""
    rows = len(AWKWARD)
    edges = {name: np.repeat(column[:1], rows + 4, axis=0) for name, column in samples.items()}
    edges["distance"][:rows, 0] = AWKWARD
    edges["origin"][rows:, 0] = (3, 2**24 + 1, -1, 2)
    return edges


class _Planted:
    def __reduce__(self) -> Any:
        return os.system, ("touch planted",)


def with_harmful_examples(folder: Path) -> None:
    """PyTorch unpickles the example inputs without any limit where its careful way fails."""
    exported(Diabetes().eval(), torch.zeros(3, 10))(folder)
    _rewrite(folder / "model.pt2", {"data/sample_inputs/model.pt": pickle.dumps(_Planted())})


def with_harmful_guards(folder: Path) -> None:
    """PyTorch runs the guards of a program as Python."""
    exported(Diabetes().eval(), torch.zeros(3, 10))(folder)
    with zipfile.ZipFile(folder / "model.pt2") as archive:
        program = json.loads(archive.read("model/models/model.json"))
    program["guards_code"] = ["__import__('os').system('touch planted') == 0"]
    _rewrite(folder / "model.pt2", {"models/model.json": json.dumps(program).encode()})


def _rewrite(file: Path, changed: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, changed.get(name.partition("/")[2], content))


def small(model: Any, save: Callable[..., Callable[[Path], None]] = exported, **more: Any) -> Callable[[Batch], Case]:
    samples = {"x": np.zeros((3, 1), np.float32)}
    return lambda _: {"save": save(model, torch.zeros(2, 1)), "samples": samples, "outputs": PROBABILITY, **more}


def pickled(model: Any, _: Any) -> Callable[[Path], None]:
    return lambda folder: torch.save(model, folder / "model.pt")


def untouched(save: Callable[[Path], None]) -> Callable[[Batch], Case]:
    values = np.random.default_rng(1).normal(size=(50, 10)).astype(np.float32)
    return lambda _: {"save": save, "samples": {"measured": values}, "outputs": [("target", "float32", [1])]}


LINEAR = nn.Linear(1, 1).eval()
CASES: dict[str, Callable[[Batch], Case]] = {
    "digits": digits,
    "diabetes": diabetes(),
    "diabetes, by order": diabetes("patient"),
    "late": late(),
    "harmful examples": untouched(with_harmful_examples),
    "harmful guards": untouched(with_harmful_guards),
    "pickle": small(LINEAR, pickled),
    "fixed batch": small(LINEAR, lambda model, example: exported(model, example, free=False)),
    "training": small(nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)).train()),
    "some names": late(outputs=[("p", "float32", [1]), ("q", "float32", [1])]),
    "other type": small(LINEAR, samples={"x": np.zeros((3, 1))}),
    "other width": small(LINEAR, samples={"x": np.zeros((3, 2), np.float32)}),
    "other answer": small(LINEAR, outputs=[("p", "float32", [3])]),
    "answer of another type": small(LINEAR, outputs=[("p", "int64", [1])]),
    "unknown part": small(Unknown().eval()),
    "broken": small(LINEAR, lambda *_: lambda folder: (folder / "model.pt2").write_bytes(b"PK") and None),
}


if __name__ == "__main__":
    convert_all(pytorch, CASES, json.loads(Path(sys.argv[1]).read_text()))
