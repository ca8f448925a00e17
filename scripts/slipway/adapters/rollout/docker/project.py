"""The folder of one compose project: what is written into it, and the commands that are given there.

    <state>/<environment>/<model>/compose.yaml, served-log-*.yaml, of-the-team.yaml, .env   what a person runs by hand
    <state>/<environment>/<model>/front/, admin/    configuration and admin socket of the front
    <state>/<environment>/<model>/publish           ADDRESS:PORT of the front, chosen once
    <state>/<environment>/<model>/live.json         what is live, replaced as a whole

There, `docker compose ps`, `logs` and `up --detach` work by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from slipway.adapters import atomic, crash_points
from slipway.adapters.rollout import Live
from slipway.adapters.rollout.docker.containers import Container, Docker
from slipway.adapters.rollout.docker.front import CONFIGURATION, Front
from slipway.adapters.rollout.docker.wanted import OF_THE_TEAM, Wanted
from slipway.errors import BadFile, Unreachable

COLOURS = ("blue", "green")
FRONT = "front"
_NOBODY = (65532, 65532)  # the user of the image
_HERE = Path(__file__).parent
_PORTS = range(20_000, 30_000)  # below those that the system and Docker give away by themselves
_TRIES = 50
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What `live.json` says; `restarts` is how often its server had been started again when it went live."""

    live: Live
    colour: str
    wanted: Wanted
    restarts: int = 0

    @classmethod
    def parse(cls, content: bytes) -> Self:
        record = json.loads(content)
        ours = {name: record.pop(name) for name in ("colour", "wanted", "restarts")}
        return cls(live=Live(**record), **(ours | {"wanted": Wanted(**ours["wanted"])}))

    @property
    def content(self) -> bytes:
        """Flat, as the engine `process` writes it: people and scripts look for `url` there."""
        record = asdict(self)
        return json.dumps(record.pop("live") | record, indent=2).encode() + b"\n"

    @property
    def other_colour(self) -> str:
        return next(colour for colour in COLOURS if colour != self.colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`name` is the one of compose, by which Docker knows what belongs to it; `user` the one of all its containers."""

    place: Path
    name: str
    user: tuple[int, int]
    front_image: str

    @classmethod
    def of(cls, place: Path, *, front_image: str) -> Self:
        """The project in a folder; another checkout on the same machine has another one."""
        known = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
        name = f"slipway-{place.parent.name}-{place.name}-{known}"
        user = _NOBODY if os.geteuid() == 0 else (os.getuid(), os.getgid())
        return cls(place=place, name=name, user=user, front_image=front_image)

    @property
    def docker(self) -> Docker:
        return Docker(self.place)

    @property
    def front(self) -> Front:
        return Front(self.place)

    def container_of(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def container(self, service: str) -> Container | None:
        return self.docker.container(self.container_of(service))

    def current(self) -> Current | None:
        """What `live.json` says."""
        path = self.place / "live.json"
        try:
            return Current.parse(path.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as failure:
            mend = f"delete {path} and roll out"
            raise BadFile(f"{path} is not what a rollout wrote: {failure}", mend=mend) from failure

    def record(self, current: Current) -> None:
        atomic.write(self.place / "live.json", current.content)

    def forget(self) -> None:
        (self.place / "live.json").unlink(missing_ok=True)

    def published(self, address: str) -> str:
        """ADDRESS:PORT of the front, chosen the first time."""
        path = self.place / "publish"
        if not path.exists():
            atomic.write(path, f"{address}:{free_port(address, among=_PORTS)}\n".encode())
        return path.read_text().strip()

    def write(self, colour: str, wanted: Wanted, *, publish: str) -> None:
        """Write down the project, in which `colour` is made of `wanted` and the other one is not there."""
        for folder in ("front", "admin"):
            own(self.place / folder, self.user)
        _copy(CONFIGURATION, into=self.place / "front")
        for name in wanted.files:
            if name == OF_THE_TEAM:
                atomic.write(self.place / name, wanted.team.encode())
            else:
                _copy(name, into=self.place)
        atomic.write(self.place / ".env", dotenv(self._variables(colour, wanted, publish)).encode())

    def _variables(self, colour: str, wanted: Wanted, publish: str) -> dict[str, str]:
        return {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_FILE": os.pathsep.join(wanted.files),
            "COMPOSE_PROFILES": colour,
            "SLIPWAY_USER": f"{self.user[0]}:{self.user[1]}",
            "SLIPWAY_FRONT_IMAGE": self.front_image,
            "SLIPWAY_PUBLISH": publish,
            "SLIPWAY_SERVED_LOG": wanted.log_folder,
            f"SLIPWAY_{colour.upper()}_IMAGE": wanted.image,
            f"SLIPWAY_{colour.upper()}_COMMAND": wanted.arguments,
        }

    def up(self, service: str) -> None:
        """Start a service where it does not run; what runs stays as it is."""
        with crash_points.external_write(f"start-{_kind(service)}"):
            self.docker("compose", "up", "--detach", "--no-deps", "--no-recreate", "--quiet-pull", service)

    def remove(self, service: str, *, seconds: int = _STOP_SECONDS) -> None:
        """Let it answer what is in flight, and take its container away; nothing is done where there is none."""
        if self.container(service) is not None:
            with crash_points.external_write(f"end-{_kind(service)}"):
                self.docker("container", "stop", "-t", str(seconds), self.container_of(service))
                self.docker("container", "rm", "--volumes", "--force", self.container_of(service))

    def remove_all(self) -> None:
        """The front before what answers it, and the network at last."""
        for service in (FRONT, *COLOURS):
            self.remove(service)
        if (self.place / ".env").exists():
            self.docker("compose", "down")


def own(folder: Path, user: tuple[int, int]) -> None:
    """Make a folder in which that user, and nobody else, writes.

    Raises:
        BadFile: it cannot be made, or given to that user.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, *user)
        folder.chmod(0o755)
    except OSError as failure:
        raise BadFile(
            f"{folder} cannot be given to user {user[0]}, who writes there: {failure}",
            mend="let whoever rolls out own it, or name another one",
        ) from failure


def dotenv(variables: Mapping[str, str]) -> str:
    """The text of a file `.env`; in single quotes nothing is special to compose but these quotes themselves.

    Raises:
        BadFile: a value that cannot be written so.
    """
    for name, value in variables.items():
        if set(value) & set("'\n\r\\"):
            raise BadFile(
                f"{name} would be {value!r}, which compose cannot read", mend="take another name for that folder"
            )
    return "".join(f"{name}='{value}'\n" for name, value in variables.items())


def _kind(service: str) -> str:
    return service if service == FRONT else "server"


def _copy(name: str, *, into: Path) -> None:
    atomic.write(into / name, (_HERE / name).read_bytes())


def free_port(address: str, *, among: Sequence[int]) -> int:
    """One of some ports, at random, that nobody has.

    Raises:
        Unreachable: all that were tried are taken.
    """
    for port in random.sample(among, min(_TRIES, len(among))):
        with socket.socket(socket.AF_INET) as tried:
            try:
                tried.bind((address, port))
            except OSError:
                continue
            return port
    raise Unreachable(
        f"no port of {address} is free between {among[0]} and {among[-1]}",
        mend="free one; or name an address of this machine in SLIPWAY_DOCKER_ADDRESS",
    )
