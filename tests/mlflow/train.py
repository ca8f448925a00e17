"""What a team's training does: runs that log models, what they were trained on and how good they are.

`python train.py OUT`, in the environment of requirements/mlflow-server.txt. The rows of OUT/tables.npz are trained on;
OUT/runs.json tells, by the name of each registered model, the runs that made its versions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np

_COMMIT = "4b1d" * 10


def main(out: Path) -> None:
    import lightgbm
    import xgboost
    from sklearn.linear_model import LogisticRegression

    rows = np.load(out / "tables.npz")
    told, left = rows["inputs"].astype(np.float64), rows["label"]
    mlflow.set_experiment("tips")
    first = LogisticRegression(C=1.0).fit(told, left)
    second = LogisticRegression(C=0.5).fit(told, left)
    boosted = {"verbose": -1, "num_leaves": 3, "objective": "binary"}
    runs: dict[str, list[str]] = {}
    logged: list[tuple[Any, str, Any, dict[str, Any]]] = [
        (mlflow.sklearn, "tip", first, {}),
        (mlflow.sklearn, "tip", second, {}),
        (mlflow.sklearn, "pickled", first, {"serialization_format": "cloudpickle"}),
        (mlflow.lightgbm, "lightgbm", lightgbm.train(boosted, lightgbm.Dataset(told, left), 2), {}),
        (mlflow.xgboost, "xgboost", xgboost.train({}, xgboost.DMatrix(told, left), 2), {}),
        (mlflow.onnx, "onnx", _onnx(), {}),
    ]
    for flavor, name, model, options in logged:
        data = mlflow.data.from_numpy(told, targets=left, name="tables")
        runs.setdefault(name, []).append(_log(flavor, name, model, options, data))
    mlflow.MlflowClient().set_registered_model_alias("tip", "champion", "1")
    (out / "runs.json").write_text(json.dumps(runs))


def _log(flavor: Any, name: str, model: Any, options: dict[str, Any], data: Any) -> str:
    with mlflow.start_run() as run:
        mlflow.set_tag("mlflow.source.git.commit", _COMMIT)
        mlflow.log_input(data, context="training")
        mlflow.log_metrics({"f1": 0.75, "divided by zero": float("nan")})
        flavor.log_model(model, name="model", registered_model_name=name, pip_requirements=["scikit-learn"], **options)
        return str(run.info.run_id)


def _onnx() -> Any:
    """One with a table beside it, as large ones are saved."""
    import onnx.numpy_helper
    import onnx.parser

    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 17]> g (float[N,1000] x) => (float[N,1000] y) { y = Add (x, table) }'
    )
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1000, np.float32), "table"))
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]))
