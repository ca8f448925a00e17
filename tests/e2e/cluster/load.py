"""Clients of the cluster, who ask in its network."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

from tests.e2e.clients import load as clients
from tests.e2e.clients.load import Load, two_rows
from tests.e2e.cluster.cluster import Cluster

log = logging.getLogger(__name__)

CLIENTS, A_SECOND = 4, 200  # of each kind, and of all
BILLS = (20.0, 30.5)


@contextlib.contextmanager
def load(cluster: Cluster, address: str, *, model: str = "tip", bills: tuple[float, float] = BILLS) -> Iterator[Load]:
    """Ask a model at `HOST:PORT` of the cluster's network, from now on and until the end of the block.

    What the kernel remembers of connections of before is forgotten: their ports are used again, and some led to pods
    that are gone, which tells nothing of this one.
    """
    cluster.place.inside("conntrack", "--flush")
    with clients.load(
        address, model=model, inputs=two_rows(bills), clients=CLIENTS, a_second=A_SECOND, entry=cluster.entry
    ) as asked:
        yield asked
    took = time.monotonic() - asked.since
    log.info("%d answered in %.0f s: %s", asked.answered.total(), took, asked.outcomes)
    log.info("failed: %s", asked.failed)
