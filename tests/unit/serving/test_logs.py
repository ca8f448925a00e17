"""Lines on standard error."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

from serving.logs import JsonLines


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    try:
        int("broken\nin two lines")
    except ValueError:
        made = logging.LogRecord("serving.infer", logging.ERROR, __file__, 1, message, arguments, sys.exc_info())
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_a_record_is_one_line_of_json_whatever_stands_in_it() -> None:
    """What collects logs splits them at line ends: a traceback in twenty records is lost among others."""
    line = JsonLines().format(record('rows "%s"\n', "Ü", fields={"request_id": "a", "odd": object}))
    read = json.loads(line)

    assert "\n" not in line
    assert read["message"] == 'rows "Ü"\n'
    assert (read["level"], read["logger"], read["request_id"]) == ("error", "serving.infer", "a")
    assert read["time"].endswith("+00:00")
    assert "ValueError: invalid literal" in read["exception"]


def test_a_server_that_cannot_start_says_so_in_an_object(tmp_path: Path) -> None:
    """The image logs in this form; the mend must be in the same record as the problem."""
    command = [sys.executable, "-m", "serving", "--log-format", "json", "--model-directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()

    assert done.returncode == 2
    assert json.loads(line)["level"] == "error"
    assert "mend: write" in json.loads(line)["message"]
