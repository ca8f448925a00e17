"""Write the small data sets that scikit-learn brings, with their labels: runs in the environment of scikit-learn."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets


def main(job: dict[str, str]) -> None:
    folder = Path(job["folder"])
    for name in ("digits", "diabetes", "wine"):
        values, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
        np.savez(folder / f"{name}.npz", values=values, labels=labels)
    Path(job["result"]).write_text(json.dumps({}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
