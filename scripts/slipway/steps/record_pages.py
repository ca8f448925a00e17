"""Write what a run found into the ledger, by one commit. The ledger's only writer, also after a run that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from slipway.adapters.history import canary_folder, heartbeats_folder, incident_folder, release_folder, windows_folder
from slipway.adapters.ledger import BRANCH, Ledger, page_path
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.canary import CANARY_PAGES, CanaryEvidence, CanaryVerdicts
from slipway.domain.delivery import Delivery
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.release import Attempt, JobResult, Proposal, Verdicts, WaiverUsed, came_to_its_end
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, BranchMoved, PageExists
from slipway.gates import judged_by, waivers_in_force

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow or of a command: its id, and which attempt of it this is."""

    id: str
    attempt: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A workflow that runs each day did so; `url` is where a person reads that run, None on a laptop."""

    workflow: str
    day: date
    url: str | None

    @property
    def lines(self) -> dict[str, list[str]]:
        """One a day, whatever runs on it."""
        told = {"key": self.day.isoformat(), "day": self.day.isoformat(), "run": self.url}
        return {f"{heartbeats_folder(self.workflow)}/{self.day:%Y-%m}.jsonl": [json.dumps(told, sort_keys=True)]}


def run(record: Record, *, tag: ReleaseTag, ledger: Ledger) -> str | None:
    """Add the pages of a release, and return the ledger's commit; None where the record is empty."""
    contents = record.contents()
    if not contents:
        return None
    return _append(ledger, {release_folder(tag): contents}, message=f"Record {tag}: {', '.join(sorted(contents))}\n")


def note_attempt(
    tag: ReleaseTag, *, jobs: Mapping[str, JobResult], of: Run, today: date, workplace: Workplace
) -> Page[Attempt] | None:
    """Write the page `attempt` of a run that broke off; None where the run came to its end.

    Raises:
        ForgeRefused: there is no such tag: whoever started the run misspelt it, and nothing is to be kept.
    """
    record = workplace.release(tag)
    all_went_well = all(result is JobResult.SUCCESS for result in jobs.values())
    if all_went_well and came_to_its_end(record.latest(Verdicts), record.pages(Proposal)):
        return None
    waivers = _waivers(tag, today, workplace)
    reads = {
        "run": of.id,
        "attempt": of.attempt,
        "tag": workplace.forge.tag(str(tag)).object_id,
        **judged_by(waivers, policies_digest=workplace.repository.policies_digest()),
    }
    return record.once(Attempt, reads=reads, make=lambda: Attempt(jobs=dict(jobs)))


def run_on_windows(records: Sequence[Record], *, ledger: Ledger, beat: Heartbeat | None = None) -> str | None:
    """Add what was judged of windows, and a heartbeat, by one commit: a line a window, and the pages of incidents."""
    windows = [_window(record) for record in records]
    lines = {} if beat is None else beat.lines
    for month, line, _ in windows:
        lines[month] = [*lines.get(month, []), line]
    folders = {
        folder: _without_canary(record.contents())
        for record, (_, _, folder) in zip(records, windows, strict=True)
        if folder
    }
    for record in records:
        folders |= _of_canary(record)
    for record in records:
        for page in record.pages(Delivery):  # also of an incident that is over, of which the window says nothing more
            data = page.body.message.data
            folder = incident_folder(data.model, data.environment, data.incident)
            folders[folder] = {**folders.get(folder, {}), page.file_name: page.to_json()}
    what = [record.subject for record in records] + ([f"a heartbeat of {beat.workflow}"] if beat else [])
    return _append(ledger, folders, lines=lines, message=f"Record {', '.join(what)}\n") if what else None


def run_on_canary(record: Record, *, ledger: Ledger) -> str | None:
    """Add what was found of a canary alone, where its window could not be judged; None where nothing was found."""
    folders = _of_canary(record)
    return _append(ledger, folders, message=f"Record {record.subject}: its canary\n") if folders else None


def run_on_rollout(record: Record, *, ledger: Ledger) -> str:
    """Add what was found and done about a version that was merged and does not run."""
    failure = record.page(RolloutFailure, written_by="verify-rollout").body
    folder = incident_folder(failure.model, failure.environment, failure.incident)
    contents = record.contents()
    return _append(ledger, {folder: contents}, message=f"Record {failure.name}: {', '.join(sorted(contents))}\n")


def run_on_reversion(page: Page[Reversion], *, ledger: Ledger) -> str:
    """Add the page of a way back that a person asked for."""
    body = page.body
    folder = incident_folder(body.model, body.environment, body.incident)
    message = f"Record {body.incident}: {body.model} back to {body.back_to}\n"
    return _append(ledger, {folder: {page.file_name: page.to_json()}}, message=message)


