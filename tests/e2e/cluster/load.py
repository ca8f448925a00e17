"""What clients of the cluster saw while something was done to it."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.place import wait_for

log = logging.getLogger(__name__)

CLIENTS, A_SECOND = 4, 200  # of each kind, and of all
_SCRIPT = Path(__file__).with_name("asking.py")
BILLS = (20.0, 30.5)


@dataclass
class Load:
    """`outcomes` counts versions that answered and reasons of failures, for each kind of client.

    `seconds` has the same of each second in turn, of clients that connect anew.
    """

    _asking: subprocess.Popen[str]
    _since: float = field(default_factory=time.monotonic)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: list[Counter[str]] = field(default_factory=list)

    @property
    def all(self) -> Counter[str]:
        return sum(self.outcomes.values(), Counter[str]())

    @property
    def failed(self) -> dict[str, dict[str, int]]:
        """Reasons, by kind of client."""
        found = {kind: {what: n for what, n in seen.items() if not _is_version(what)} for kind, seen in self.each()}
        return {kind: reasons for kind, reasons in found.items() if reasons}

    @property
    def answered(self) -> int:
        return sum(n for what, n in self.all.items() if _is_version(what))

    def each(self) -> list[tuple[str, Counter[str]]]:
        return list(self.outcomes.items())

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

    def look(self) -> Counter[str]:
        """What all clients have seen so far."""
        assert self._asking.stdin is not None
        self._asking.stdin.write("\n")
        self._asking.stdin.flush()
        self._read()
        return self.all

    def wait_for(self, requests: int) -> None:
        """Until so many more were asked."""
        before = self.look().total()
        wait_for(lambda: self.look().total() >= before + requests, what=f"{requests} requests", seconds=180)

    def wait_until_at_least(self, requests: int) -> None:
        wait_for(lambda: self.look().total() >= requests, what=f"{requests} requests", seconds=180)

    def finish(self) -> None:
        assert self._asking.stdin is not None
        self._asking.stdin.close()
        self._read()
        took = time.monotonic() - self._since
        log.info("%d answered in %.0f s: %s; failed: %s", self.answered, took, self.outcomes, self.failed)

    def _read(self) -> None:
        assert self._asking.stdout is not None
        told = json.loads(self._asking.stdout.readline())
        self.outcomes = {kind: Counter(seen) for kind, seen in told["outcomes"].items()}
        self.seconds = [Counter(seen) for seen in told["seconds"]]


@contextlib.contextmanager
def load(cluster: Cluster, address: str, *, model: str = "tip", bills: tuple[float, float] = BILLS) -> Iterator[Load]:
    """Ask a model at `HOST:PORT` of the cluster's network, from now on and until the end of the block.

    What the kernel remembers of connections of before is forgotten: their ports are used again, and some led to pods
    that are gone, which tells nothing of this one.
    """
    cluster.place.inside("conntrack", "--flush")
    path = f"/v2/models/{model}/infer"
    words = (sys.executable, str(_SCRIPT), address, path, _asked(bills), str(CLIENTS), str(A_SECOND))
    pipe = subprocess.PIPE
    with subprocess.Popen([*cluster.entry, *words], stdin=pipe, stdout=pipe, text=True) as asking:
        try:
            clients = Load(asking)
            yield clients
            clients.finish()
        finally:
            asking.kill()


def _asked(bills: tuple[float, float]) -> str:
    tables = [
        {"name": "bill", "datatype": "FP32", "shape": [2, 1], "data": bills},
        {"name": "kitchen", "datatype": "BYTES", "shape": [2, 1], "data": ["grill", "pizza"]},
    ]
    return json.dumps({"inputs": tables})


def _is_version(outcome: str) -> bool:
    return outcome.startswith("v") and outcome[1:2].isdigit()
