"""Environments that are made once, of pinned files. Real uv."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uv
from slipway.adapters.processes.pinned import environment_for
from slipway.errors import BadFile, Unreachable

ROOT = Path(__file__).parents[4]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "environments"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The pinned lines of one small package, taken from ours."""
    pinned = (ROOT / "requirements" / "tensorflow.txt").read_text()
    lines = re.search(r"^six==.*\n(?:    --hash=.*\n)+", pinned, re.MULTILINE)
    assert lines is not None
    (tmp_path / "small.txt").write_text(lines[0])
    return tmp_path / "small.txt"


def test_an_environment_holds_what_is_pinned_and_is_made_once(
    cache: Path, small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TensorFlow's takes 10 seconds and 1.5 GB; every release after the first should start at once."""
    caplog.set_level(logging.INFO)

    python = environment_for("small", requirements=small)
    again = environment_for("small", requirements=small)

    assert again == python
    assert python.is_relative_to(cache)
    assert subprocess.run([python, "-c", "import six"], check=True).returncode == 0
    assert [record.message for record in caplog.records if "making the environment of small" in record.message] == [
        f"making the environment of small in {python.parents[1]} (once; it takes a while)"
    ]


def test_other_pins_make_another_environment(cache: Path, small: Path) -> None:
    """A release of last year must not run in the packages of this one."""
    before = environment_for("small", requirements=small)
    small.write_text(f"# changed\n{small.read_text()}")

    assert environment_for("small", requirements=small) != before
    assert re.fullmatch(r"small-[0-9a-f]{12}", before.parents[1].name)


def test_an_environment_that_was_not_finished_is_made_again(cache: Path, small: Path) -> None:
    """A build that was killed leaves a folder that looks whole."""
    folder = environment_for("small", requirements=small).parents[1]
    shutil.rmtree(next(folder.glob("lib/python*/site-packages")))
    (folder / ".complete").unlink()

    python = environment_for("small", requirements=small)

    assert subprocess.run([python, "-c", "import six"], check=True).returncode == 0


def test_an_environment_whose_python_is_gone_is_made_again(cache: Path, small: Path) -> None:
    """Interpreters are upgraded; the link in the environment then points at nothing."""
    python = environment_for("small", requirements=small)
    python.unlink()
    python.symlink_to("/nowhere/python3")

    assert environment_for("small", requirements=small).exists()


def test_pytorch_that_is_not_found_is_refused_with_the_places_to_look(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its build without CUDA is on no package index but its own, which not everybody can reach."""
    cache.parent.mkdir()
    (tmp_path / "pytorch.txt").write_text(f"torch==2.13.0+cpu --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)

    for folder in (None, tmp_path):
        if folder:
            monkeypatch.setenv("UV_FIND_LINKS", str(folder))
        with pytest.raises((BadFile, Unreachable), match=r"PyTorch's build .*UV_TORCH_BACKEND=cpu.*UV_FIND_LINKS"):
            environment_for("pytorch", requirements=tmp_path / "pytorch.txt")


def _wheel(folder: Path, tag: str) -> Path:
    """PyTorch of another kind: a wheel without any content, which uv takes for one by its name."""
    file, described = folder / f"torch-2.13.0+cpu-{tag}.whl", "torch-2.13.0+cpu.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{described}/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cpu\n")
        archive.writestr(f"{described}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{described}/RECORD", "")
    return file


_PLATFORM = f"manylinux_2_28_{platform.machine()}"
_OURS = f"cp{sys.version_info.major}{sys.version_info.minor}"
_TAGS = {
    "another Python": f"cp39-cp39-{_PLATFORM}",
    "another machine": f"{_OURS}-{_OURS}-manylinux_2_28_s390x",
    "a wheel that the file has no hash of": f"{_OURS}-{_OURS}-{_PLATFORM}",
}


@pytest.mark.parametrize("wheel", _TAGS)
def test_a_python_or_machine_that_pytorch_is_not_pinned_for_is_named_with_the_mend(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: str
) -> None:
    """The file may have been written where only one wheel could be had, and a runner of GitHub have another Python."""
    cache.parent.mkdir()
    (tmp_path / "pytorch.txt").write_text(f"torch==2.13.0+cpu --hash=sha256:{'0' * 64}\n")
    _wheel(tmp_path, _TAGS[wheel])
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))

    with pytest.raises(BadFile) as raised:
        environment_for("pytorch", requirements=tmp_path / "pytorch.txt")

    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    assert f"pytorch.txt cannot be installed for {here}" in raised.value.problem
    assert f"pytorch.txt has no hash of PyTorch's wheel for {here}" in raised.value.mend
    assert "`make requirements`" in raised.value.mend


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index on this machine, with wheels of PyTorch for three Pythons; its address."""
    page = tmp_path / "index" / "torch" / "index.html"
    page.parent.mkdir(parents=True)
    wheels = [_wheel(page.parent, f"{python}-{python}-{_PLATFORM}") for python in ("cp311", "cp312", "cp313")]
    links = [f'<a href="{one.name.replace("+", "%2B")}#sha256={_sha256(one)}">{one.name}</a>' for one in wheels]
    page.write_text("\n".join(links))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=tmp_path / "index")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_make_requirements_adds_the_hashes_of_every_python(tmp_path: Path, index: str) -> None:
    """By itself uv keeps the hashes that it finds in the file, so that the mend above would change nothing."""
    known = _sha256(next((tmp_path / "index").rglob("*cp311*.whl")))
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "pytorch.txt").write_text(f"torch==2.13.0+cpu --hash=sha256:{known}\n")
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\npytorch = ["torch==2.13.0+cpu"]\n')
    (tmp_path / "none").mkdir()
    variables = {**os.environ, "UV_DEFAULT_INDEX": index, "UV_FIND_LINKS": str(tmp_path / "none")}
    planned = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "requirements", f"UV={uv.find_uv_bin()}"],
        cwd=ROOT,
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.replace("\\\n", " ")
    command = next(line for line in planned.splitlines() if "-o requirements/pytorch.txt" in line)

    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=variables, check=True)

    locked = (tmp_path / "requirements" / "pytorch.txt").read_text()
    assert {_sha256(one) in locked for one in (tmp_path / "index").rglob("*.whl")} == {True}
    assert locked.count("--hash") == 3


def test_two_who_ask_at_once_get_one_environment(cache: Path, small: Path) -> None:
    """Two models released at the same time share a machine; half of one and half of the other is no environment."""
    with ThreadPoolExecutor(4) as pool:
        pythons = list(pool.map(lambda _: environment_for("small", requirements=small), range(4)))

    assert len(set(pythons)) == 1
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1


def test_a_package_that_is_not_what_its_hash_says_is_refused(cache: Path, small: Path) -> None:
    """The hashes are what keeps a stolen package name out of the process that sees the model."""
    small.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, small.read_text()))

    with pytest.raises(BadFile, match=r"small\.txt cannot be installed"):
        environment_for("small", requirements=small)


def test_requirements_that_are_not_there_are_named(cache: Path, tmp_path: Path) -> None:
    """A generated repository that lost the file should be told which one."""
    with pytest.raises(BadFile, match=r"none\.txt cannot be read"):
        environment_for("small", requirements=tmp_path / "none.txt")
