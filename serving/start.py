"""Put the parts together: load, warm up, serve, and write the log's rest at the end."""

from __future__ import annotations

import argparse
import logging
import socket
import threading

from serving.admission import Admission
from serving.application import Application
from serving.connection import Bounds
from serving.control import receive_listener
from serving.errors import CannotStart
from serving.execution import Execution, Pace
from serving.infer import Infer, Limits
from serving.inference import Model
from serving.listener import bind
from serving.log_sketches import Sketches
from serving.log_targets import open_target
from serving.metrics import Metrics
from serving.predictions import Predictions
from serving.protocol import Rules
from serving.request_log import LogLimits, RequestLog
from serving.served import Encoding, Weight
from serving.server import Leaving, ModelServer

log = logging.getLogger(__name__)

CANNOT_START = 2
_SECONDS_A_FILE, _SECONDS_A_LARGER_FILE = 5.0, 60.0


def run(options: argparse.Namespace, *, accepting: threading.Event | None) -> int:
    """Serve until told to leave; the exit code. With `accepting`, hold until asked to accept, then set it."""
    try:
        application = _application(options)
    except CannotStart as failure:
        log.error("%s", failure)  # noqa: TRY400 - expected: the reader needs the mend, not our traceback
        return CANNOT_START
    try:
        _server(options, application, accepting=accepting).run()
    except OSError as failure:
        log.error("cannot listen: %s\n  mend: a free --port, a live --inherit-from, a short --control-socket", failure)  # noqa: TRY400
        return CANNOT_START
    finally:
        if application.infer.request_log is not None:
            application.infer.request_log.close()
    return 0


def _application(options: argparse.Namespace) -> Application:
    model = Model.load(options.model_directory, name=options.name, version=options.model_version)
    metrics = Metrics(model=model.name, version=model.version)
    pace = Pace.measure(model)
    log.info("warm: %s, %s", model.name, pace.describe())
    return Application(infer=_infer(options, model, metrics, pace), draining=threading.Event())


def _infer(options: argparse.Namespace, model: Model, metrics: Metrics, pace: Pace) -> Infer:
    admission = Admission(most_requests=options.most_in_flight, most_bytes=options.most_held_bytes)
    metrics.in_flight.set_function(lambda: admission.requests)
    predictions = Predictions(model.outputs)
    metrics.add(predictions)
    return Infer(
        model=model,
        execution=Execution(model, pace, seconds=options.most_seconds, threads=options.threads),
        admission=admission,
        metrics=metrics,
        predictions=predictions,
        request_log=_request_log(options, model, metrics),
        rules=Rules(
            most_rows=options.most_rows,
            refuse_unknown_inputs=options.unknown_inputs == "refuse",
            accept_event_time=options.accept_event_time,
        ),
        limits=Limits(most_bytes=options.most_bytes, compress_from_bytes=options.compress_from_bytes),
    )


def _request_log(options: argparse.Namespace, model: Model, metrics: Metrics) -> RequestLog | None:
    if options.served_log is None:
        return None
    return RequestLog(
        open_target(options.served_log),
        version=model.version,
        encoding=_log_encoding(options, model),
        weight=Weight.of(model.inputs, model.outputs),
        metrics=metrics,
        limits=LogLimits(
            rows_a_file=options.log_file_rows,
            seconds_a_file=_seconds_a_file(options),
            waiting_bytes=options.log_waiting_bytes,
            closing_seconds=options.log_closing_seconds,
        ),
    )


def _seconds_a_file(options: argparse.Namespace) -> float:
    """What is read file by file over a network, or waits for rows to hide among, comes in fewer and larger files."""
    stated: float | None = options.log_file_seconds
    larger = options.log_mode == "sketch" or "://" in options.served_log
    return stated if stated is not None else _SECONDS_A_LARGER_FILE if larger else _SECONDS_A_FILE


def _log_encoding(options: argparse.Namespace, model: Model) -> Encoding:
    if options.log_mode == "sketch":
        return Sketches.open(options.model_directory, version=model.version)
    from serving.log_rows import Rows  # noqa: PLC0415  # Arrow: 40 MB, which a server without such a log saves

    return Rows(version=model.version, columns={**model.inputs, **model.outputs})


def _server(options: argparse.Namespace, application: Application, *, accepting: threading.Event | None) -> ModelServer:
    def listen() -> socket.socket:
        if options.inherit_from is not None:
            return receive_listener(options.inherit_from)
        return bind(options.host, options.port)

    return ModelServer(
        application,
        control=options.control_socket,
        listen=listen,
        hold=accepting,
        leaving=Leaving(grace_seconds=options.drain_grace_seconds, deadline_seconds=options.drain_deadline_seconds),
        bounds=Bounds(arrival_seconds=options.arrival_seconds),
    )
