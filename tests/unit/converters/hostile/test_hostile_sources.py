"""Hostile sources of each format, tried without any sandbox: the refusals alone must keep their code from running."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.unit.converters.hostile.conftest import Attempts

_FORMATS = {
    "scikit_learn_attempts": ("pickle", "skops"),
    "boosters_attempts": ("xgboost", "lightgbm"),
    "tensorflow_attempts": ("SavedModel", "keras"),
    "onnx_attempts": ("",),
    "pytorch_attempts": ("exported program", "module"),
}
# They are left out of what PyTorch loads, so the source passes.
_NEVER_READ = {"exported program: examples that are pickled code"}
_WITHOUT_SOCKET = {"writes a file", "writes a file in a loop", "writes a file when loaded"}  # TensorFlow has none


@pytest.fixture(params=_FORMATS)
def attempts(request: pytest.FixtureRequest) -> Attempts:
    return cast(Attempts, request.getfixturevalue(request.param))


def test_each_is_refused_as_what_it_is_and_told_with_a_mend(attempts: Attempts) -> None:
    """A team that was attacked, or saved its model in a wrong way, reads what is wrong; no traceback, no crash."""
    let_in = {name for name, told in attempts.told.items() if told["said"][0] == "passed"}
    others = [told["said"] for name, told in attempts.told.items() if name not in let_in]

    assert let_in <= _NEVER_READ
    assert {said[0] for said in others} <= {"ModelRefused", "ConversionFailed"}
    assert [said for said in others if not (said[1] and said[2])] == []


def test_no_canary_was_touched_and_no_socket_called(attempts: Attempts) -> None:
    """What is refused too late has run already."""
    assert attempts.touched == []
    assert attempts.called == []


def test_the_same_payloads_run_where_nothing_refuses_them(attempts: Attempts) -> None:
    """The control: canaries that nothing can touch, and a socket that nobody reaches, would prove nothing."""
    controls = {name: told for name, told in attempts.told.items() if "control" in told}

    assert controls
    assert {name: told["control"] for name, told in controls.items() if not told["ran"]} == {}
    plain = {name.partition(": ")[2] or name for name in controls}
    assert plain - _WITHOUT_SOCKET <= set(attempts.called_by_controls)


def test_the_harmless_twin_of_each_passes(attempts: Attempts) -> None:
    """Who refuses everything is safe, and of no use."""
    twins = {name: told["twin"] for name, told in attempts.told.items() if "twin" in told}

    assert len(twins) >= 6
    assert {name: said for name, said in twins.items() if said != ["passed"]} == {}


def test_nothing_goes_on_running(attempts: Attempts) -> None:
    """A payload may start a process that waits until nobody looks."""
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"_attacks.py" in _read(path)]

    assert attempts.told
    assert running == []


@pytest.mark.parametrize(("fixture", "kind"), [(name, kind) for name, kinds in _FORMATS.items() for kind in kinds])
def test_a_format_is_attacked_in_six_ways_at_least(request: pytest.FixtureRequest, fixture: str, kind: str) -> None:
    """One wall that holds against one trick is no wall."""
    told = request.getfixturevalue(fixture).told

    assert len([name for name in told if name.startswith(kind)]) >= 6


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
