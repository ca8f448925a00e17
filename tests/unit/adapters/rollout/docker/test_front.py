"""How the front is told where requests go."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from slipway.adapters.rollout.docker.front import Front, is_up
from slipway.errors import Unreachable

# Printed by HAProxy 2.6.12; `-` is an address that is not known.
_STATES = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
4 green 1 green {address} {state} 0 1 1 12 15 3 4 6 0 0 0 green 8080 - 0 0 - - 0

"""


@pytest.mark.parametrize(
    ("address", "state", "up"),
    [("172.19.0.3", 2, True), ("172.19.0.3", 0, False), ("172.19.0.9", 2, False), ("-", 2, False)],
)
def test_traffic_moves_to_a_container_that_the_front_finds_ready_at_its_address(
    address: str, state: int, *, up: bool
) -> None:
    """The colour served before, from another container: what the front knows of that one says nothing of this one."""
    assert is_up(_STATES.format(address=address, state=state), {"172.19.0.3"}) is up


@contextmanager
def answering(folder: Path, answers: dict[str, str]) -> Iterator[list[str]]:
    """Something that answers at the admin socket of a front; what it was told."""
    told: list[str] = []

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            told.append(self.rfile.readline().decode().strip())
            self.wfile.write(answers.get(told[-1], "\n").encode())

    (folder / "admin").mkdir(parents=True)
    with socketserver.ThreadingUnixStreamServer(str(folder / "admin" / "admin.sock"), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield told
        server.shutdown()


def test_what_points_there_is_not_told_again(tmp_path: Path) -> None:
    """A run again looks, and changes nothing."""
    with answering(tmp_path, {"show map /etc/slipway/live.map": "0x5581 live blue\n\n"}) as told:
        Front(tmp_path).point_to("blue")

    assert told == ["show map /etc/slipway/live.map"]


def test_a_front_that_does_not_do_as_it_is_told_is_no_fault_of_a_version(tmp_path: Path) -> None:
    """The old server would be stopped, with the traffic still on it."""
    answers = {
        "show map /etc/slipway/live.map": "0x5581 live blue\n\n",
        "set map /etc/slipway/live.map live green": "Permission denied\n\n",
    }
    with answering(tmp_path, answers), pytest.raises(Unreachable, match="did not take green: Permission denied"):
        Front(tmp_path).point_to("green")


def test_a_front_that_is_gone_is_no_fault_of_a_version(tmp_path: Path) -> None:
    """It is started again by the next run."""
    front = Front(tmp_path)

    assert not front.listens()
    with pytest.raises(Unreachable, match="has no admin socket"):
        front.point_to("green")


def test_a_deep_folder_is_as_good(tmp_path: Path) -> None:
    """The path of a Unix socket has at most 103 characters, and a runner's folders are deep."""
    near, deep = tmp_path / "near", tmp_path / ("d" * 90) / ("e" * 90)
    deep.parent.mkdir()
    near.mkdir()
    with answering(near, {"show map /etc/slipway/live.map": "0x5581 live green\n\n"}):
        near.rename(deep)
        assert Front(deep).named() == "green"


def test_the_next_start_begins_with_the_colour_that_was_written(tmp_path: Path) -> None:
    """The form of a map's file: a key, a blank, and its value."""
    Front(tmp_path).write("green")

    assert (tmp_path / "front" / "live.map").read_text() == "live green\n"
