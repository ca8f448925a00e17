"""Hostile files of XGBoost and LightGBM; runs in the environment of the boosters."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import xgboost
from attempts_for_tests import Case, Exec, Payload, attempt_parts, main
from slipway.converters import lightgbm as lightgbm_converter
from slipway.converters import xgboost as xgboost_converter
from slipway.converters.job import Column

VALUES = np.random.default_rng(1).random((80, 3)).astype(np.float32)
LABELS = VALUES[:, 0] + VALUES[:, 1] > 1
XGBOOST = xgboost.train(
    {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, xgboost.DMatrix(VALUES, LABELS), 2
)
UBJ, JSON = bytes(XGBOOST.save_raw("ubj")), bytes(XGBOOST.save_raw("json"))
TEXT = lightgbm.train(
    {"objective": "binary", "verbosity": -1, "num_leaves": 4, "num_threads": 1}, lightgbm.Dataset(VALUES, LABELS), 2
).model_to_string()
COLUMNS = (Column("x", "float32", (3,)),)


def writes(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def case(name: str, content: bytes, twin: Callable[[Path], object]) -> Case:
    return Case(lambda folder, _: (folder / name).write_bytes(content), twin=twin)


def pickled(name: str, twin: Callable[[Path], object]) -> Case:
    return Case(
        lambda folder, payload: (folder / name).write_bytes(pickle.dumps(Exec(payload.code))),
        control=lambda folder: pickle.loads((folder / name).read_bytes()),
        twin=twin,
    )


def followed_by_a_pickle(name: str, content: bytes, twin: Callable[[Path], object]) -> Case:
    return Case(
        lambda folder, payload: (folder / name).write_bytes(content + pickle.dumps(Exec(payload.code))),
        control=lambda folder: pickle.loads((folder / name).read_bytes()[len(content) :]),
        twin=twin,
    )


def link(name: str, content: bytes) -> Case:
    def write(folder: Path, _: Payload) -> None:
        (folder.parent / name).write_bytes(content)
        (folder / name).symlink_to(folder.parent / name)

    return Case(write, twin=writes(name, content))


def pipe(name: str, twin: Callable[[Path], object]) -> Case:
    return Case(lambda folder, _: os.mkfifo(folder / name), twin=twin)


def changed(change: Callable[[Any], object]) -> bytes:
    """The JSON file after `change` of its model of trees."""
    parsed = json.loads(JSON)
    change(parsed["learner"]["gradient_booster"]["model"])
    return json.dumps(parsed).encode()


def tree(**values: Any) -> bytes:
    return changed(lambda model: model["trees"][0].update(values))


def circle(model: Any) -> None:
    first = model["trees"][0]
    first["left_children"][first["left_children"][0]] = 0
    first["right_children"][first["left_children"][0]] = 0


def long_length(content: bytes, key: bytes) -> bytes:
    """The first array of numbers behind `key` states 2^60 of them."""
    place = content.index(b"#L", content.index(key)) + 2
    return content[:place] + struct.pack(">q", 1 << 60) + content[place + 8 :]


def text(pattern: str, replacement: str, *, sized: bool = False) -> bytes:
    """The text file with its first match replaced; without its sizes, which would not fit either, unless `sized`."""
    content = TEXT if sized else re.sub(r"^tree_sizes=.*\n", "", TEXT, flags=re.MULTILINE)
    replaced, count = re.subn(pattern, replacement, content, count=1, flags=re.MULTILINE)
    assert count == 1
    return replaced.encode()


X, J, L = writes("model.ubj", UBJ), writes("model.json", JSON), writes("model.txt", TEXT.encode())
OF_XGBOOST: dict[str, Case] = {
    "a pickle": pickled("model.ubj", X),
    "a pickle behind it": followed_by_a_pickle("model.ubj", UBJ, X),
    "a tree in a circle": case("model.json", changed(circle), J),
    "more nodes than there are": case(
        "model.json", tree(tree_param={"num_nodes": "1073741824", "num_feature": "3"}), J
    ),
    "a column that is not there": case("model.json", tree(split_indices=[1 << 30] * 7), J),
    "a class that is not there": case("model.json", changed(lambda model: model.update(tree_info=[0, 1 << 30])), J),
    "more trees than there are": case(
        "model.json", changed(lambda model: model["gbtree_model_param"].update(num_trees="2147483647")), J
    ),
    "a length of 2^60": case("model.ubj", long_length(UBJ, b"left_children"), X),
    "a string of 2^60": case("model.ubj", UBJ.replace(b"SL" + bytes(7), b"SL\x10" + bytes(6), 1), X),
    "nested without end": case("model.json", b'{"learner":' * 100_000 + b"1" + b"}" * 100_000, J),
    "nested without end, ubj": case("model.ubj", (b"{L" + bytes(7) + b"\x01a") * 100_000, X),
    "a key twice": case("model.json", JSON.replace(b'{"learner":', b'{"learner":{},"learner":', 1), J),
    "a link out": link("model.ubj", UBJ),
    "a pipe": pipe("model.ubj", X),
}
OF_LIGHTGBM: dict[str, Case] = {
    "a pickle": pickled("model.txt", L),
    "a pickle behind it": followed_by_a_pickle("model.txt", b"tree\n", L),
    "2^31 leaves": case("model.txt", text(r"^num_leaves=\d+$", "num_leaves=2147483648"), L),
    "a tree in a circle": case("model.txt", text(r"^left_child=-?\d+", "left_child=0"), L),
    "a leaf that is not there": case("model.txt", text(r"^left_child=-?\d+", "left_child=-1073741824"), L),
    "a column that is not there": case("model.txt", text(r"^split_feature=\d+", "split_feature=1073741824"), L),
    "2^31 columns": case("model.txt", text(r"^max_feature_idx=\d+", "max_feature_idx=2147483646"), L),
    "2^31 classes": case("model.txt", text(r"^num_class=\d+", "num_class=2147483647"), L),
    "sizes that lie": case("model.txt", text(r"^tree_sizes=\d+", "tree_sizes=2147483647", sized=True), L),
    "fewer splits than leaves": case("model.txt", text(r"^threshold=\S+ ", "threshold="), L),
    "a value twice": case("model.txt", text(r"^(left_child=.*)$", r"\1\n\1"), L),
    "a link out": link("model.txt", TEXT.encode()),
    "a pipe": pipe("model.txt", L),
}


def attempts(job: Mapping[str, Any]) -> dict[str, Any]:
    parts = {"xgboost": (xgboost_converter, OF_XGBOOST), "lightgbm": (lightgbm_converter, OF_LIGHTGBM)}
    said: dict[str, Any] = attempt_parts(parts, job, columns=COLUMNS)
    return said


if __name__ == "__main__":
    main(attempts)
