"""A model of each framework, from its file to a server that answers: checked, tagged, released, merged, rolled out.

Only commands that a developer types; the frameworks run in environments and processes of their own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from slipway.adapters.rollout import client
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.converters.batches import read_batch
from slipway.domain.rows import Batch, rows_in, take

from tests.e2e import flights as team
from tests.unit.converters.conftest import Trained, trained

_ROWS_A_DAY = 50
_FIRST_DAY = np.datetime64("2013-01-01T08:00:00")


@dataclass(frozen=True)
class Entry:
    """A case of the tests of converters, and what a team declares about it.

    `beside` is a script of scikit-learn whose folder must lie beside that of `script`; `labels` names what was asked
    about: the flights that were late, or rows of a data set from `first` on; `sources` is what a policy allows.
    """

    framework: str
    script: str
    environment: str
    case: str
    beside: str | None = None
    labels: str = "late"
    first: int = 0
    decision: Mapping[str, Any] = field(default_factory=lambda: {"output": "p", "threshold": 0.5})
    metric: Mapping[str, Any] = field(default_factory=lambda: {"f1": {"floor": 0.3}})
    sources: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return "-".join((self.framework, self.labels, *self.sources))


ENTRIES = (
    Entry("scikit-learn", "scikit_learn_models_for_tests", "scikit-learn", "linear"),
    Entry("xgboost", "xgboost_models_for_tests", "boosters", "flights"),
    Entry("lightgbm", "lightgbm_models_for_tests", "boosters", "flights"),
    Entry("pytorch", "pytorch_models_for_tests", "pytorch", "late", beside="datasets_for_tests"),
    Entry(
        "pytorch",
        "pytorch_modules_for_tests",
        "pytorch",
        "late",
        beside="datasets_for_tests",
        sources={"python": True},
    ),
    Entry("onnx", "onnx_models_for_tests", "onnx", "flights", beside="scikit_learn_models_for_tests"),
    Entry(
        "pytorch",
        "pytorch_models_for_tests",
        "pytorch",
        "digits",
        beside="datasets_for_tests",
        labels="digits",
        first=1000,
        decision={"output": "digit", "classes": [str(digit) for digit in range(10)]},
        metric={"macro_f1": {"floor": 0.5}},
    ),
    Entry(
        "tensorflow",
        "keras_models_for_tests",
        "tensorflow",
        "diabetes",
        beside="datasets_for_tests",
        labels="diabetes",
        decision={"output": "target", "noticeable": 5.0},
        metric={"mae": {"ceiling": 200.0}},
    ),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A team's repository without a model; its server goes afterwards."""
    yield team.found(tmp_path / "world")
    stop_all(tmp_path / "world" / "flights" / ".slipway" / "rollout")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.model)
def test_a_model_of_each_framework_goes_from_its_file_to_a_server_that_answers(
    entry: Entry, checkout: Path, shared: Path, flights_of_2013: Path
) -> None:
    """A converter that only its own tests call is no way in yet: for yes or no, ten classes, and a number."""
    if entry.beside:
        trained(entry.beside, "scikit-learn", shared=shared, flights=flights_of_2013)
    models = trained(entry.script, entry.environment, shared=shared, flights=flights_of_2013)
    asked = models.samples(entry.case)
    _lay_down(checkout, entry, models, labels=_labels(entry, flights_of_2013, rows=rows_in(asked)))

    checked = _slipway(checkout, "check", entry.model)
    assert f'git tag -a {entry.model}@v1.0.0 -m "' in checked
    team.git(checkout, "tag", "--annotate", "--message", "Begin", f"{entry.model}@v1.0.0")
    team.git(checkout, "push", "--quiet", "origin", f"{entry.model}@v1.0.0")
    assert f"{entry.model}@v1.0.0: pull request #1: " in _slipway(checkout, "release", f"{entry.model}@v1.0.0")
    _slipway(checkout, "merge", "1")
    assert "v1.0.0 is live, 50 of 50 golden answers" in _slipway(checkout, "verify-rollout", entry.model)

    live = ProcessRollout(state=checkout / ".slipway" / "rollout").live(entry.model, "production")
    assert live is not None
    few = take(asked, slice(0, 20))
    expected = read_batch(models.folder / entry.case / "outputs-samples.npz")[entry.decision["output"]][:20]
    np.testing.assert_allclose(client.ask(live, few)[entry.decision["output"]], expected, rtol=2e-6, atol=2e-6)


