"""A port that is forwarded is gone when it was asked, however that ended. The scripts are kubectls that misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from slipway.adapters.rollout.kubernetes import held_process
from slipway.adapters.rollout.kubernetes.forwarding import forwarded
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.errors import ClusterRefused, Unreachable

from tests.unit.adapters.rollout.kubernetes.conftest import ends, runs

_HOLDER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE)
time.sleep(60)
"""
Script = Callable[[str], str]


def asking(program: str, *, seconds: float = 5.0) -> Kubectl:
    return Kubectl(environment="staging", program=program, seconds=seconds, variables={"PATH": os.environ["PATH"]})


def test_the_address_is_the_port_that_kubectl_took(script: Script, tmp_path: Path) -> None:
    """It takes a free one, of loopback alone."""
    told, pid = tmp_path / "told", tmp_path / "pid"
    words = ["port-forward", "pod/tip-1", ":8080", "--address=127.0.0.1", "--namespace", "staging"]
    program = script(
        f'echo $$ > {pid}; echo "$@" > {told}; echo "Forwarding from 127.0.0.1:4711 -> 8080"; exec sleep 60'
    )
    with forwarded(asking(program), "tip-1", 8080, place=("--namespace", "staging")) as url:
        assert url == "http://127.0.0.1:4711"
        assert runs(int(pid.read_text()))
    assert ends(int(pid.read_text()))
    assert told.read_text().split() == words


def test_it_is_gone_also_where_the_question_failed(script: Script, tmp_path: Path) -> None:
    """Each failed rollout would leave a tunnel into the cluster."""
    pid = tmp_path / "pid"
    program = script(f'echo $$ > {pid}; echo "Forwarding from 127.0.0.1:4711 -> 8080"; exec sleep 60')
    with pytest.raises(ZeroDivisionError), forwarded(asking(program), "tip-1", 8080, place=()):
        raise ZeroDivisionError
    assert ends(int(pid.read_text()))


def test_it_ends_with_us_though_we_are_killed(tmp_path: Path) -> None:
    """Nobody is left then to end it."""
    pid = tmp_path / "pid"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _HOLDER,
            str(held_process.__file__),
            "sh",
            "-c",
            f"echo $$ > {pid}; exec sleep 60",
        ]
    )
    deadline = time.monotonic() + 10
    while not (pid.exists() and pid.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert ends(int(pid.read_text()))


def test_a_kubectl_that_says_nothing_is_given_up(script: Script) -> None:
    """A pod whose node is gone answers no stream."""
    begin = time.monotonic()
    with (
        pytest.raises(Unreachable, match=r"kubectl forwards nothing from pod/tip-1: it said nothing"),
        forwarded(asking(script("exec sleep 60"), seconds=0.3), "tip-1", 8080, place=()),
    ):
        pass
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error from server (Forbidden): User "ci" cannot create resource "pods/portforward"', ClusterRefused),
        ("error: unable to forward port because pod is not running. Current status=Pending", ClusterRefused),
        ("error: error upgrading connection: error dialing backend: dial tcp 10.0.0.2:10250: i/o timeout", Unreachable),
    ],
)
def test_a_refusal_is_told_in_kubectls_words(script: Script, said: str, kind: type[Exception]) -> None:
    """A right that is missing has a mend; a node that is away has none but time."""
    refused = script(f"echo '{said}' >&2; exit 1")
    with pytest.raises(kind), forwarded(asking(refused), "tip-1", 8080, place=()):
        pass
