"""What an exported program of PyTorch holds, read from its archive without PyTorch, and a copy of what only computes.

`torch.export.load` unpickles the example inputs and whatever the archive says is pickled, evaluates the expressions of
sizes as Python, and looks up operators by any name under `torch`. So PyTorch never sees the file that came: each part
is checked here, and what it loads is written anew from them, without example inputs, guards and traces.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from slipway.converters.json_parts import dictionaries, read_object
from slipway.converters.sources import refuse_archive
from slipway.errors import ModelRefused

_OPERATORS = Path(__file__).with_name("pytorch_operators.txt")
_MOST_BYTES = 1 << 30
_MEND = "save the model again: torch.export.save(torch.export.export(model.eval(), inputs, …), 'model.pt2')"

_PROGRAM = "models/model.json"
_CONFIGS = {
    "data/weights/": "data/weights/model_weights_config.json",
    "data/constants/": "data/constants/model_constants_config.json",
}
_EXAMPLES = "data/sample_inputs/model.pt"
_NUMBERS = re.compile(r"data/(weights/weight|constants/tensor)_\d{1,6}")
_WRITTEN_BY_PYTORCH = {"archive_format", "archive_version", "byteorder", ".data/version", ".data/serialization_id"}

_WORD = re.compile(r"[\w.]*", re.ASCII)
_TEXT_OF_AN_OPERATOR = re.compile(r"[\w., >-]*", re.ASCII)  # einsum: "ij,jk->ik"
_ATEN = re.compile(r"torch\.ops\.aten\.(\w+)\.\w+", re.ASCII)
_OF_SIZES = re.compile(
    r"_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pow|eq|ne|ge|gt|le|lt|getitem)|math\.(ceil|floor|sqrt|trunc)"
    r"|torch\.sym_(int|float|ite|max|min|not|sum)"
)
_EXPRESSION = re.compile(  # \d++ gives back no digit: a text that does not match must not take for ever
    r"(?:Symbol\('[a-z]++\d++'(?:, [a-z]++=(?:True|False))*\)|[su]\d++|\d++|\*(?!\*)|[-+(), ]"
    r"|(?:Add|Mul|Integer|Max|Min|FloorDiv|PythonMod|Mod|CeilDiv|CleanDiv|ModularIndexing|Identity)(?=\())*"
)
_SPEC_TYPES = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
_OBJECTS = {"custom_obj", "custom_obj_values"}
_ARGUMENTS = {
    *("none", "tensor", "tensors", "optional_tensor", "optional_tensors", "nested_tensors"),
    *("int", "ints", "int_lists", "float", "floats", "float_lists", "bool", "bools", "string", "strings"),
    *("sym_int", "sym_ints", "sym_float", "sym_floats", "sym_bool", "sym_bools", "expr", "name"),
    *("scalar_type", "memory_format", "layout", "device", "complex"),
}


def checked(file: Path) -> dict[str, bytes]:
    """The records that PyTorch may load, by their names in an archive.

    Raises:
        ModelRefused: the file is no exported program, too large, or holds anything that could do more than compute.
    """
    records = _records(file)
    program = _parsed(file, records.get(_PROGRAM, b""))
    _leave_out(program)
    _Check(file.name).look(program)
    for folder, config in _CONFIGS.items():
        _refuse_config(file, folder, _parsed(file, records.get(config, b"")), records)
    return {**records, _PROGRAM: json.dumps(program).encode(), _EXAMPLES: b""}


def _records(file: Path) -> dict[str, bytes]:
    refuse_archive(file, what="exported program of PyTorch", mend=_MEND, most_bytes=_MOST_BYTES)
    try:
        with ZipFile(file) as archive:
            names = {entry: entry.filename.partition("/")[2] for entry in archive.infolist()}
            _refuse_names(file, list(names.values()))
            if any(name == "byteorder" and archive.read(entry) != b"little" for entry, name in names.items()):
                raise ModelRefused(f"{file.name} was saved on a machine that writes numbers the other way", mend=_MEND)
            left_out = {*_WRITTEN_BY_PYTORCH, _EXAMPLES}
            return {name: archive.read(entry) for entry, name in names.items() if name not in left_out}
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelRefused(f"{file.name} is no exported program of PyTorch: {error}", mend=_MEND) from error


def _refuse_names(file: Path, names: list[str]) -> None:
    known = {_PROGRAM, _EXAMPLES, *_CONFIGS.values(), *_WRITTEN_BY_PYTORCH}
    if unknown := sorted({name for name in names if name not in known and not _NUMBERS.fullmatch(name)}):
        raise ModelRefused(
            f"{file.name} holds more than an exported program and its weights: {', '.join(unknown[:5])}", mend=_MEND
        )
    if len(set(names)) < len(names):
        raise ModelRefused(f"{file.name} holds two parts of one name", mend=_MEND)


def _parsed(file: Path, raw: bytes) -> dict[str, Any]:
    try:
        return read_object(raw)
    except ValueError as error:
        raise ModelRefused(f"{file.name} is no exported program of PyTorch: {error}", mend=_MEND) from error


def _leave_out(program: dict[str, Any]) -> None:
    """Guards are Python code that PyTorch would run; traces tell where the model was written. Neither computes."""
    program["guards_code"], program["torch_version"] = [], ""
    for part in dictionaries(program):
        if "metadata" in part:
            part["metadata"] = {}


class _Check:
    """Each text of the program is an operator, an expression, the shape of a structure, or a word."""

    def __init__(self, file: str) -> None:
        self._file = file

    def look(self, value: Any, *, key: str = "") -> None:
        if key in _OBJECTS and value:
            self._refuse_key("as_custom_obj")
        if isinstance(value, dict):
            self._refuse_training(value)
            for name, one in value.items():
                self._refuse_key(name)
                self.look(one, key=name)
        elif isinstance(value, list):
            for one in value:
                self.look(one, key=key)
        elif isinstance(value, str):
            self._refuse_text(value, key)

    def _refuse_key(self, key: str) -> None:
        known = not key.startswith("as_") or key.removeprefix("as_") in _ARGUMENTS
        if not known or not _WORD.fullmatch(key):
            raise ModelRefused(
                f"{self._file} holds `{key[:80]}`, which may be more than a number",
                mend="export a model of plain tensors, without control flow and objects of its own",
            )

    def _refuse_text(self, text: str, key: str) -> None:
        if key == "target":
            self._refuse_operator(text)
        elif key in ("in_spec", "out_spec"):
            self._refuse_structure(text)
        else:
            allowed = {"expr_str": _EXPRESSION, "as_string": _TEXT_OF_AN_OPERATOR, "as_strings": _TEXT_OF_AN_OPERATOR}
            if not allowed.get(key, _WORD).fullmatch(text):
                raise ModelRefused(f"{self._file} holds `{text[:80]}` where a word should be", mend=_MEND)

    def _refuse_operator(self, target: str) -> None:
        aten = _ATEN.fullmatch(target)
        if (aten is None or aten[1] not in _known_operators()) and not _OF_SIZES.fullmatch(target):
            raise ModelRefused(
                f"{self._file} holds the operator `{target[:80]}`, which may do more than compute",
                mend="leave it out of the exported model; one that neither runs code nor touches files may be added to "
                f"scripts/slipway/converters/{_OPERATORS.name} in a reviewed commit",
            )

    def _refuse_structure(self, text: str) -> None:
        try:
            parts = list(dictionaries(json.loads(text)))
        except (ValueError, RecursionError):
            parts = [{"type": "?"}]
        for part in parts:
            context = part.get("context")
            of_words = context is None or (isinstance(context, str) and re.fullmatch(r'null|\[[\w", .]*\]', context))
            if part.get("type") not in _SPEC_TYPES or not of_words:
                raise ModelRefused(
                    f"{self._file} takes or answers `{str(part.get('type'))[:80]}`",
                    mend="take and answer tensors, or tuples and dictionaries of tensors",
                )

    def _refuse_training(self, part: Mapping[str, Any]) -> None:
        argument = part.get("arg")
        on = isinstance(argument, dict) and argument.get("as_bool") is True
        if on and part.get("name") in ("train", "training"):
            raise ModelRefused(
                f"{self._file} was exported for training: it drops values at random, or depends on the batch",
                mend="call model.eval() before torch.export.export; dropout and batch_norm as functions take "
                "`training=self.training`",
            )


def _refuse_config(file: Path, folder: str, config: dict[str, Any], records: Mapping[str, bytes]) -> None:
    """Each entry is a tensor of numbers that lies in the archive whole; nothing is pickled."""
    _Check(file.name).look(config)
    entries = config.get("config")
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        path, meta = (
            (entry.get(key) for key in ("path_name", "tensor_meta")) if isinstance(entry, dict) else (None, None)
        )
        raw = records.get(f"{folder}{path}") if _NUMBERS.fullmatch(f"{folder}{path}") else None
        if raw is None or entry.get("use_pickle") is not False or not isinstance(meta, dict):
            raise ModelRefused(f"{file.name} keeps `{name[:80]}` in another form than numbers", mend=_MEND)
        if _values(meta) > len(raw):
            raise ModelRefused(f"the weights `{name[:80]}` of {file.name} are larger than what is stored", mend=_MEND)


def _values(meta: Mapping[str, Any]) -> int:
    """How many numbers a tensor says to have: at least a byte each."""
    stated = meta.get("sizes")
    sizes = (
        [one.get("as_int") if isinstance(one, dict) else None for one in stated] if isinstance(stated, list) else [None]
    )
    return math.prod(size if isinstance(size, int) and size >= 0 else 1 << 62 for size in sizes)


@cache
def _known_operators() -> frozenset[str]:
    return frozenset(line for line in _OPERATORS.read_text().splitlines() if line and not line.startswith("#"))