def run_on_baseline(page: Page[Baseline], *, ledger: Ledger) -> str:
    """Add the page of what a person adopted; where the ledger has it, nothing is written."""
    body = page.body
    message = f"Record {body.release} as what {body.environment} runs\n"
    return _append(ledger, {release_folder(body.release): {page.file_name: page.to_json()}}, message=message)


def _waivers(tag: ReleaseTag, today: date, workplace: Workplace) -> tuple[WaiverUsed, ...]:
    """Policies that cannot be read are a reason for runs to break off, and must not keep that from being recorded."""
    try:
        policies = workplace.repository.policies()
    except BadFile:
        return ()
    return waivers_in_force(policies, model=tag.model, version=tag.image_tag, today=today)


def _window(record: Record) -> tuple[str, str, str | None]:
    """The file of its month, its line there, and the folder of its incident; None where all is quiet."""
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.latest(IncidentVerdicts)
    issue = record.latest(IssueFiled)
    body = evidence.body
    month = f"{windows_folder(body.model, body.environment)}/{body.window.end:%Y-%m}.jsonl"
    line = json.dumps({"key": evidence.key, **body.window.to_line()}, sort_keys=True)
    incident = (issue.body.incident if issue else None) or (verdicts.body.incident if verdicts else None)
    return month, line, incident_folder(body.model, body.environment, incident) if incident else None


def _of_canary(record: Record) -> dict[str, dict[str, bytes]]:
    """By the folder of each version that was looked at, its pages; empty where the window has no canary.

    On a day on which one was withdrawn and the next came, there are two.
    """
    folders: dict[str, dict[str, bytes]] = {}
    pages: list[Page[CanaryEvidence] | Page[CanaryVerdicts]] = [
        *record.pages(CanaryEvidence),
        *record.pages(CanaryVerdicts),
    ]
    for page in pages:
        folder = canary_folder(page.body.model, page.body.environment, page.body.version)
        folders.setdefault(folder, {})[page.file_name] = page.to_json()
    return folders


def _without_canary(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """A canary is another version than the one that an incident of a window is about."""
    return {name: content for name, content in contents.items() if _kind(name) not in CANARY_PAGES}


def _append(
    ledger: Ledger,
    folders: Mapping[str, Mapping[str, bytes]],
    *,
    lines: Mapping[str, Sequence[str]] | None = None,
    message: str,
) -> str:
    """Add what is new; where another run took the same numbers meanwhile, count again."""
    for _ in range(_TRIES):
        files: dict[str, bytes] = {}
        for folder, contents in folders.items():
            files.update(_numbered_after(ledger, folder, contents))
        try:
            return ledger.append(files, lines=lines, message=message) if files or lines else _head(ledger)
        except PageExists:
            continue
    raise BranchMoved(f"others recorded pages of {', '.join(folders)} {_TRIES} times meanwhile", mend="run again")


def _head(ledger: Ledger) -> str:
    head = ledger.forge.head(BRANCH)
    assert head is not None  # nothing is new: all of it is there
    return head


def _numbered_after(ledger: Ledger, folder: str, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give pages that the ledger does not have yet the next free numbers of their kind.

    The newest page of a kind counts, so the newest of this run becomes the newest of the ledger: also where it says
    what an older page said. Earlier ones are added where they say something new.
    """
    there = _by_kind({PurePosixPath(path).name: content for path, content in ledger.pages(folder).items()})
    files: dict[str, bytes] = {}
    for kind, mine in _by_kind(contents).items():
        known = there.get(kind, {})
        recorded = {_without_number(content) for content in known.values()}
        meanings = [_meaning(content) for content in known.values()]
        number = max(known, default=0)
        for content in mine.values():
            is_newest = content is mine[max(mine)]
            if _without_number(content) in recorded or _meaning(content) in (meanings[-1:] if is_newest else meanings):
                continue
            number += 1
            meanings.append(_meaning(content))
            files[page_path(folder, kind, number)] = _renumbered(content, number)
    return files


def _by_kind(contents: Mapping[str, bytes]) -> dict[str, dict[int, bytes]]:
    """Kind → number → page, in ascending order of the numbers."""
    found: dict[str, dict[int, bytes]] = {}
    for name in sorted(contents, key=lambda name: (_kind(name), _number(name))):
        found.setdefault(_kind(name), {})[_number(name)] = contents[name]
    return found


def _kind(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def _number(name: str) -> int:
    return int(name.split(".")[1])


def _meaning(content: bytes) -> str:
    """A page without its number and circumstances: what two runs must agree on."""
    page = json.loads(content)
    return json.dumps({name: page[name] for name in ("kind", "subject", "key", "body")}, sort_keys=True)


def _without_number(content: bytes) -> str:
    """A page as one run wrote it, whatever number it has where."""
    page = json.loads(content)
    return json.dumps({name: value for name, value in page.items() if name != "number"}, sort_keys=True)


def _renumbered(content: bytes, number: int) -> bytes:
    page = json.loads(content)
    if page["number"] == number:
        return content
    return json.dumps({**page, "number": number}, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
