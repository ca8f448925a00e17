"""Hostile sources on the whole way of a release: refused, and held by the sandbox where a policy lets them in."""

from __future__ import annotations

import json
import pickle
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slipway.adapters.processes import environments
from slipway.adapters.processes.environments import Limits
from slipway.converters.batches import write_batch
from slipway.domain.limits import SourcesLimit
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.errors import ConversionFailed, ModelRefused

from tests.unit.converters.hostile.attempts_for_tests import Exec
from tests.unit.converters.hostile.conftest import ROOT

_SIGNATURE = Signature(
    inputs=(Tensor(name="x", dtype=DataType.FLOAT32, shape=(3,)),),
    outputs=(Tensor(name="p", dtype=DataType.FLOAT32),),
)
_ALLOWED = SourcesLimit(pickle=True)


def _convert(folder: Path, *, limits: Limits | None = None, trust: SourcesLimit | None = None) -> Any:
    """As `convert-to-onnx` does it, in the environment of scikit-learn."""
    requirements = ROOT / "requirements" / "scikit-learn.txt"
    (folder / "out").mkdir(exist_ok=True)
    write_batch(folder / "rows.npz", {"x": np.zeros((4, 3), np.float32)})
    return environments.convert(
        environments.environment_for("scikit-learn", requirements=requirements),
        "scikit-learn",
        source=folder / "source",
        samples=folder / "rows.npz",
        edges=folder / "rows.npz",
        signature=_SIGNATURE,
        trust=trust,
        out=folder / "out",
        folder=folder / "process",
        limits=limits or Limits(seconds=60),
    )


def _pickled(folder: Path, code: str) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "model.pkl").write_bytes(pickle.dumps(Exec(code)))


def test_without_a_policy_nothing_of_a_pickle_runs(tmp_path: Path) -> None:
    """The wall in front of the sandbox."""
    _pickled(tmp_path, f"open({str(tmp_path / 'out' / 'canary')!r}, 'w')")

    with pytest.raises(ModelRefused, match="a pickle runs any code"):
        _convert(tmp_path)

    assert not (tmp_path / "out" / "canary").exists()


_LOOK = """
import glob, json, os, socket
def said(attempt):
    try: return repr(attempt())
    except Exception as error: return type(error).__name__
def environ_of_others():
    return [path for path in glob.glob('/proc/[0-9]*/environ') if 'a-secret' in said(lambda: open(path).read())]
seen = dict(
    network=said(lambda: socket.create_connection(('127.0.0.1', {port}), timeout=3)),
    engine=said(lambda: socket.socket(socket.AF_UNIX)),
    key=said(lambda: open({key!r}).read()),
    homes=[said(lambda: os.listdir(home)) for home in ('/root', '/home')],
    variables='a-secret' in json.dumps(dict(os.environ)),
    others=environ_of_others(),
    home=os.listdir(os.path.expanduser('~')),
    planted=said(lambda: open({planted!r}, 'w')),
    readable=said(lambda: open('/etc/passwd').read())[:5],
)
open({out!r}, 'w').write(json.dumps(seen))
"""


def test_where_a_policy_allows_a_pickle_its_code_reaches_nothing_that_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The team trusted the file, and may be wrong: no network, no variable, no home, no other file of the machine."""
    monkeypatch.setenv("GITHUB_TOKEN", "a-secret")
    (tmp_path / "key").write_text("a-secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = _LOOK.format(
            port=server.getsockname()[1],
            key=str(tmp_path / "key"),
            planted=str(tmp_path / "planted"),
            out=str(tmp_path / "out" / "seen.json"),
        )
        _pickled(tmp_path, code)

        with pytest.raises(ConversionFailed):  # what the code leaves is no model
            _convert(tmp_path, trust=_ALLOWED)

        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    seen = json.loads((tmp_path / "out" / "seen.json").read_text())
    assert seen["network"] == seen["engine"] == seen["key"] == seen["planted"] == "PermissionError"
    assert set(seen["homes"]) <= {"PermissionError", "FileNotFoundError"}
    assert (seen["variables"], seen["others"], seen["home"]) == (False, [], [])
    assert seen["readable"] == "'root", "what it can still do: read what the system shows everybody"


_FORGED = '{"tools": {}, "noise_floor": {}, "edges_that_raised": []}'
_FORGE = f"open('../answer/result.json', 'w').write({_FORGED!r})"
_ENDS = {
    "it crashes": ("import ctypes; ctypes.string_at(0)", r"crashed \(SIGSEGV\)"),
    "it hangs": ("import time; time.sleep(600)", "did not end within 5 s"),
    "it takes all memory": ("x = [bytearray(1 << 30) for _ in range(64)]", "ran out of memory"),
    "it leaves somebody": (
        "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True); import os; os._exit(0)",
        "left 1 others running",
    ),
    "it answers by itself": (
        "import json, os; os.makedirs('x'); open('../answer/result.json', 'w').write('{\"tools\": 1}'); os._exit(0)",
        "left a result that cannot be read",
    ),
    "it hands us a file of the machine": (
        f"import os; os.symlink('/etc/passwd', '../../out/model.onnx'); {_FORGE}; os._exit(0)",
        r"left `model\.onnx`, which is no file of its own",
    ),
}


@pytest.mark.parametrize("end", _ENDS)
def test_however_its_code_ends_the_error_says_how(tmp_path: Path, end: str) -> None:
    """A release that is attacked ends as one that fails: with a page that says so, and everybody else unharmed."""
    code, problem = _ENDS[end]
    _pickled(tmp_path, code)

    with pytest.raises(ConversionFailed, match=problem) as raised:
        _convert(tmp_path, trust=_ALLOWED, limits=Limits(seconds=5 if end == "it hangs" else 60, memory_bytes=4 << 30))

    assert raised.value.mend
