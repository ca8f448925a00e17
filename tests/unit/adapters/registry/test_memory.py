"""What an append holds in memory: a few pieces of the model, however large it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.remote import RemoteRegistry

from tests.unit.adapters.registry.releases import WEIGHTS, with_base

LARGE = 200 << 20  # bytes; nothing in the client knows any size but that of a piece
MOST = 64 << 20
RELEASE = """
import sys
from pathlib import Path
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.registry.remote import RemoteRegistry
from tests.unit.adapters.registry.releases import ORIGIN
host, prefix, model = sys.argv[1:]
home = RemoteRegistry(host, prefix)
layer = model_layer({"model.onnx": Path(model)})
append_layer(home, "large", base=Base(home, "runtime", "v1"), layer=layer, origin=ORIGIN, tag="v1.0.0")
print(layer.is_compressed, layer.size)
print(Path("/proc/self/status").read_text())
"""


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_model_of_any_size_is_sent_in_less_than_64_megabytes(
    is_compressed: bool, registry_host: str, remote: Registry, tmp_path: Path
) -> None:
    """A runner has two cores and little memory, and a model may have gigabytes."""
    with_base(remote)
    prefix = remote.repository("x").name.removesuffix("/x")
    assert isinstance(remote, RemoteRegistry)
    model = tmp_path / "model.onnx"
    with model.open("wb") as file:  # weights at its start decide; the rest are zeros that take no disk
        file.write(b"" if is_compressed else WEIGHTS * 2)
        file.truncate(LARGE)

    command = [sys.executable, "-c", RELEASE, registry_host, prefix, str(model)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)

    told, size = done.stdout.splitlines()[0].split()
    assert (told, int(size) > LARGE) == (str(is_compressed), not is_compressed)
    peak = re.search(r"^VmHWM:\s+(\d+) kB", done.stdout, re.MULTILINE)
    assert peak is not None
    assert int(peak[1]) * 1024 < MOST
