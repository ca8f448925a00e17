"""Run a command for as long as our stdin stays open: `python held_process.py COMMAND [ARGUMENT …]`.

A file of its own that imports nothing of Slipway. kubectl goes on forwarding when the one who started it was killed;
the end of the stream is that one's end, however it came, and then nothing of the command is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_parent, args=[process], daemon=True).start()
    return process.wait()


def _end_with_parent(process: subprocess.Popen[bytes]) -> None:
    """The parent writes nothing."""
    os.read(sys.stdin.fileno(), 1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
