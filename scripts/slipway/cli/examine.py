"""Measure and judge a revision in a process apart: `python -m slipway.cli.examine JOB`, which `rebase` starts.

What rebase.yml gives to a job of its own, a laptop gives to a process: no token and no key in its environment, no
network, and no files but those that it reads, as far as the system can (`adapters/processes/isolation.py`). The pages
that it hands on are received as those of that job are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace
    from slipway.domain.verdict import Verdict

_KINDS = ("evidence", "rehearsal", "verdicts")
_SECONDS = 3600.0


def examined(record: Record, *, environment: str, place: Workplace) -> Verdict:
    """Let a process measure, rehearse and judge, and take in the pages that it wrote.

    Raises:
        ConversionFailed: the process crashed, hung, or ran out of something.
        BadFile, DigestMismatch: it handed on what it was not asked for.
        SlipwayError: what a step met there.
    """
    from slipway.cli import options
    from slipway.domain.release import Verdicts
    from slipway.steps import receive_pages

    aside = _aside(record)
    job = {
        "record": str(aside.folder),
        "subject": record.subject,
        "root": str(place.repository.root),
        "environment": environment,
        "today": options.today().isoformat(),
    }
    _run(job, aside, record, place.repository.root)
    for path in aside.folder.glob("*.json"):
        if path.name.partition(".")[0] not in _KINDS:
            path.unlink()  # what it read
    receive_pages.run(record, received=aside.folder, kinds=_KINDS)
    return record.page(Verdicts, written_by="judge").body.verdict


def _aside(record: Record) -> Record:
    """The same pages, to be written to; and the same files, to be read."""
    from slipway.adapters.records import Record

    aside = Record(record.scratch("examined").resolve(), record.subject)
    aside.seed(record.contents())
    (aside.folder / "blobs").symlink_to((record.folder / "blobs").resolve())
    return aside


def _run(job: dict[str, str], aside: Record, record: Record, root: Path) -> None:
    from slipway.adapters.processes import environments
    from slipway.adapters.processes.environments import Files, Limits

    asked = [path for path in (root / "policies", root / "tests" / "models") if path.exists()]
    environments.run(
        Path(sys.executable),
        "slipway.cli.examine",
        job,
        folder=record.scratch("examining"),
        limits=Limits(seconds=_SECONDS, cpu_seconds=int(4 * _SECONDS), memory_bytes=None),
        files=Files(reads=(record.folder / "blobs", *asked), writes=(aside.folder,)),
    )


def main(job_file: Path) -> None:
    job = json.loads(job_file.read_text())
    try:
        result = {"verdict": str(_examine(job))}
    except SlipwayError as error:
        result = error.as_refusal()
    Path(job["result"]).write_text(json.dumps(result))


def _examine(job: dict[str, str]) -> Verdict:
    from datetime import date

    from slipway.adapters.records import Record
    from slipway.adapters.repository import Repository
    from slipway.steps import judge, measure_consistency, rehearse_rollback

    record, repository = Record(Path(job["record"]), job["subject"]), Repository(Path(job["root"]))
    policies = repository.policies()
    measure_consistency.run(record, policies=policies, tests=repository.team_tests)
    rehearse_rollback.run(record, environment=job["environment"])
    digest, today = repository.policies_digest(), date.fromisoformat(job["today"])
    return judge.run(record, policies=policies, policies_digest=digest, today=today).body.verdict


if __name__ == "__main__":
    main(Path(sys.argv[1]))
