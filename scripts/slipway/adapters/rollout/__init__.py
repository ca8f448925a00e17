"""How a released version becomes the one that answers, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Batch = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What an environment is to serve.

    `image` is `HOST/PREFIX/MODEL:VERSION@DIGEST`, as the manifest renders it; `commit` the one that brought the digest
    there. `model_directory` holds the `model/` of the image's layer, verified; `served_log` is the root of the served
    logs, an absolute folder or one of a bucket: files land under `<served_log>/<environment>/<model>/date=YYYY-MM-DD/`.
    Where it is None the server logs nothing. `ready_seconds` is how long it may take until it is live. `examine` raises
    where a server gives other answers than it should: an engine that can calls it before the server gets any request.
    `is_canary` says that this version gets a share of the traffic, beside what serves the rest.
    """

    model: str
    environment: str
    version: str
    digest: str
    image: str
    commit: str
    model_directory: Path
    served_log: str | None
    log_mode: str = "rows"
    ready_seconds: float = 60.0
    examine: Callable[[Live], None] | None = None
    is_canary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What an environment serves now; `pid` is that of the server, 0 where the engine starts no process.

    `is_canary` says that it is what serves a share of the traffic alone.
    """

    model: str
    environment: str
    version: str
    digest: str
    url: str
    pid: int = 0
    is_canary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """What runs and nothing of git names; `ended_by` is the command by which a person ends it."""

    live: Live
    ended_by: str


class Rollout(Protocol):
    """Brings versions to life, one live version a model and environment."""

    def apply(self, deployment: Deployment) -> Live:
        """Serve `deployment`, or see that who else does so has; nothing is done where its digest is live and healthy.

        Raises:
            RolloutFailed: it never became ready; what served before still does.
            Unreachable: nobody can say whether it is live: what runs it does not answer, or has not begun.
        """
        ...

    def live(self, model: str, environment: str) -> Live | None:
        """Say what is served, or None."""
        ...

    def ask(
        self,
        live: Live,
        batch: Batch,
        *,
        request_id: str | None = None,
        times: Sequence[np.datetime64] | npt.NDArray[np.datetime64] | None = None,
    ) -> Batch:
        """Ask for answers to a batch, one column an input; the answer has one column an output.

        A batch too large for one request is sent as several, called `<request_id>.0`, `<request_id>.1` and so on.

        Raises:
            Unreachable: nothing answers.
            ServerRefused: it answers with a refusal.
        """
        ...

    def watch(self, live: Live, *, seconds: float) -> None:
        """Return after `seconds` in which it was up; where nothing starts a dead server anew, one look is enough.

        Raises:
            RolloutFailed: it ended, or was started again.
            Unreachable: nobody can say.
        """
        ...

    def stop(self, model: str, environment: str) -> None:
        """Answer what is in flight and serve no more; nothing is done where nothing is live."""
        ...


@runtime_checkable
class Sharing(Protocol):
    """An engine that lets two versions of a model answer, each a share of who asks."""

    def canary(self, model: str, environment: str) -> Live | None:
        """What is served beside what `Rollout.live` tells, or None."""
        ...


@runtime_checkable
class Listing(Protocol):
    """An engine that can tell what runs without being asked for it by name, also what git knows nothing of."""

    def strays(self, environment: str, *, known: Collection[Live]) -> Sequence[Stray]:
        """What an environment serves beside what is `known` to run there.

        Raises:
            Unreachable, ClusterRefused: nobody answers, or it may not be asked for.
        """
        ...
