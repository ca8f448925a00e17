"""Code of a PyTorch module on the whole way of a release: refused, or held by the sandbox where a policy allows it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slipway.adapters.onnx_session import open_model
from slipway.adapters.processes import environments, isolation
from slipway.adapters.processes.environments import Converted, Limits
from slipway.converters.batches import read_batch, write_batch
from slipway.domain.limits import SourcesLimit
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.errors import ModelRefused

from tests.unit.converters.hostile.conftest import ROOT

_SIGNATURE = Signature(
    inputs=(Tensor(name="x", dtype=DataType.FLOAT32, shape=(3,)),),
    outputs=(Tensor(name="p", dtype=DataType.FLOAT32),),
)
_MODULE = """
import torch
def module():
    return torch.nn.Linear(3, 1)
"""
_SAVE = "import sys, torch; torch.manual_seed(1); torch.save(torch.nn.Linear(3, 1).state_dict(), sys.argv[1])"
_LOOK = """
import glob, importlib, json, os, socket, subprocess, sys
def said(attempt):
    try: return repr(attempt())
    except Exception as error: return type(error).__name__
def imported(folder):
    sys.path.insert(0, folder)
    return importlib.import_module("outside")
seen = dict(
    network=said(lambda: socket.create_connection(("127.0.0.1", {port}), timeout=3)),
    engine=said(lambda: socket.socket(socket.AF_UNIX)),
    key=said(lambda: open({beside!r} + "/key").read()),
    canary=said(lambda: open({beside!r} + "/canary", "w")),
    itself=said(lambda: open(__file__, "a")),
    program=said(lambda: subprocess.run(["cat", {beside!r} + "/key"], check=True)),
    outside=said(lambda: imported({beside!r})),
    variables="a-secret" in json.dumps(dict(os.environ)),
)
open({out!r}, "w").write(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return environments.environment_for("pytorch", requirements=ROOT / "requirements" / "pytorch.txt")


@pytest.fixture(scope="module")
def weights(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "state_dict.pt"
    subprocess.run([python, "-c", _SAVE, file], check=True)
    return file


def _save(folder: Path, weights: Path, *, code: str) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "module.py").write_text(code + _MODULE)
    shutil.copy(weights, folder / "source")
    np.savez(folder / "source" / "example.npz", x=np.ones((2, 3), np.float32))


def _convert(folder: Path, python: Path, *, trust: SourcesLimit | None = None) -> Converted:
    """As `convert-to-onnx` does it."""
    (folder / "out").mkdir()
    write_batch(folder / "rows.npz", {"x": np.eye(3, dtype=np.float32)})
    return environments.convert(
        python,
        "pytorch",
        source=folder / "source",
        samples=folder / "rows.npz",
        edges=folder / "rows.npz",
        signature=_SIGNATURE,
        trust=trust,
        out=folder / "out",
        folder=folder / "process",
        limits=Limits(seconds=120),
    )


def test_without_a_policy_nothing_of_the_code_runs(tmp_path: Path, python: Path, weights: Path) -> None:
    """The wall in front of the sandbox; a policy that allows pickles allows no code."""
    _save(tmp_path, weights, code=f"open({str(tmp_path / 'out' / 'canary')!r}, 'w')\n")

    with pytest.raises(ModelRefused, match=r"module\.py is code"):
        _convert(tmp_path, python, trust=SourcesLimit(pickle=True))

    assert not (tmp_path / "out" / "canary").exists()


def test_where_a_policy_allows_the_code_it_builds_its_model_and_reaches_nothing_that_is_ours(
    tmp_path: Path, python: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The team trusted the file, and may be wrong; what it is for, it can do all the same."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "key").write_text("a-secret")
    (tmp_path / "beside" / "outside.py").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, out = server.getsockname()[1], str(tmp_path / "out" / "seen.json")
        _save(tmp_path, weights, code=_LOOK.format(port=port, beside=str(tmp_path / "beside"), out=out))

        told = _convert(tmp_path, python, trust=SourcesLimit(python=True))

        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    seen: dict[str, Any] = json.loads(Path(out).read_text())
    assert {seen[one] for one in ("network", "engine", "key", "canary", "itself")} == {"PermissionError"}
    assert (seen["program"], seen["outside"]) == ("CalledProcessError", "ModuleNotFoundError")
    assert not seen["variables"]
    assert {isolation.NO_SOCKETS, isolation.FILES} <= {*told.isolation}
    answers = open_model(tmp_path / "out" / "model.onnx").predict(read_batch(tmp_path / "rows.npz"))
    np.testing.assert_allclose(answers["p"], read_batch(tmp_path / "out" / "outputs-samples.npz")["p"], atol=2e-6)
