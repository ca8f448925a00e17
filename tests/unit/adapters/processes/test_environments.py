"""Processes that are kept apart, however they end. Real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.processes import environments
from slipway.adapters.processes.environments import Limits
from slipway.errors import ConversionFailed, ModelRefused

ROOT = Path(__file__).parents[4]
_PYTHON = Path(sys.executable)
_FAST = Limits(seconds=20)


def _run(
    folder: Path,
    code: str,
    *,
    python: Path = _PYTHON,
    limits: Limits = _FAST,
    packages: Sequence[Path] = (),
    **job: Any,
) -> Any:
    """Run `code` as the module `worker`; it finds the job as `job` and answers by `answer(…)`."""
    start = (
        "import json, os, sys, time\n"
        "job = json.load(open(sys.argv[-1]))\n"
        "def answer(value): open(job['result'], 'w').write(json.dumps(value))\n"
    )
    (folder / "worker.py").write_text(start + code)
    packages = [folder / "worker.py", *packages]
    return environments.run(python, "worker", job, folder=folder / "process", packages=packages, limits=limits)


def test_a_process_gets_its_job_and_its_answer_comes_back(tmp_path: Path) -> None:
    """The whole exchange is two files."""
    assert _run(tmp_path, "answer(job['numbers'][::-1])", numbers=[1, 2, 3]) == [3, 2, 1]


def test_a_process_sees_none_of_our_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's code runs there; a token that it cannot see cannot be lost."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")

    seen = _run(tmp_path, "answer([dict(os.environ), os.listdir(os.path.expanduser('~'))])")

    assert "secret" not in json.dumps(seen)
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"}
    assert set(seen[0]) - {"LC_CTYPE"} == allowed | {"OMP_NUM_THREADS", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"}
    assert seen[1] == []


def test_a_process_imports_slipway_and_nothing_else_of_where_it_lies(tmp_path: Path) -> None:
    """Installed as a package, Slipway lies beside numpy and onnx of other versions than the framework's."""
    code = "answer([path for path in sys.path if os.path.exists(os.path.join(path, 'slipway'))])"
    without_slipway = Path(sys.base_prefix) / "bin" / "python3"

    found = _run(tmp_path, code, python=without_slipway, packages=[ROOT / "scripts" / "slipway"])

    assert found == [str(tmp_path / "process" / "code")]


def test_a_crash_is_told_with_the_last_words(tmp_path: Path) -> None:
    """A native library that crashes leaves no traceback, but often a line before it."""
    with pytest.raises(ConversionFailed, match=r"(?s)crashed \(SIGABRT\).*something is wrong") as raised:
        _run(tmp_path, "print('something is wrong', flush=True); os.abort()")

    assert "mend: " in str(raised.value)


def test_an_exception_is_told_with_its_traceback_s_end(tmp_path: Path) -> None:
    """What TensorFlow raised is the only hint that there is."""
    with pytest.raises(ConversionFailed, match=r"(?s)failed \(exit code 1\).*ZeroDivisionError"):
        _run(tmp_path, "1 / 0")


def test_a_process_that_hangs_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    """A child that survives would keep the machine busy for the next release, or write into its files."""
    code = f"{_sleeper(tmp_path)}\ntime.sleep(600)"
    with pytest.raises(ConversionFailed, match=r"did not end within 2 s and was stopped.*(?s:.*)an endless loop"):
        _run(tmp_path, code, limits=Limits(seconds=2))

    assert not _sleeps(tmp_path)


@pytest.mark.parametrize("session", [False, True], ids=["in the group", "in a session of its own"])
def test_a_child_that_outlives_a_good_answer_is_stopped_and_told(tmp_path: Path, session: bool) -> None:
    """What the model's code left running could change files that are read afterwards."""
    code = f"{_sleeper(tmp_path, session=session)}\nanswer(1)"
    with pytest.raises(ConversionFailed, match=r"left 1 others running, which were stopped.*(?s:.*)wait for what"):
        _run(tmp_path, code)

    assert not _sleeps(tmp_path)


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    """After a kill nobody waits for the answer, and a second run must not meet the first."""
    (tmp_path / "worker.py").write_text(f"import sys, time\n{_sleeper(tmp_path, session=True)}\ntime.sleep(600)")
    start = (
        "from pathlib import Path; import sys; from slipway.adapters.processes import environments\n"
        f"environments.run(Path(sys.executable), 'worker', {{}}, folder=Path({str(tmp_path / 'process')!r}),"
        f" packages=[Path({str(tmp_path / 'worker.py')!r})])"
    )
    parent = subprocess.Popen([sys.executable, "-c", start], env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")})
    while not _processes(str(tmp_path / "sleeper")):
        assert parent.poll() is None
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    assert not _sleeps(tmp_path)
    assert not _sleeps(tmp_path / "process", named=False)


@pytest.mark.parametrize("code", ["sys.exit(0)", "open(job['result'], 'w').write('{half')"])
def test_an_end_without_a_result_is_an_error(tmp_path: Path, code: str) -> None:
    """Exit code 0 is what the process says of itself."""
    with pytest.raises(ConversionFailed, match="ended without a result"):
        _run(tmp_path, code)


def test_an_old_result_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    """The same folder is used again when a step is run again."""
    _run(tmp_path, "answer('old')")

    with pytest.raises(ConversionFailed, match="ended without a result"):
        _run(tmp_path, "sys.exit(0)")


def test_a_refusal_of_the_worker_arrives_as_the_error_that_it_is(tmp_path: Path) -> None:
    """The exit code and the words depend on its class."""
    with pytest.raises(ModelRefused, match="no good") as raised:
        _run(tmp_path, "answer({'refused': 'ModelRefused', 'problem': 'no good', 'mend': 'a better one'})")

    assert raised.value.mend == "a better one"


@pytest.mark.parametrize("name", ["SystemExit", "annotations", "__builtins__", 7])
def test_a_refusal_cannot_name_any_other_class(tmp_path: Path, name: object) -> None:
    """The worker runs the model's code, so its words are text and nothing more."""
    with pytest.raises(ConversionFailed, match="no good"):
        _run(tmp_path, f"answer({{'refused': {name!r}, 'problem': 'no good', 'mend': ''}})")


def _sleeper(folder: Path, *, session: bool = False) -> str:
    """Code that starts a process which sleeps, known by its arguments: in a namespace it has another number."""
    command = f"[sys.executable, '-c', 'import time; time.sleep(600)', {str(folder / 'sleeper')!r}]"
    return f"import subprocess; subprocess.Popen({command}, start_new_session={session})"


def _sleeps(folder: Path, *, named: bool = True) -> bool:
    """Whether it still does after 10 s."""
    for _ in range(200):
        if not _processes(str(folder / "sleeper") if named else str(folder)):
            return False
        time.sleep(0.05)
    return True


def _processes(argument: str) -> list[str]:
    """Of all processes, those with an argument that holds this text; one that has ended has no arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_text(errors="replace")
        except OSError:
            continue
        if argument in arguments and f"pytest{chr(0)}" not in arguments:
            found.append(arguments)
    return found
