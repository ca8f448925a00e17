"""Why DVC did not get what a `.dvc` file tracks: `python -m slipway.adapters.sources.dvc_remote FILE RESULT`.

DVC says "missing" of a remote that is away, too. So each object is asked for once more, until one is not there, by the
library that DVC asks with; its failure is told in our words in RESULT, a file of JSON, `{}` where there is none. Runs
in DVC's environment, in the folder that DVC ran in.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from slipway.adapters.sources.failures import in_our_words
from slipway.errors import SlipwayError


def main(file: str, result: Path) -> None:
    try:
        _ask(file)
        told: dict[str, str] = {}
    except Exception as failure:
        expected = (
            failure if isinstance(failure, SlipwayError) else in_our_words(failure, address=f"what {file} tracks")
        )
        if expected is None:
            raise
        told = expected.as_refusal()
    result.write_text(json.dumps(told))


def _ask(file: str) -> None:
    with import_module("dvc.repo").Repo() as repo:
        for out in repo.stage.load_one(file).outs:
            remote = repo.cloud.get_remote_odb(out.remote, hash_name=out.hash_name)
            for digest in _digests(remote, out.hash_info):
                remote.fs.fs.info(remote.oid_to_path(digest))


def _digests(remote: Any, tracked: Any) -> Iterator[str]:
    """Of the file or, of a folder, of its list and of each file in it; the list is asked for after it was looked at."""
    yield tracked.value
    if tracked.isdir:
        listed = json.loads(remote.fs.fs.cat_file(remote.oid_to_path(tracked.value)))
        yield from (str(part["md5"]) for part in listed)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
