"""Run a module within limits: `python bounded_process.py LIMITS MODULE [ARGUMENT …]`, LIMITS as JSON.

A file of its own that imports nothing of Slipway: it sets the limits inside the new process, before any other code
runs there, since setting them between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import runpy
import signal
import sys
import threading
import traceback

OUT_OF_MEMORY, FILE_TOO_LARGE, TOO_MANY_PROCESSES = 77, 78, 79  # exit codes that Python and its libraries do not use
_ENDS = {errno.ENOMEM: OUT_OF_MEMORY, errno.EFBIG: FILE_TOO_LARGE, errno.EAGAIN: TOO_MANY_PROCESSES}


def main(limits: dict[str, int | None], module: str, arguments: list[str]) -> None:
    for name, value in limits.items():
        if value is not None:
            _limit(getattr(resource, name), value)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except MemoryError:
        _end(OUT_OF_MEMORY)
    except OSError as error:
        if error.errno not in _ENDS:
            raise
        _end(_ENDS[error.errno])


def _end(code: int) -> None:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)  # no clean-up: it may need what ran out


def _limit(what: int, value: int) -> None:
    """At the soft limit of CPU comes SIGXCPU, at the hard one SIGKILL, which looks like anything."""
    most = resource.getrlimit(what)[1]
    allowed = value if most == resource.RLIM_INFINITY else min(value, most - 1)
    resource.setrlimit(what, (allowed, allowed + 1))


def _end_with_parent() -> None:
    """The parent holds the other end of stdin and writes nothing: the end of the stream is the parent's end."""
    if not os.read(sys.stdin.fileno(), 1):
        os.killpg(0, signal.SIGKILL)  # the own group, whatever its number is here


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:])
