"""Systems that give less than this one: what they lack is refused by a filter of system calls in front of a command."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Refused(NamedTuple):
    """A system call, with this first argument where one is named, that ends with `error`."""

    number: int
    error: int = 1  # EPERM
    first: int | None = None


_OF_THE_SYSTEM = shutil.which("python3", path=os.defpath) or sys.executable
PYTHON = _OF_THE_SYSTEM if os.geteuid() == 0 else sys.executable  # one of root's own is for nobody else
_UNSHARE, _MOUNT, _PRCTL = {"x86_64": (272, 165, 157), "aarch64": (97, 40, 167)}[platform.machine()]
_NO_NAMESPACES = Refused(_UNSHARE)  # as in a container
_NO_LANDLOCK = Refused(444, error=38)  # before Linux 5.13
_NO_FILTER = Refused(_PRCTL, first=22)
SYSTEMS: dict[str, tuple[Refused, ...]] = {
    "all that this one has": (),
    "no namespaces": (_NO_NAMESPACES,),
    "namespaces without rights": (Refused(_MOUNT),),  # as on Ubuntu 24.04
    "no Landlock": (_NO_LANDLOCK,),
    "neither": (_NO_NAMESPACES, _NO_LANDLOCK),
    "nothing": (_NO_NAMESPACES, _NO_LANDLOCK, _NO_FILTER),
}

_REFUSE = """
import ctypes, json, os, struct, sys
load, equal, answer = 0x20, 0x15, 0x06
steps = []
for number, error, first in json.loads(sys.argv[1]):
    steps += [(load, 0, 0, 0), (equal, 0, 1 if first is None else 3, number)]
    steps += [] if first is None else [(load, 0, 0, 16), (equal, 0, 1, first)]
    steps += [(answer, 0, 0, 0x00050000 | error)]
code = b"".join(struct.pack("=HBBI", *step) for step in [*steps, (answer, 0, 0, 0x7FFF0000)])
held = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(held)), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


def on(system: str, command: Sequence[str]) -> list[str]:
    """The command, whose program is named with its path, on a system of this name."""
    refused = SYSTEMS[system]
    return [PYTHON, "-c", _REFUSE, json.dumps(refused), *command] if refused else list(command)
