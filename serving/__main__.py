"""`python -m serving`: serve one model until told to leave."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence

from serving import logs
from serving.options import parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logs.configure(options.log_format)
    accepting = _tie_to_starter() if options.hold else None

    from serving import start  # noqa: PLC0415 - half a second of imports: --help and the tie come first

    return start.run(options, accepting=accepting)


def _tie_to_starter() -> threading.Event:
    """End with whoever started us, until the returned event: a server that nobody knows of must not stay.

    The other end of standard input is theirs; it reads as closed when they are gone, however they went.
    """
    accepting = threading.Event()

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        if not accepting.is_set():
            os._exit(1)

    threading.Thread(target=watch, name="tie-to-starter", daemon=True).start()
    return accepting


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
    os._exit(128 + number)


if __name__ == "__main__":
    # Until uvicorn takes it over. The first process of a container has no default: told to leave while it still loads,
    # it would hear nothing, and be waited for in vain.
    signal.signal(signal.SIGTERM, _leave)
    sys.exit(main())
