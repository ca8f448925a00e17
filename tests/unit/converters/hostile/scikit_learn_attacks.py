"""Hostile pickles and archives of skops; runs in the environment of scikit-learn."""

from __future__ import annotations

import cProfile
import functools
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import skops.io
from attempts_for_tests import Case, Exec, Payload, attempt_all, main
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from slipway.converters import scikit_learn
from slipway.converters.job import Column, Trust

VALUES = np.random.default_rng(1).random((40, 3))
MODEL = LogisticRegression().fit(VALUES, VALUES[:, 0] > 0.5)
COLUMNS = (Column("x", "float32", (3,)),)


class Profiled:
    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return cProfile.run, (self.code,)


def pickled(name: str, dump: Callable[[Any, Path], object], make: Callable[[str], object] = Exec) -> Case:
    return Case(
        lambda folder, payload: dump(make(payload.code), folder / name),
        control=lambda folder: joblib.load(folder / name),
        twin=good,
    )


def by_pickle(value: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(value))


def by_old_pickle(value: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(value, protocol=0))


def by_numpy(value: Any, path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([value], dtype=object), allow_pickle=True)


def good(folder: Path) -> None:
    (folder / "model.skops").write_bytes(skops.io.dumps(MODEL))


def trusting(folder: Path) -> object:
    file = folder / "model.skops"
    return skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))


def partial_of_exec(folder: Path, payload: Payload) -> None:
    skops.io.dump(functools.partial(exec, payload.code), folder / "model.skops")


def transformer(folder: Path, payload: Payload) -> None:
    skops.io.dump(FunctionTransformer(exec, kw_args={}, validate=False), folder / "model.skops")
    (folder.parent / "code").write_text(payload.code)


def entries_of(model: Any = MODEL) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_with(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Callable[[Path, Payload], None]:
    def write(folder: Path, _: Payload) -> None:
        with zipfile.ZipFile(folder / "model.skops", "w") as archive:
            for name, content in change(entries_of()).items():
                archive.writestr(name, content)

    return write


def renamed_class(entries: dict[str, bytes]) -> dict[str, bytes]:
    schema = json.loads(entries["schema.json"])
    schema["__module__"], schema["__class__"] = "os", "system"
    return {**entries, "schema.json": json.dumps(schema).encode()}


def deep(entries: dict[str, bytes]) -> dict[str, bytes]:
    return {**entries, "schema.json": b'{"a":' * 50_000 + b"1" + b"}" * 50_000}


def outside(entries: dict[str, bytes]) -> dict[str, bytes]:
    return {**entries, "../../planted": b"x"}


def twice(folder: Path, payload: Payload) -> None:
    partial_of_exec(folder, payload)
    with zipfile.ZipFile(folder / "model.skops", "a") as archive:
        archive.writestr("schema.json", entries_of()["schema.json"])


def patched(**attributes: int) -> Callable[[Path, Payload], None]:
    """The central directory says it of the last entry."""

    def write(folder: Path, _: Payload) -> None:
        good(folder)
        with zipfile.ZipFile(folder / "model.skops", "a") as archive:
            archive.writestr("more", b"x")
            for name, value in attributes.items():
                setattr(archive.filelist[-1], name, value)

    return write


def pickled_array(folder: Path, payload: Payload) -> None:
    array = io.BytesIO()
    np.save(array, np.array([Exec(payload.code)], dtype=object), allow_pickle=True)
    entries = entries_of()
    name = next(one for one in entries if one.endswith(".npy"))
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        for one, content in entries.items():
            archive.writestr(one, array.getvalue() if one == name else content)


def first_array(folder: Path) -> object:
    with zipfile.ZipFile(folder / "model.skops") as archive:
        name = next(one for one in archive.namelist() if one.endswith(".npy"))
        return np.load(io.BytesIO(archive.read(name)), allow_pickle=True)


def link_out(folder: Path, payload: Payload) -> None:
    outside_of = folder.parent / "elsewhere"
    outside_of.mkdir()
    partial_of_exec(outside_of, payload)
    (folder / "model.skops").symlink_to(outside_of / "model.skops")


def pipe(folder: Path, _: Payload) -> None:
    os.mkfifo(folder / "model.skops")


CASES: dict[str, Case] = {
    "pickle": pickled("model.pkl", by_pickle),
    "pickle of protocol 0": pickled("model.pickle", by_old_pickle),
    "pickle of cProfile": pickled("model.pkl", by_pickle, Profiled),
    "pickle by joblib": pickled("model.joblib", joblib.dump),
    "pickle by joblib, compressed": pickled("model.joblib", functools.partial(joblib.dump, compress=3)),
    "pickle in an array": Case(
        lambda folder, payload: by_numpy(Exec(payload.code), folder / "model.pkl"),
        control=lambda folder: np.load(folder / "model.pkl", allow_pickle=True),
    ),
    "pickle called skops": pickled("model.skops", by_pickle),
    "pickle, allowed, beside a pipe": Case(
        lambda folder, _: os.mkfifo(folder / "other.pkl"),
        twin=lambda folder: by_pickle(MODEL, folder / "model.pkl"),
        trust=Trust(pickle=True),
    ),
    "skops, a call": Case(partial_of_exec, control=lambda folder: trusting(folder)(), twin=good),  # type: ignore[operator]
    "skops, a function": Case(
        transformer,
        control=lambda folder: trusting(folder).transform((folder.parent / "code").read_text()),  # type: ignore[attr-defined]
        twin=good,
    ),
    "skops, a class of another name": Case(archive_with(renamed_class), twin=good),
    "skops, a pickle inside": Case(pickled_array, control=first_array, twin=good),
    "skops, nested without end": Case(archive_with(deep), twin=good),
    "skops, a way out": Case(archive_with(outside), twin=good),
    "skops, twice": Case(twice, twin=good),
    "skops, a bomb": Case(patched(file_size=5 << 30), twin=good),
    "skops, encrypted": Case(patched(flag_bits=1), twin=good),
    "skops, a link inside": Case(patched(external_attr=0o120777 << 16), twin=good),
    "skops, a link out": Case(link_out, control=lambda folder: trusting(folder)(), twin=good),  # type: ignore[operator]
    "skops, a pipe": Case(pipe, twin=good),
}


def attempts(job: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = attempt_all(scikit_learn, CASES, job, columns=COLUMNS)
    return said


if __name__ == "__main__":
    main(attempts)
