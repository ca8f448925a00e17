"""How each tool is asked how far a window moved from its reference: a script a tool, run in an environment of its own.

Each is given the Parquet files of the reference and of the window, and prints one JSON object: what it found a feature.
Calls are those of the tool's own documentation. All look at 20 numbers (`n..`) and 5 columns of words (`w..`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """`installs` is what a package index is asked for; what `pip install NAME` alone lacks stands in `needs`."""

    name: str
    installs: Sequence[str]
    script: str
    does: str
    needs: str = ""


_READ = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
NUMBERS = [f"n{number:02d}" for number in range(20)]
WORDS = [f"w{number}" for number in range(5)]
def read(folder):
    return pd.read_parquet(folder, columns=NUMBERS + WORDS, partitioning=None)
reference, window = map(read, sys.argv[1:3])
"""

SCIPY = """
from scipy.stats import ks_2samp, wasserstein_distance
found = {}
for name in NUMBERS:
    one, other = reference[name].to_numpy(), window[name].to_numpy()
    found[name] = {
        "ks": float(ks_2samp(one, other, method="asymp").statistic),
        "w": float(wasserstein_distance(one, other) / one.std()),
    }
for name in WORDS:
    shares = pd.concat([frame[name].value_counts(normalize=True) for frame in (reference, window)], axis=1).fillna(0)
    found[name] = {"tv": float((shares.iloc[:, 0] - shares.iloc[:, 1]).abs().sum() / 2)}
print(json.dumps(found))
"""

_EVIDENTLY = """
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
columns = DataDefinition(numerical_columns=NUMBERS, categorical_columns=WORDS)
asked = [(name, method) for name in NUMBERS for method in ("ks", "wasserstein")] + [(name, "TVD") for name in WORDS]
report = Report([ValueDrift(column=name, method=method) for name, method in asked])
run = report.run(*(Dataset.from_pandas(frame, data_definition=columns) for frame in (window, reference)))
found = {}
for (name, method), told in zip(asked, run.dict()["metrics"], strict=True):
    found.setdefault(name, {})["w" if method == "wasserstein" else f"p of {method}"] = float(told["value"])
print(json.dumps(found))
"""

_NANNYML = """
import nannyml
calculator = nannyml.UnivariateDriftCalculator(
    column_names=NUMBERS + WORDS,
    treat_as_categorical=WORDS,
    chunk_number=1,
    continuous_methods=["kolmogorov_smirnov", "wasserstein"],
    categorical_methods=["l_infinity"],
)
calculator.fit(reference)
told = calculator.calculate(window).filter(period="analysis").to_df()
found = {name: {"ks": float(told[name]["kolmogorov_smirnov"]["value"].iloc[0])} for name in NUMBERS}
print(json.dumps(found))
"""

_ALIBI = """
from alibi_detect.cd import KSDrift
told = KSDrift(reference[NUMBERS].to_numpy()).predict(window[NUMBERS].to_numpy(), drift_type="feature")
print(json.dumps({name: {"ks": float(far)} for name, far in zip(NUMBERS, told["data"]["distance"], strict=True)}))
"""

_WHYLOGS = """
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores
views = [whylogs.log(frame).view() for frame in (window, reference)]
told = calculate_drift_scores(*views, with_thresholds=True)
print(json.dumps({name: {"ks": float(one["statistic"])} for name, one in told.items() if name in NUMBERS}))
"""

_BOTH = "KS and W1 of 20 numbers, distance of 5 columns of words"
TOOLS = (
    Tool("scipy loop", ("scipy", "pandas", "pyarrow"), _READ + SCIPY, _BOTH),
    Tool(
        "Evidently",
        ("evidently", "pandas<3", "pyarrow"),
        _READ + _EVIDENTLY,
        "p-value of KS, and W1, of 20 numbers; total variation of 5 columns of words",
        needs="pandas<3",
    ),
    Tool(
        "NannyML",
        ("nannyml", "statsmodels", "pandas<3", "pyarrow"),
        _READ + _NANNYML,
        "KS and W1 of 20 numbers, binned above 10,000 rows; L-infinity of 5 columns of words",
        needs="statsmodels, pandas<3",
    ),
    Tool("alibi-detect", ("alibi-detect", "pyarrow<20"), _READ + _ALIBI, "KS of 20 numbers alone", needs="pyarrow<20"),
    Tool(
        "whylogs",
        ("whylogs[viz]", "numpy<2", "pandas<3", "pyarrow<20"),
        _READ + _WHYLOGS,
        "KS of 20 numbers, of approximate quantiles; profiles of 5 columns of words",
        needs="viz, numpy<2, pandas<3, pyarrow<20",
    ),
)

_OURS = """
import json, sys
from datetime import date
from pathlib import Path
from slipway.adapters.served_log import ServedLog
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths.profile import CategoryProfile, profile_from_json
DAY = date(2026, 3, 1)
profiles = {name: profile_from_json(one) for name, one in json.loads(Path(sys.argv[1]).read_bytes()).items()}
words = {name for name, one in profiles.items() if isinstance(one, CategoryProfile)}
kinds = {name: DataType.STRING if name in words else DataType.FLOAT64 for name in profiles}
features = [Feature(name=name, dtype=kind, meaning="-") for name, kind in kinds.items()]
log = ServedLog.at(Path(sys.argv[2]), Path("/nowhere"))
def batches():
    return log.batches(DAY, DAY, version="v1.0.0", features=features)
"""

WATCH = (
    _OURS
    + """
from slipway.maths.windows import count_window
from slipway.measures import drift
for _ in range(int(sys.argv[3])):
    found, broken = drift.measure(profiles, count_window(profiles, batches()))
assert not broken, broken
print(json.dumps({one.feature: {"low": one.low, "high": one.high, "w": one.wasserstein} for one in found}))
"""
)

COUNT = (
    """
import hashlib, time
from slipway.adapters import seen_windows, spark_session
from slipway.domain.settings import WatchOn
"""
    + _OURS
    + """
on = WatchOn(sys.argv[3])
if on is WatchOn.SPARK:
    spark_session.session()
started = time.monotonic()
window = seen_windows.count(log, DAY, DAY, on=on, version="v1.0.0", features=features, profiles=profiles)
counting = time.monotonic() - started
print(json.dumps({"counting": counting, "sha256": hashlib.sha256(window.to_bytes()).hexdigest()}))
"""
)

READ_AND_SORT = (
    _OURS
    + """
import numpy
for batch in batches():
    for column in batch.columns.values():
        if isinstance(column, numpy.ndarray):
            numpy.sort(column)
print(json.dumps({}))
"""
)

PROFILE = """
import json, sys
from pathlib import Path
import pyarrow.parquet as pq
from slipway.maths.profile import profile_of_columns
table = pq.read_table(sys.argv[2], partitioning=None)
names = [name for name in table.column_names if name[0] in "nw"]
columns = {name: table[name].to_numpy() for name in names}
profiles = profile_of_columns(columns, categories=[name for name in names if name[0] == "w"])
Path(sys.argv[1]).write_text(json.dumps({name: one.to_json() for name, one in profiles.items()}))
print(json.dumps({}))
"""
