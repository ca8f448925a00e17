"""Convert a source and ask it, in the environment of its framework: `python -m slipway.converters NAME JOB`.

The job is JSON: `source` (a file or folder), `samples` and `edges` (npz files of rows), `inputs` and `outputs` (name,
dtype and shape, in the order in which they are declared), `trust` (what a source may hold), `out` (a folder). Into
`out` go model.onnx, outputs-samples.npz, outputs-edges.npz and, where the model has trees, probes.npz (rows at their
splits) and outputs-probes.npz; `result` names the file that says the rest: versions of tools, the noise floor an
output, the edge rows that the source refused, whose outputs are zeros and mean nothing, and how many splits there are.

With `again`, variables of the environment, nothing is converted: the source is asked for the samples once more, and
`result` tells how far it is from outputs-samples.npz.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, checker, load_model

from slipway.converters import CONVERTERS, Converter, Threaded
from slipway.converters.batches import joined, read_batch, write_batch
from slipway.converters.canonical import Form, canonical
from slipway.converters.job import Column, Job
from slipway.converters.repeats import Predict, largest_differences, noise_floor
from slipway.converters.splits import probes_of
from slipway.converters.tree_nodes import OPERATORS
from slipway.domain.rows import Batch, rows_in, take
from slipway.errors import ConversionFailed, SlipwayError


@dataclass(frozen=True, slots=True)
class Written:
    """What of the file is told, or asked later; `opsets` are the versions of ONNX's operators that it is written in."""

    holds_trees: bool
    opsets: dict[str, str]


def main(name: str, job_file: Path) -> None:
    job = json.loads(job_file.read_text())
    try:
        result = ask_again(CONVERTERS[name], job) if "again" in job else run(CONVERTERS[name], job)
    except SlipwayError as error:
        if isinstance(error.__cause__, MemoryError):  # whatever a library stumbled over then, that is the reason
            raise error.__cause__ from error
        result = error.as_refusal()
    Path(job["result"]).write_text(json.dumps(result, allow_nan=False))


def run(converter: Converter, job: dict[str, Any]) -> dict[str, Any]:
    """Do the job, and return what the files in `out` do not tell."""
    asked, out = Job.from_json(job), Path(job["out"])
    converter.refuse(asked)
    written = convert(converter, asked, out / "model.onnx")
    check((out / "model.onnx").read_bytes())
    loaded = converter.load(asked)

    def predict(batch: Batch) -> Batch:
        return converter.predict(loaded, batch)

    samples = read_batch(Path(job["samples"]))
    answers = _answered(predict, samples)
    write_batch(out / "outputs-samples.npz", answers)
    edge_answers, refused = row_by_row(predict, read_batch(Path(job["edges"])), like=answers)
    write_batch(out / "outputs-edges.npz", edge_answers)
    splits = _ask_at_splits(predict, samples, out) if written.holds_trees else None
    floor = noise_floor(predict, samples, answers, otherwise=_with_two_threads(converter, loaded))
    tools = {**converter.tools(), **written.opsets}
    return {"tools": tools, "noise_floor": floor, "edges_that_raised": refused, "splits": splits}


def convert(converter: Converter, asked: Job, path: Path) -> Written:
    """Write the canonical form. Nothing of it stays in memory: the source is loaded next, and is as large."""
    form = _form(converter, asked)
    form.write(path)
    return Written(
        holds_trees=not form.operators.isdisjoint(OPERATORS),
        opsets={f"opset of {domain or 'ai.onnx'}": str(version) for domain, version in form.opsets.items()},
    )


def _form(converter: Converter, asked: Job) -> Form:
    return canonical(converter.to_onnx(asked), inputs=_names(asked.inputs), outputs=_names(asked.outputs))


def ask_again(converter: Converter, job: dict[str, Any]) -> dict[str, Any]:
    """Ask for the samples under other variables, which a framework reads when it is imported: here, that is later."""
    os.environ.update(job["again"])
    asked = Job.from_json(job)
    converter.refuse(asked)
    answers = _answered(lambda batch: converter.predict(converter.load(asked), batch), read_batch(Path(job["samples"])))
    return {"noise_floor": largest_differences(read_batch(Path(job["out"]) / "outputs-samples.npz"), answers)}


def _with_two_threads(converter: Converter, loaded: Any) -> list[Predict]:
    if not isinstance(converter, Threaded):
        return []
    threaded = converter.with_threads(loaded, 2)
    return [lambda batch: converter.predict(threaded, batch)]


def _ask_at_splits(predict: Predict, samples: Batch, out: Path) -> dict[str, Any] | None:
    """Write rows and answers where there are any, and tell how many splits they are about."""
    probes = probes_of(load_model(out / "model.onnx"), samples)
    if probes is None:
        return None
    if probes.probed:
        write_batch(out / "probes.npz", probes.rows)
        write_batch(out / "outputs-probes.npz", _answered(predict, probes.rows, what="its samples, moved to a split"))
    return {"splits": probes.splits, "probed": probes.probed, "problem": probes.problem}


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns]


def _answered(predict: Predict, rows: Batch, *, what: str = "the samples") -> Batch:
    try:
        return predict(rows)
    except ValueError as error:
        raise ConversionFailed(
            f"the source refuses a row of {what}: {error}",
            mend="handle such rows inside the model (a default for what is missing), or take them out of the samples",
        ) from error


def check(model: ModelProto | bytes) -> None:
    """Converters write operators that ONNX does not have, and end without an error (tf2onnx 1.17)."""
    try:
        checker.check_model(model)
    except checker.ValidationError as error:
        raise ConversionFailed(
            f"the converted model is no valid ONNX: {str(error).strip().splitlines()[0]}",
            mend="replace the layer that needs this operator, or compute it before the model",
        ) from error


def row_by_row(predict: Predict, batch: Batch, *, like: Batch) -> tuple[Batch, list[int]]:
    """Ask for all rows at once or, when one of them raises, for each alone; name the rows that raised."""
    try:
        return predict(batch), []
    except ValueError:
        parts = [_one_row(predict, take(batch, slice(row, row + 1)), like=like) for row in range(rows_in(batch))]
    return joined([part for part, _ in parts]), [row for row, (_, raised) in enumerate(parts) if raised]


def _one_row(predict: Predict, row: Batch, *, like: Batch) -> tuple[Batch, bool]:
    try:
        return predict(row), False
    except ValueError:
        return {name: np.zeros((1, *column.shape[1:]), column.dtype) for name, column in like.items()}, True


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
