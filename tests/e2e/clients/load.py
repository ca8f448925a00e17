"""What clients saw while something was done to what they ask."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SCRIPT = Path(__file__).with_name("asking.py")
_PATIENCE = 180.0  # seconds


@dataclass
class Load:
    """`outcomes` counts versions that answered and reasons of failures, for each kind of client.

    `seconds` has the same of each second in turn, of clients that connect anew.
    """

    _asking: subprocess.Popen[str]
    since: float = field(default_factory=time.monotonic)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: list[Counter[str]] = field(default_factory=list)

    @property
    def all(self) -> Counter[str]:
        return sum(self.outcomes.values(), Counter[str]())

    @property
    def failed(self) -> dict[str, dict[str, int]]:
        """Reasons, by kind of client."""
        each = self.outcomes.items()
        found = {kind: {what: n for what, n in seen.items() if not _is_version(what)} for kind, seen in each}
        return {kind: reasons for kind, reasons in found.items() if reasons}

    @property
    def failures(self) -> int:
        return sum(sum(reasons.values()) for reasons in self.failed.values())

    @property
    def answered(self) -> Counter[str]:
        """How often each version did."""
        return Counter({what: n for what, n in self.all.items() if _is_version(what)})

    def windows(self, requests: int) -> list[Counter[str]]:
        """All that clients saw which connect anew, from the first second on, in windows of at least so many requests.

        What is left at the end is in none.
        """
        found, open_one = list[Counter[str]](), Counter[str]()
        for second in self.seconds:
            open_one = open_one + second
            if open_one.total() >= requests:
                found.append(open_one)
                open_one = Counter()
        return found

    def look(self) -> Load:
        """What all clients have seen so far."""
        assert self._asking.stdin is not None
        self._asking.stdin.write("\n")
        self._asking.stdin.flush()
        self._read()
        return self

    def wait_for(self, requests: int) -> None:
        """Until so many more were asked."""
        self.wait_until_at_least(self.look().all.total() + requests)

    def wait_until_at_least(self, requests: int) -> None:
        """Until so many were asked in all."""
        self._wait(lambda: self.look().all.total() >= requests)

    def wait_until_each(self, requests: int) -> None:
        """Until each kind of client asked so often in all."""
        self._wait(lambda: all(seen.total() >= requests for seen in self.look().outcomes.values()))

    def finish(self) -> None:
        """Let them finish what they have asked, and take the last counts."""
        assert self._asking.stdin is not None
        self._asking.stdin.close()
        self._read()

    def _wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, self.outcomes
            time.sleep(0.2)

    def _read(self) -> None:
        assert self._asking.stdout is not None
        told = json.loads(self._asking.stdout.readline())
        self.outcomes = {kind: Counter(seen) for kind, seen in told["outcomes"].items()}
        self.seconds = [Counter(seen) for seen in told["seconds"]]


@contextlib.contextmanager
def load(
    address: str,
    *,
    model: str,
    inputs: Sequence[Mapping[str, object]],
    clients: int,
    a_second: float,
    entry: Sequence[str] = (),
) -> Iterator[Load]:
    """Ask a model at `HOST:PORT` from now on and until the end of the block.

    Args:
        address: where it answers.
        model: its name.
        inputs: of each request.
        clients: of each kind.
        a_second: requests of all of them.
        entry: words before the command, which bring it into the network that the address is of.
    """
    words = (address, f"/v2/models/{model}/infer", json.dumps({"inputs": inputs}), str(clients), str(a_second))
    command, pipe = [*entry, sys.executable, str(_SCRIPT), *words], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as asking:
        try:
            asked = Load(asking)
            yield asked
            asked.finish()
        finally:
            asking.kill()


def two_rows(bills: Sequence[float] = (20.0, 30.5)) -> list[dict[str, object]]:
    """What `tip` is asked."""
    return [
        {"name": "bill", "datatype": "FP32", "shape": [2, 1], "data": list(bills)},
        {"name": "kitchen", "datatype": "BYTES", "shape": [2, 1], "data": ["grill", "pizza"]},
    ]


def _is_version(outcome: str) -> bool:
    return outcome.startswith("v") and outcome[1:2].isdigit()
