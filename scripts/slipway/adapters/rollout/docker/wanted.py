"""What a server's container is to be made of, for what an environment is to serve."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from slipway.adapters.rollout import Deployment

COMPOSE, OF_THE_TEAM = "compose.yaml", "of-the-team.yaml"
_INTO_A_FOLDER, _INTO_A_BUCKET = "served-log-folder.yaml", "served-log-bucket.yaml"
_SERVED = "/served"  # where a server's container has the folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a server's container is made of; it is made anew where any of it changes.

    `image` is NAME@DIGEST; `log` the file that says where its log goes, and `log_folder` the folder, empty where there
    is none; `team` is what the team adds to the project.
    """

    image: str
    arguments: str
    log: str = ""
    log_folder: str = ""
    team: str = ""

    @property
    def files(self) -> list[str]:
        """What makes up the project, in the order in which one adds to the other."""
        return [name for name in (COMPOSE, self.log, OF_THE_TEAM if self.team else "") if name]


def wanted_of(deployment: Deployment, *, accept_event_time: bool, team: str) -> Wanted:
    """What is to run, with what a team adds."""
    options: dict[str, str | None] = {"--name": deployment.model, "--model-version": deployment.version}
    if accept_event_time:
        options["--accept-event-time"] = None
    log, folder = "", ""
    if deployment.served_log is not None:
        address = f"{deployment.served_log}/{deployment.environment}/{deployment.model}"
        log, folder = (_INTO_A_BUCKET, "") if "://" in address else (_INTO_A_FOLDER, address)
        options |= {"--served-log": _SERVED if folder else address, "--log-mode": deployment.log_mode}
    return Wanted(
        image=by_digest(deployment.image), arguments=arguments_of(options), log=log, log_folder=folder, team=team
    )


def by_digest(image: str) -> str:
    """HOST/PREFIX/MODEL@DIGEST: where a tag is named as well, engines differ in which of the two they ask for."""
    name, _, digest = image.partition("@")
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.partition(':')[0]}@{digest}"


def arguments_of(options: Mapping[str, str | None]) -> str:
    """One command line; an option without a value stands alone."""
    return shlex.join(name if value is None else f"{name}={value}" for name, value in options.items())
