"""Clients that ask a model server again and again, as a process of its own: it runs in the network of the cluster.

Half of them keep their connection from answer to question, as pools do; the others open one for each request. Nobody
asks twice: what fails is counted, with its reason. A line on standard input is answered with the counts so far; at its
end the clients finish what they have asked, and the last counts are printed. Of new connections, each of which goes to
a pod by chance, the counts of each second are told as well.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import urllib3

KEEP, NEW = "keep-alive", "new connection"


@dataclass
class Asked:
    """How often each version answered, or what went wrong instead, for each kind of client."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: {KEEP: Counter(), NEW: Counter()})
    seconds: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    since: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str, outcome: str) -> None:
        with self.lock:
            self.outcomes[kind][outcome] += 1
            if kind == NEW:
                self.seconds[int(time.monotonic() - self.since)][outcome] += 1

    def tell(self) -> None:
        with self.lock:
            told = {"outcomes": self.outcomes, "seconds": list(self.seconds.values())}
            sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def ask(pool: urllib3.HTTPConnectionPool, path: str, body: bytes, *, keep: bool) -> str:
    """The version that answered, or what went wrong."""
    headers = {"content-type": "application/json", "connection": "keep-alive" if keep else "close"}
    try:
        response = pool.urlopen("POST", path, body=body, headers=headers)
    except urllib3.exceptions.HTTPError as failure:
        return f"{type(failure).__name__}: {failure}".split("0x")[0]
    if response.status != 200:
        return f"status {response.status}"
    return str(response.json()["model_version"])


def work(kind: str, address: str, path: str, body: bytes, *, pause: float, asked: Asked, end: threading.Event) -> None:
    host, _, port = address.partition(":")

    def connected() -> urllib3.HTTPConnectionPool:
        return urllib3.HTTPConnectionPool(host, int(port), maxsize=1, retries=False, timeout=20.0)

    pool = connected()
    due = time.monotonic()
    while not end.is_set():
        if kind == NEW:
            pool.close()
            pool = connected()
        asked.count(kind, ask(pool, path, body, keep=kind == KEEP))
        due = max(due + pause, time.monotonic() - pause)
        end.wait(max(0.0, due - time.monotonic()))


def main(address: str, path: str, body: str, clients: int, a_second: float) -> None:
    """`clients` of each kind, which ask `a_second` times together."""
    asked, end = Asked(), threading.Event()
    shared = {"pause": 2 * clients / a_second, "asked": asked, "end": end}
    kinds = [kind for kind in (KEEP, NEW) for _ in range(clients)]
    workers = [
        threading.Thread(target=work, args=(kind, address, path, body.encode()), kwargs=shared) for kind in kinds
    ]
    for worker in workers:
        worker.start()
    for _ in sys.stdin:
        asked.tell()
    end.set()
    for worker in workers:
        worker.join()
    asked.tell()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
