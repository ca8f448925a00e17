"""The command line of `python -m serving`."""

from __future__ import annotations

import argparse
from pathlib import Path

from serving.logs import FORMATS


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m serving", description="Serve one ONNX model over HTTP.")
    options.add_argument("--model-directory", type=Path, required=True, help="holds model.onnx and identity.json")
    options.add_argument("--name", help="the model's name; default: from identity.json")
    options.add_argument("--model-version", help="such as v1.1.0; default: from identity.json")
    options.add_argument("--unknown-inputs", choices=("ignore", "refuse"), default="ignore", help="default: ignore")
    options.add_argument("--log-format", choices=FORMATS, default="text", help="of standard error; default: text")
    _add_limits(options.add_argument_group("limits, beyond which a request gets a 4xx or a 503 with Retry-After"))
    _add_log_options(options.add_argument_group("served log"))
    _add_life_options(options.add_argument_group("start and end"))
    return options


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--most-bytes", type=int, default=32 * 2**20, help="of a request's body; default: 32 MiB")
    group.add_argument("--most-rows", type=int, default=50_000, help="of a request; default: 50000")
    group.add_argument("--most-in-flight", type=int, default=256, help="requests at once; default: 256")
    group.add_argument(
        "--most-held-bytes", type=int, default=256 * 2**20, help="of all bodies in flight; default: 256 MiB"
    )
    group.add_argument("--most-seconds", type=float, default=30.0, help="for a run that is not quick; default: 30")
    group.add_argument("--arrival-seconds", type=float, default=60.0, help="for a request to arrive; default: 60")
    group.add_argument("--threads", type=int, help="for runs that are not quick; default: one a processor")
    group.add_argument(
        "--compress-from-bytes", type=int, default=64 * 2**10, help="answers, if the client wishes; default: 64 KiB"
    )


def _add_log_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--served-log", help="FOLDER, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER for files by date; default: no log"
    )
    group.add_argument(
        "--log-mode",
        choices=("rows", "sketch"),
        default="rows",
        help="rows: all inputs and outputs; sketch: how many rows fell into which cell of the profile, no value and no"
        " id. Default: rows",
    )
    group.add_argument(
        "--accept-event-time",
        action="store_true",
        help="log the time that a request states in parameters.time or .times: for replays of history",
    )
    group.add_argument("--log-file-rows", type=int, default=50_000, help="write a file at so many rows")
    group.add_argument(
        "--log-file-seconds", type=float, help="or after so long; default: 5, in a bucket or of sketches 60"
    )
    group.add_argument(
        "--log-waiting-bytes",
        type=int,
        default=64 * 2**20,
        help="of rows not stored yet, beyond which they are dropped and counted; default: 64 MiB",
    )
    group.add_argument(
        "--log-closing-seconds", type=float, default=8.0, help="for the log's rest, after SIGTERM; default: 8"
    )


def _add_life_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", default="127.0.0.1")
    group.add_argument("--port", type=int, default=0, help="default: a free one")
    group.add_argument("--inherit-from", type=Path, help="control socket of the server whose listening socket to take")
    group.add_argument("--control-socket", type=Path, help="Unix socket to answer on: status, accept, listener, flush")
    group.add_argument(
        "--hold",
        action="store_true",
        help="do not accept before the control socket says so, and leave when standard input closes before that",
    )
    group.add_argument("--drain-grace-seconds", type=float, default=2.0, help="for an idle connection")
    group.add_argument("--drain-deadline-seconds", type=float, default=30.0, help="for a request in flight")
