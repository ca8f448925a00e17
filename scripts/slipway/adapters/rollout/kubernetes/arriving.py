"""The wait until what is to be rolled out is live: the looks, and what is known once its time is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.kubernetes import blame, reading, verdicts
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.domain.settings import RolloutEngine
from slipway.errors import Unreachable

log = logging.getLogger(__name__)

Listed = Callable[[], frozenset[str]]  # the digests that an index lists


def wait_until_live(
    deployment: Deployment, asking: Asking, *, engine: RolloutEngine, same: Listed, turn_seconds: float
) -> Seen:
    """Look again and again until it is live, it is known not to get there, or its time is over.

    Raises:
        RolloutFailed: the version is at fault.
        Unreachable: its time is over, and nothing says so; or the cluster does not answer at the end of it.
    """
    ends, told = time.monotonic() + deployment.ready_seconds, ""
    while True:
        is_last = time.monotonic() >= ends
        try:
            seen = asking.look()
        except Unreachable as silent:
            if is_last:
                raise
            text = silent.problem
        else:
            text = reading.waits_for(seen, deployment.digest) or _other_image(seen, deployment, same)
            if not text:
                log.info("%s %s is live in %s", deployment.model, deployment.version, deployment.environment)
                return seen
            _decide(seen, deployment, asking, engine=engine, waits_for=text, is_last=is_last)
        told = _tell(deployment, text, told)
        time.sleep(min(turn_seconds, max(0.0, ends - time.monotonic())))


def _decide(
    seen: Seen, deployment: Deployment, asking: Asking, *, engine: RolloutEngine, waits_for: str, is_last: bool
) -> None:
    """Raise what is known of a rollout that is not live; return while it may still get there."""
    loop = blame.crash_loop(seen, deployment.digest)
    if loop is not None:
        raise verdicts.at_fault((loop,), seen, deployment, asking)
    if is_last:
        raise verdicts.out_of_time(seen, deployment, asking, engine=engine, waits_for=waits_for)


def _other_image(seen: Seen, deployment: Deployment, same: Listed) -> str:
    """The images of an index are asked for only where a runtime tells another digest."""
    found = seen.other_image(deployment.digest, frozenset())
    if found is None:
        return ""
    found = seen.other_image(deployment.digest, same())
    return "" if found is None else f"pod {found[0].name} runs {found[1]}, which is not what the manifest names"


def _tell(deployment: Deployment, text: str, told: str) -> str:
    """Each change of state once."""
    if text != told:
        log.info("%s %s in %s: %s", deployment.model, deployment.version, deployment.environment, text)
    return text
