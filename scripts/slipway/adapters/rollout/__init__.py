"""How a released version becomes the one that answers, whatever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Batch = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What an environment is to serve.

    `model_directory` holds the `model/` of the image's layer; `served_log` is the root of the served logs, an
    absolute folder or one of a bucket: files land under `<served_log>/<environment>/<model>/date=YYYY-MM-DD/`. Where it
    is None the server logs nothing.
    """

    model: str
    environment: str
    version: str
    digest: str
    model_directory: Path
    served_log: str | None
    log_mode: str = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What an environment serves now."""

    model: str
    environment: str
    version: str
    digest: str
    url: str
    pid: int


class Rollout(Protocol):
    """Brings versions to life, one live version a model and environment."""

    def apply(self, deployment: Deployment) -> Live:
        """Serve `deployment`; nothing is done where its digest is live and healthy.

        Raises:
            RolloutFailed: it never became ready; what served before still does.
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

    def stop(self, model: str, environment: str) -> None:
        """Answer what is in flight and serve no more; nothing is done where nothing is live."""
        ...
