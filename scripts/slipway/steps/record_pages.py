"""Write what a run found into the ledger, by one commit. The ledger's only writer, also after a run that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from slipway.adapters.history import incident_folder, release_folder, windows_folder
from slipway.adapters.ledger import BRANCH, Ledger, page_path
from slipway.adapters.records import Record
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.tag import ReleaseTag
from slipway.errors import BranchMoved, PageExists

_TRIES = 20


def run(record: Record, *, tag: ReleaseTag, ledger: Ledger) -> str | None:
    """Add the pages of a release, and return the ledger's commit; None where the record is empty."""
    contents = record.contents()
    if not contents:
        return None
    message = f"Record {tag}: {', '.join(sorted(contents))}\n"
    return _append(ledger, release_folder(tag), contents, message=message)


def run_on_window(record: Record, *, ledger: Ledger) -> str:
    """Add the line of a window, and its pages where they belong to an incident."""
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.latest(IncidentVerdicts)
    issue = record.latest(IssueFiled)
    window = evidence.body.window
    month = f"{windows_folder(evidence.body.model, evidence.body.environment)}/{window.end:%Y-%m}.jsonl"
    line = json.dumps({"key": evidence.key, "window": window.model_dump(mode="json")}, sort_keys=True)
    incident = (issue.body.incident if issue else None) or (verdicts.body.incident if verdicts else None)
    message = f"Record {evidence.subject}\n"
    if incident is None:
        return ledger.append({}, lines={month: [line]}, message=message)
    folder = incident_folder(evidence.body.model, evidence.body.environment, incident)
    return _append(ledger, folder, record.contents(), lines={month: [line]}, message=message)


def run_on_reversion(page: Page[Reversion], *, ledger: Ledger) -> str:
    """Add the page of a way back that a person asked for."""
    body = page.body
    folder = incident_folder(body.model, body.environment, body.incident)
    message = f"Record {body.incident}: {body.model} back to {body.back_to}\n"
    return _append(ledger, folder, {page.file_name: page.to_json()}, message=message)


def _append(
    ledger: Ledger,
    folder: str,
    contents: Mapping[str, bytes],
    *,
    lines: Mapping[str, Sequence[str]] | None = None,
    message: str,
) -> str:
    """Add what is new; where another run took the same numbers meanwhile, count again."""
    for _ in range(_TRIES):
        files = _numbered_after(ledger, folder, contents)
        try:
            return ledger.append(files, lines=lines, message=message) if files or lines else _head(ledger)
        except PageExists:
            continue
    raise BranchMoved(f"others recorded pages of {folder} {_TRIES} times meanwhile", mend="run again")


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
