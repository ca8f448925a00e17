"""Starts that cannot succeed."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving.__main__ import main


@pytest.fixture
def model(late_directory: Path) -> list[str]:
    return ["--model-directory", str(late_directory), "--name", "flight-delay", "--model-version", "v1.1.0"]


def test_a_server_that_keeps_no_rows_loads_no_arrow() -> None:
    """It is two fifths of the memory and of the start of a server that does not need it."""
    told = "import sys, serving.start; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_told_to_leave_while_it_still_loads_it_leaves(tmp_path: Path) -> None:
    """As the first process of a container it would hear nothing by default, and each stop would take a minute."""
    os.mkfifo(tmp_path / "identity.json")  # which it reads while it loads, and waits for who writes it
    command = [sys.executable, "-m", "serving", "--model-directory", str(tmp_path)]
    with subprocess.Popen(command) as server, (tmp_path / "identity.json").open("w"):
        server.terminate()

        assert server.wait(60) == 128 + signal.SIGTERM


def test_a_model_that_is_no_model_is_said_in_two_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The last lines of this log stand in the message of a failed rollout: a traceback would push the reason out."""
    with caplog.at_level(logging.ERROR):
        code = main(["--model-directory", str(tmp_path), "--name", "m", "--model-version", "v1.0.0"])

    assert code == 2
    assert caplog.messages == [
        f"there is no {tmp_path / 'model.onnx'}\n  mend: --model-directory must hold a model.onnx"
    ]


def test_a_port_that_is_taken_is_said_with_the_mend(model: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """Somebody else's server on the port is the most frequent reason of all."""
    with socket.create_server(("127.0.0.1", 0)) as taken, caplog.at_level(logging.ERROR):
        code = main([*model, "--port", str(taken.getsockname()[1])])

    assert code == 2
    assert "cannot listen" in caplog.text
    assert "mend: a free --port" in caplog.text


def test_nobody_to_inherit_from_is_said(model: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Binding a new port instead would leave every client at the old one."""
    with caplog.at_level(logging.ERROR):
        code = main([*model, "--inherit-from", str(tmp_path / "nobody")])

    assert code == 2
    assert "cannot listen" in caplog.text
