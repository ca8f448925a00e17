"""The layer of a release has one digest, whoever writes it."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.registry.layer import MODEL_FILES, model_layer, tar_layer
from slipway.errors import BadFile

FILES = st.dictionaries(st.sampled_from(sorted(MODEL_FILES - {"model.onnx"})), st.binary(max_size=2000)).flatmap(
    lambda rest: st.binary(max_size=5000).map(lambda model: {**rest, "model.onnx": model})
)


@given(files=FILES, seed=st.randoms(use_true_random=False))
def test_order_does_not_change_the_digest(files: dict[str, bytes], seed: object) -> None:
    """A dictionary's order is an accident of the code that fills it."""
    shuffled = list(files.items())
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert model_layer(dict(shuffled)).digest == model_layer(files).digest


def test_times_modes_and_places_of_files_do_not_change_the_digest(tmp_path: Path) -> None:
    """A checkout gives files the time of the checkout and the mode of the umask."""
    content = {"model.onnx": b"weights" * 999, "README.md": b"# card\n"}
    expected = model_layer(content).digest
    for folder, time, mode in (("a", 0, 0o600), ("b/c", 1_700_000_000, 0o777)):
        (tmp_path / folder).mkdir(parents=True)
        paths = {name: tmp_path / folder / name for name in content}
        for name, path in paths.items():
            path.write_bytes(content[name])
            os.utime(path, (time, time))
            path.chmod(mode)
        assert model_layer(paths).digest == expected


def test_the_digest_is_this_one() -> None:
    """A change of the tar's form would give every released model another digest: it must be a decision."""
    layer = model_layer({"model.onnx": b"weights", "identity.json": b"{}"})
    assert layer.digest == "sha256:14b92e75bf728efe639fa21e11a934da5e08471f3c1e8877fe04cc1d43605590"


@given(files=FILES)
def test_digest_and_size_are_those_of_the_bytes_sent(files: dict[str, bytes]) -> None:
    """They go into the manifest before the bytes are sent."""
    layer = model_layer(files)
    sent = b"".join(layer.open())
    assert (f"sha256:{hashlib.sha256(sent).hexdigest()}", len(sent)) == (layer.digest, layer.size)


@given(files=FILES)
def test_any_tar_reader_finds_the_files(files: dict[str, bytes]) -> None:
    """Container engines read the layer, not we."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(model_layer(files).open())), mode="r:") as tar:
        entries = tar.getmembers()
        found = {entry.name: tar.extractfile(entry).read() for entry in entries if entry.isreg()}  # type: ignore[union-attr]
    assert found == {f"model/{name}": content for name, content in files.items()}
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, 0, "", "")}
    assert {(entry.isdir(), entry.mode) for entry in entries} == {(True, 0o755), (False, 0o644)}


def test_a_large_model_is_never_held_whole(tmp_path: Path) -> None:
    """Models have gigabytes; the machine that releases them may not."""
    model = tmp_path / "model.onnx"
    with model.open("wb") as file:
        file.truncate(200 << 20)
    tracemalloc.start()
    layer = model_layer({"model.onnx": model})
    assert sum(map(len, layer.open())) == layer.size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_names_that_ustar_cannot_hold_are_kept() -> None:
    """A base image holds files of packages that we did not name."""
    name = "server/" + "ü" * 120 + "/" + "x" * 150
    with tarfile.open(fileobj=io.BytesIO(b"".join(tar_layer({name: b"1"}).open()))) as tar:
        assert name in tar.getnames()


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "", ".", "a/", "a\0b"])
def test_a_path_that_leaves_the_image_is_refused(name: str) -> None:
    """An engine may write it anywhere."""
    with pytest.raises(BadFile, match="no path inside an image"):
        tar_layer({name: b""})


@pytest.mark.parametrize("names", [[], ["README.md"], ["model.onnx", "weights.bin"]])
def test_a_layer_that_is_no_models_is_refused(names: list[str]) -> None:
    """What is put in must be what the server and `pull` take out."""
    with pytest.raises(BadFile, match=r"model\.onnx"):
        model_layer(dict.fromkeys(names, b""))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """An earlier step has not run."""
    with pytest.raises(BadFile, match=r"model\.onnx is not there"):
        model_layer({"model.onnx": tmp_path / "model.onnx"})


def test_a_file_that_grows_between_the_passes_is_noticed(tmp_path: Path) -> None:
    """Digest first, bytes second: between them the file may change."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"one")
    sending = model_layer({"model.onnx": model}).open()
    next(sending)
    next(sending)
    model.write_bytes(b"longer")
    with pytest.raises(BadFile, match="changed while it was read"):
        list(sending)
