"""The same tag gives the same layer, whoever releases it, where and when. Otherwise nobody could check an image by
building it again, and a release that is run again would push another one under the same tag.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from slipway.adapters.processes import environments
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.repository import Repository
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.release import Image
from slipway.steps import measure_consistency
from slipway.steps.build_image import identity_of

from tests.e2e import flights

_ANOTHER_MACHINE = '''
"""Another name and another day: read by Python at its start."""
import datetime, socket, time
_now = time.time
time.time = lambda: _now() + 400 * 86400
class Later(datetime.datetime):
    __slots__ = ()  # of the size that compiled modules expect
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(days=400)
datetime.datetime = Later
socket.gethostname = lambda: "another-machine"
'''
_CONVERT_TWICE = """
import sys
from pathlib import Path
from slipway.converters import CONVERTERS
from slipway.converters.canonical import canonical, serialise
from slipway.converters.job import Job
source, out, inputs, outputs = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(","), sys.argv[4].split(",")
for number in range(2):
    model = CONVERTERS["tensorflow"].to_onnx(Job(source))
    (out / f"{number}.onnx").write_bytes(serialise(canonical(model, inputs=inputs, outputs=outputs)))
"""


def image_of(checkout: Path) -> Image:
    return flights.record_of(checkout).page(Image, written_by="build-image").body


def test_another_folder_machine_day_and_commit_of_the_tooling_give_the_same_image(
    released: Path, tmp_path: Path
) -> None:
    """A release is run again a year later, elsewhere, by a Slipway that was updated: it must find its own image."""
    checkout = tmp_path / "elsewhere" / "deep" / "down" / "flights"
    flights.git(
        released, "clone", "--quiet", "--bare", str(released.parent / "flights.git"), str(tmp_path / "other.git")
    )
    flights.git(released, "clone", "--quiet", str(tmp_path / "other.git"), str(checkout))
    flights.introduce(checkout)
    _change_the_tooling(checkout)
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "sitecustomize.py").write_text(_ANOTHER_MACHINE)
    (tmp_path / "machine" / "pandas.py").write_text("raise ImportError\n")  # pyarrow's, if there: breaks on `Later`
    environment = flights.variables(checkout, tmp_path / "machine", TZ="Asia/Tokyo", PYTHONHASHSEED="7", LANG="C")
    flights.release(checkout, environment)

    here, there = flights.circumstances(released, "image"), flights.circumstances(checkout, "image")
    assert there["host"] == "another-machine" != here["host"]
    assert there["slipway"] == "0.1.0+later" != here["slipway"]
    assert there["written_at"][:10] > here["written_at"][:10]
    assert image_of(checkout) == image_of(released)


def test_a_used_process_and_other_arithmetic_give_the_same_onnx_file(released: Path, tmp_path: Path) -> None:
    """TensorFlow counts the names that it gave in a process, and oneDNN and threads change the order of sums."""
    record = flights.record_of(released)
    identity = record.page(Identity, written_by="resolve-tag").body
    model = identity.declaration
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "slipway").symlink_to(flights.ROOT / "scripts" / "slipway")
    requirements = flights.ROOT / "requirements" / "tensorflow.txt"
    python = environments.environment_for("tensorflow", requirements=requirements)
    names = [",".join(feature.name for feature in features) for features in (model.inputs, model.outputs)]
    source = record.folder / identity.model_folder / model.source
    done = subprocess.run(
        [str(python), "-s", "-P", "-c", _CONVERT_TWICE, str(source), str(tmp_path), *names],
        env={
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tmp_path / "code"),
            "PYTHONHASHSEED": "random",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TF_ENABLE_ONEDNN_OPTS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    conversion = record.page(Conversion, written_by="convert-to-onnx").body
    expected = record.path(conversion.onnx).read_bytes()
    assert (tmp_path / "0.onnx").read_bytes() == expected
    assert (tmp_path / "1.onnx").read_bytes() == expected


def test_what_onnxruntime_makes_of_the_graph_does_not_reach_the_layer(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another processor or version of onnxruntime optimises otherwise, and answers with other last digits."""
    shutil.copytree(flights.record_of(released).folder, tmp_path / "record")
    for page in (tmp_path / "record").glob("evidence.*.json"):
        page.unlink()
    levels = []
    optimised = onnxruntime.InferenceSession

    def plain(content: bytes, options: Any, **more: Any) -> Any:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        levels.append(options.graph_optimization_level)
        return optimised(content, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", plain)
    record = type(flights.record_of(released))(tmp_path / "record", subject=str(flights.TAG))
    evidence = measure_consistency.run(record, policies=Repository.around(released).policies()).body

    assert levels
    identity = record.page(Identity, written_by="resolve-tag").body
    layer = model_layer(
        {
            "model.onnx": record.path(record.page(Conversion, written_by="convert-to-onnx").body.onnx),
            "identity.json": identity_of(identity),
            "profile.json": record.path(evidence.input_profile),
            "README.md": record.path(identity.card),
        }
    )
    assert layer.digest == image_of(released).layer_digest
    before = flights.record_of(released).page(Evidence, written_by="measure-consistency").body
    assert evidence.input_profile == before.input_profile


def _change_the_tooling(checkout: Path) -> None:
    """A later commit of the default branch: other code and docs, the same model, server and policies."""
    version = checkout / "scripts" / "slipway" / "__init__.py"
    version.write_text(version.read_text().replace('"0.1.0"', '"0.1.0+later"'))
    (checkout / "docs").mkdir(exist_ok=True)
    (checkout / "docs" / "later.md").write_text("Written after the tag.\n")
    flights.git(checkout, "add", "--all")
    flights.git(checkout, "commit", "--quiet", "--message", "Update Slipway")
    flights.git(checkout, "push", "--quiet", "origin", "main")