def _slipway(checkout: Path, *words: str) -> str:
    command = [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet", *words]
    done = subprocess.run(
        command, cwd=checkout, env=team.variables(checkout), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _lay_down(checkout: Path, entry: Entry, models: Trained, *, labels: Any) -> None:
    """What a developer writes and commits: the model's folder, and limits that so few rows can meet."""
    folder, asked = checkout / "models" / entry.model, models.samples(entry.case)
    _slipway(checkout, "new-model", entry.model)
    shutil.rmtree(folder / "source")
    shutil.copytree(models.folder / entry.case / "source", folder / "source")
    declared = json.loads((models.folder / entry.case / "job.json").read_bytes())
    (folder / "model.yaml").write_text(yaml.safe_dump(_declaration(entry, declared), sort_keys=False))
    (folder / "samples").mkdir(exist_ok=True)
    pq.write_table(_samples(asked, labels), folder / "samples" / "held-out.parquet")
    _set_limit(checkout / "policies" / "fidelity.yaml", entry.model, {"rows": 400})
    _set_limit(checkout / "policies" / "metrics.yaml", entry.model, {**entry.metric, "positives": 100})
    _set_limit(checkout / "policies" / "sources.yaml", entry.model, dict(entry.sources))
    team.git(checkout, "add", "--all")
    team.git(checkout, "commit", "--quiet", "--message", f"Add {entry.model}")
    team.git(checkout, "push", "--quiet", "origin", "main")


def _declaration(entry: Entry, declared: dict[str, Any]) -> dict[str, Any]:
    features = {
        kind: [
            {"name": one["name"], "dtype": one["dtype"], "shape": list(one["shape"]), "meaning": "As measured"}
            for one in declared[kind]
        ]
        for kind in ("inputs", "outputs")
    }
    return {
        "name": entry.model,
        "summary": "Will it arrive late?",
        "framework": entry.framework,
        "source": "source",
        "owners": ["@flight-team"],
        **features,
        "decision": dict(entry.decision),
        "samples": {"path": "samples/held-out.parquet", "time": "time", "label": "label"},
    }


def _samples(asked: Batch, labels: Any) -> pa.Table:
    days = (np.arange(len(labels)) // _ROWS_A_DAY).astype("timedelta64[D]")
    columns = {name: _arrow(column) for name, column in asked.items()}
    return pa.table({**columns, "time": _FIRST_DAY + days, "label": labels})


def _arrow(column: Any) -> pa.Array:
    kind = pa.string() if column.dtype.kind == "O" else pa.from_numpy_dtype(column.dtype)
    values = column.reshape(len(column), -1)
    return pa.array(values[:, 0].tolist(), kind) if values.shape[1] == 1 else pa.array(values.tolist(), pa.list_(kind))


def _set_limit(path: Path, model: str, limit: dict[str, Any]) -> None:
    policy = yaml.safe_load(path.read_text())
    override = {"reason": "The samples of these tests are few", "limit": limit}
    path.write_text(yaml.safe_dump({**policy, "models": {**policy.get("models", {}), model: override}}))


def _labels(entry: Entry, flights: Path, *, rows: int) -> Any:
    """Of flights, the scripts train on the first half, and ask about the second."""
    if entry.labels == "late":
        late = read_batch(flights)["late"][:, 0]
        return late[len(late) // 2 :][:rows]
    with np.load(flights.with_name("datasets_for_tests") / f"{entry.labels}.npz") as stored:
        return stored["labels"][entry.first :][:rows]
