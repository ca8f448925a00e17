"""A model of ten classes and one of a number, served and watched by the commands of a schedule: quiet, drifted, worse.

Traffic of two weeks is played to the real server under its own days; labels come as files, as a team writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.adapters.workplace import Workplace

from tests.e2e import flights as team
from tests.e2e.trained_here import Declared, arrow, lay_down, linear, push, set_limit, slipway

LIVE_SINCE, ENVIRONMENT = date(2026, 1, 5), "production"
_ROWS_A_DAY, _WEEK = 100, 7
_SERVES_HISTORY = {"SLIPWAY_ACCEPT_EVENT_TIME": "1"}


@dataclass(frozen=True)
class Kind:
    """A data set, how scikit-learn learns it, what is declared, and how its title calls its metric.

    `worse` makes labels that the model does not know, from real ones.
    """

    declared: Declared
    data: Callable[[], tuple[Any, Any]]
    fitted: Callable[[Any, Any], tuple[Any, Any]]
    after: str
    limit: dict[str, Any]
    worse: Callable[[Any], Any]
    metric: str


def digits() -> tuple[Any, Any]:
    pixels, digit = load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32), digit.astype(str)


def diabetes() -> tuple[Any, Any]:
    measured, progression = load_diabetes(return_X_y=True)
    return (measured * 20).astype(np.float32), progression


def classes(inputs: Any, labels: Any) -> tuple[Any, Any]:
    found = LogisticRegression(max_iter=200).fit(inputs, labels)
    return found.coef_.T, found.intercept_


def number(inputs: Any, labels: Any) -> tuple[Any, Any]:
    found = Ridge().fit(inputs, labels)
    return found.coef_.reshape(-1, 1), np.array([found.intercept_])


KINDS = (
    Kind(
        declared=Declared(
            name="digits",
            widths={"pixels": 64},
            output={"name": "probabilities", "shape": [10]},
            decision={"output": "probabilities", "classes": [str(digit) for digit in range(10)]},
        ),
        data=digits,
        fitted=classes,
        after="Softmax",
        limit={"f1_macro": {"floor": 0.8, "drop": 0.05}},
        worse=lambda labels: np.where(labels < "3", "9", labels),
        metric="Macro F1",
    ),
    Kind(
        declared=Declared(
            name="progression",
            widths={"measured": 10},
            output={"name": "target"},
            decision={"output": "target", "noticeable": 10.0},
        ),
        data=diabetes,
        fitted=number,
        after="Identity",
        limit={"mae": {"ceiling": 60.0, "rise": 10.0}},
        worse=lambda labels: labels + 120.0,
        metric="MAE",
    ),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A team's repository; its server goes afterwards."""
    yield team.found(tmp_path / "world")
    stop_all(tmp_path / "world" / "flights" / ".slipway" / "rollout")


def go_live(checkout: Path, kind: Kind, inputs: Any, labels: Any) -> None:
    """Trained, released, merged and rolled out; a week is a window, and one bad window is enough."""
    name = kind.declared.name
    samples = {next(iter(kind.declared.widths)): inputs, "label": labels}
    lay_down(
        checkout, kind.declared, linear(kind.declared, *kind.fitted(inputs, labels), after=kind.after), samples=samples
    )
    set_limit(checkout, "fidelity", name, {"rows": 400})
    set_limit(checkout, "metrics", name, {**kind.limit, "window_days": _WEEK, "windows": 1})
    set_limit(checkout, "drift", name, {"windows": 1, "of_last": 1})
    push(checkout, f"Add {name}")
    team.git(checkout, "tag", "--annotate", "--message", "Begin", f"{name}@v1.0.0")
    team.git(checkout, "push", "--quiet", "origin", f"{name}@v1.0.0")
    slipway(checkout, "release", f"{name}@v1.0.0")
    slipway(checkout, "merge", "1")
    slipway(checkout, "verify-rollout", name, "--on", LIVE_SINCE.isoformat(), variables=_SERVES_HISTORY)
    slipway(checkout, "record-pages", f"{name}@v1.0.0")


def serve_a_week(checkout: Path, kind: Kind, first: date, inputs: Any, labels: Any) -> None:
    """A request a day, of which the team learns the labels."""
    engine = ProcessRollout(state=checkout / ".slipway" / "rollout", accept_event_time=True)
    live = engine.live(kind.declared.name, ENVIRONMENT)
    assert live is not None
    for which in range(_WEEK):
        day, rows = first + timedelta(days=which), slice(which * _ROWS_A_DAY, (which + 1) * _ROWS_A_DAY)
        times = np.full(_ROWS_A_DAY, np.datetime64(f"{day}T12:00:00", "us"))
        engine.ask(live, {next(iter(kind.declared.widths)): inputs[rows]}, request_id=f"of-{day}", times=times)
        keys = {"request_id": [f"of-{day}"] * _ROWS_A_DAY, "row": pa.array(range(_ROWS_A_DAY), pa.int32())}
        folder = checkout / ".slipway" / "labels" / ENVIRONMENT / kind.declared.name / f"date={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({**keys, "label": arrow(labels[rows])}), folder / "labels.parquet")
    engine.flush_log(live)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.declared.name)
def test_a_week_as_at_release_is_quiet_and_one_that_moved_and_got_worse_is_an_incident(
    kind: Kind, checkout: Path
) -> None:
    """A watch that only ever saw yes or no would crash, or stay quiet, in the night when it is needed."""
    inputs, labels = kind.data()
    name, drawn = kind.declared.name, np.random.default_rng(5).integers(len(labels), size=2 * _WEEK * _ROWS_A_DAY)
    go_live(checkout, kind, inputs, labels)

    usual = drawn[: len(drawn) // 2]
    serve_a_week(checkout, kind, LIVE_SINCE, inputs[usual], labels[usual])
    quiet = slipway(checkout, "watch", name, "--until", "2026-01-11", expect=11)
    assert "700 rows served, 700 labelled" in quiet
    assert f"{name}, production: v1.0.0 is quiet" in quiet
    assert f"{kind.metric} worse than allowed? pass" in quiet
    assert "Did inputs drift? pass" in quiet

    strange = drawn[len(drawn) // 2 :]
    serve_a_week(checkout, kind, LIVE_SINCE + timedelta(days=_WEEK), inputs[strange] + 0.5, kind.worse(labels[strange]))
    wrong = slipway(checkout, "watch", name, "--until", "2026-01-18", expect=10)
    assert f"{kind.metric} worse than allowed? fail" in wrong
    assert "Did inputs drift? fail" in wrong
    assert "issue #2 opened: " in wrong

    issue = Workplace.around(checkout).forge.issue(2)
    assert f"| {kind.metric} worse than allowed? |" in issue.body
    assert f"| {kind.metric}, trailing days |" in issue.body
