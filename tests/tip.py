"""The model of the tests' team: will a table leave a tip? A line and a table, in numpy and in ONNX.

The rows of a day are the same each time they are asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx.parser
import pyarrow as pa
from slipway.converters.canonical import canonical, serialise
from slipway.domain.rows import Batch

MODEL = "tip"
DAYS = 25
ROWS_A_DAY = 60
FIRST_DAY = date(2026, 1, 1)
KITCHENS = ("grill", "noodles", "pizza", "salads")
_RISK = {"grill": 0.05, "noodles": 0.0, "pizza": -0.05, "salads": 0.1}
_INPUTS = {
    "bill": "{name: bill, dtype: float32, meaning: Sum on the bill}",
    "kitchen": "{name: kitchen, dtype: string, meaning: Kitchen that cooked}",
    "guests": "{name: guests, dtype: float32, meaning: People at the table}",
}
_ONNX = """
<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>
tip (INPUTS) => (OUTPUTS)
<float[1] weight = {WEIGHT}, float[1] bias = {BIAS}, float[1] limit = {LIMIT}, float[1] nothing = {0.0},
 float[1] half = {0.5}, float[1] steep = {34.0}>
{
    risk = ai.onnx.ml.LabelEncoder <
        keys_strings: strings = ["grill", "noodles", "pizza", "salads"],
        values_floats: floats = [0.05, 0.0, -0.05, 0.1], default_float: float = 0.0
    > (kitchen)
    rise = Mul (bill, weight)
    risen = Add (rise, bias)
    GUESTS
    sum = Add (seated, risk)
    LAST
    ODDS
}
"""
_SUM = "sum = Add (seated, risk)"
_HUNGRY_SUM = (
    "fair = Add (seated, risk) space = ConstantOfShape <value: tensor = float[1] {0.0}> (room) "
    "most = ReduceMax <keepdims = 0> (space) sum = Add (fair, most)"
)
_STEEP = 34.0  # 1.7 / 0.05: the logistic curve that is nearest to the noise of `guests_of`
_SCORE = {
    False: "score = Identity (sum)",
    True: "middle = Sub (sum, half) slope = Mul (middle, steep) score = Sigmoid (slope)",
}


@dataclass(frozen=True, slots=True)
class Tip:
    """One version of the model: score = bill x weight + bias + risk of the kitchen, a tip from 0.5 on."""

    weight: float = 0.02
    bias: float = 0.0
    inputs: tuple[str, ...] = ("bill", "kitchen")
    nan_above: float | None = None
    threshold: float = 0.5
    with_odds: bool = False  # a second output, which clients can come to read
    as_chance: bool = False  # the score is how likely a tip is, and not only the higher the likelier
    room: int = 0  # bytes that its ONNX file takes when it is loaded, for nothing

    def answers(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """What the source answers, in numpy."""
        one = np.float32
        risk = np.array([[_RISK.get(str(name), 0.0)] for name in batch["kitchen"].ravel()], one)
        with np.errstate(all="ignore"):
            score = batch["bill"] * one(self.weight) + one(self.bias)
            if "guests" in self.inputs:
                score = score + batch["guests"] * one(0.0)
            score = score + risk
            if self.nan_above is not None:
                score = score + np.log(one(self.nan_above) - batch["bill"]) * one(0.0)
        if self.as_chance:
            score = 1 / (1 + np.exp((score - one(0.5)) * one(-_STEEP)))
        odds = {"odds": score.astype(one)} if self.with_odds else {}
        return {"score": score.astype(one), **odds}

    def onnx(self) -> bytes:
        inputs = {"bill": "float[N,1] bill", "kitchen": "string[N,1] kitchen", "guests": "float[N,1] guests"}
        text = _ONNX.replace("INPUTS", ", ".join(inputs[name] for name in self.inputs))
        text = text.replace("WEIGHT", str(self.weight)).replace("BIAS", str(self.bias))
        text = text.replace("LIMIT", str(self.nan_above or 0.0))
        if self.room:
            floats = f"<int64[1] room = {{{self.room // 4}}}, float[1] weight"
            text = text.replace(_SUM, _HUNGRY_SUM).replace("<float[1] weight", floats)
        with_guests = "unfelt = Mul (guests, nothing) seated = Add (risen, unfelt)"
        text = text.replace("GUESTS", with_guests if "guests" in self.inputs else "seated = Identity (risen)")
        with_hole = "left = Sub (limit, bill) hole = Log (left) none = Mul (hole, nothing) score = Add (sum, none)"
        text = text.replace("LAST", with_hole if self.nan_above is not None else _SCORE[self.as_chance])
        text = text.replace("OUTPUTS", ", ".join(f"float[N,1] {name}" for name in self.outputs))
        text = text.replace("ODDS", "odds = Identity (score)" if self.with_odds else "")
        model = onnx.parser.parse_model(text)
        return serialise(canonical(model, inputs=list(self.inputs), outputs=list(self.outputs)))

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("score", "odds") if self.with_odds else ("score",)

    def declaration(self) -> str:
        inputs = "\n".join(f"  - {_INPUTS[name]}" for name in self.inputs)
        return (
            f"name: {MODEL}\nsummary: Will a table leave a tip?\nframework: tensorflow\nsource: source\n"
            f'owners: ["@waiters"]\ninputs:\n{inputs}\n'
            "outputs:\n  - {name: score, dtype: float32, meaning: How likely a tip is}\n"
            + ("  - {name: odds, dtype: float32, meaning: The same}\n" if self.with_odds else "")
            + f"decision: {{output: score, threshold: {self.threshold}}}\n"
            "samples: {path: samples/tables.parquet, time: time, label: tip}\n"
        )

    def as_json(self) -> str:
        told = {"weight": self.weight, "bias": self.bias, "inputs": self.inputs, "nan_above": self.nan_above}
        more: dict[str, Any] = {name: True for name in ("with_odds", "as_chance") if getattr(self, name)}
        if self.room:
            more["room"] = self.room
        return json.dumps({**told, **more, "threshold": self.threshold}, indent=1)


TIP = Tip()  # version 1


def tip_from(folder: Path) -> Tip:
    told = json.loads((folder / "weights.json").read_text())
    return Tip(**{**told, "inputs": tuple(told["inputs"])})


def guests_of(day: date, rows: int = ROWS_A_DAY) -> dict[str, npt.NDArray[Any]]:
    """What a day looks like, the same each time; `tip` is what came of it."""
    random = np.random.default_rng(day.toordinal())
    bill = random.uniform(2, 48, rows).astype(np.float32)
    kitchen = random.choice(KITCHENS, rows).astype(object)
    risk = np.array([_RISK[name] for name in kitchen])
    tip = bill * 0.02 + risk + random.normal(0, 0.05, rows) >= 0.5
    guests = random.integers(1, 9, rows).astype(np.float32)
    return {"bill": bill, "kitchen": kitchen, "guests": guests, "tip": tip}


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def samples_table(*, days: int = DAYS, rows: int = ROWS_A_DAY) -> pa.Table:
    parts = []
    for day in days_from(FIRST_DAY, days):
        columns: dict[str, Any] = dict(guests_of(day, rows))
        columns["time"] = pa.array([datetime.combine(day, time(12, tzinfo=UTC))] * rows, pa.timestamp("us", tz="UTC"))
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)
