"""The first minutes of a version that went live: looks that an apiserver may miss, and what fell over between them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.adapters.rollout import Live
from slipway.adapters.rollout.kubernetes import blame, staying, verdicts
from slipway.adapters.rollout.kubernetes.asking import Asking
from slipway.adapters.rollout.kubernetes.reading import Seen
from slipway.adapters.rollout.kubernetes.staying import Restarts
from slipway.errors import Unreachable

_CRASH_SECONDS = 6.0  # until a cluster tells that a container ended


@dataclass(frozen=True, slots=True)
class Watch:
    """`call_seconds` is how long an apiserver may be away, `turn_seconds` how long is waited between two looks."""

    live: Live
    asking: Asking
    call_seconds: float
    turn_seconds: float

    def watch(self, *, seconds: float, before: Restarts | None) -> None:
        """Return where all that was live stays up; `before` is how often each pod had been started anew, None for now.

        Raises:
            RolloutFailed: a pod was started anew, or is not ready any more.
            Unreachable: the cluster does not answer, or part of it is gone by nobody's fault that can be told.
        """
        ends = time.monotonic() + seconds
        seen = self._look(ends)
        known = staying.restarts(seen, self.live.digest) if before is None else before
        unready = self._look_after(seen, known, unready={})
        while time.monotonic() < ends or unready:  # who is not ready at the last look gets another one
            time.sleep(self.turn_seconds)
            seen = self._look(ends)
            unready = self._look_after(seen, known, unready=unready)
        self._refuse_less(seen, known)

    def raise_if_it_fell(self, before: Restarts) -> None:
        """What stops to answer may have crashed over the question; a cluster tells that a moment later.

        Raises:
            RolloutFailed: it did.
        """
        ends = time.monotonic() + _CRASH_SECONDS
        while time.monotonic() < ends:
            fell = staying.restarted(self._look(ends), self.live.digest, before)
            if fell is not None:
                raise verdicts.fell_over(fell, self.live, self.asking)
            time.sleep(min(self.turn_seconds, 1.0))

    def _look(self, ends: float) -> Seen:
        """A look; an apiserver that is away for a moment is asked again, until `ends` and at least for a call's time.

        Raises:
            Unreachable: it was away until then.
        """
        ends = max(ends, time.monotonic() + self.call_seconds)
        while True:
            try:
                return self.asking.look()
            except Unreachable:
                if time.monotonic() >= ends:
                    raise
            time.sleep(self.turn_seconds)

    def _look_after(
        self, seen: Seen, before: Restarts, *, unready: Mapping[str, blame.Trouble]
    ) -> dict[str, blame.Trouble]:
        """The pods that are not ready by the version's fault; one that was not at the last look either is out."""
        fell = staying.restarted(seen, self.live.digest, before)
        if fell is not None:
            raise verdicts.fell_over(fell, self.live, self.asking)
        around = self.asking.around(seen, self.live.digest, patience=0.0)
        found = staying.of_version(staying.unready(seen, self.live.digest, before, around))
        for uid in found.keys() & unready.keys():
            raise verdicts.fell_over(found[uid], self.live, self.asking)
        return found

    def _refuse_less(self, seen: Seen, before: Restarts) -> None:
        missing = staying.short_of(seen, self.live.digest, before)
        if missing:
            around = self.asking.around(seen, self.live.digest, patience=0.0)
            raise verdicts.not_there(missing, blame.troubles(seen, self.live.digest, around), self.live)
