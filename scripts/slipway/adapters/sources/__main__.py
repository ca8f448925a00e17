"""The process that fetches: `python -m slipway.adapters.sources JOB`, in the environment of the place's library.

JOB is a file of JSON with `address`, `into`, `limit` and `result`; the file that `result` names gets what was found, or
`{"refused": CLASS, "problem": …, "mend": …}`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slipway.adapters.sources import FETCHERS
from slipway.adapters.sources.failures import in_our_words
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SlipwayError


def main(job_file: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = json.loads(job_file.read_text())
    try:
        told = _fetch(job)
    except SlipwayError as error:
        told = error.as_refusal()
    except Exception as failure:
        expected = in_our_words(failure, address=job["address"])
        if expected is None:
            raise
        told = expected.as_refusal()
    Path(job["result"]).write_text(json.dumps(told))


def _fetch(job: dict[str, Any]) -> dict[str, Any]:
    address = SourceAddress.parse(job["address"])
    found = FETCHERS[address.scheme].fetch(
        address, into=Path(job["into"]), limit=SourceLimit.model_validate(job["limit"])
    )
    training = found.training.model_dump(mode="json") if found.training else None
    return {**asdict(found), "training": training}


def _end_with_parent() -> None:
    """The parent holds the other end of stdin and writes nothing: its end is the parent's end."""
    if not os.read(sys.stdin.fileno(), 1):
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)  # a library's own threads may wait for a server that is gone
