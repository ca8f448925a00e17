"""Write what a run found into the ledger, by one commit. The ledger's only writer, also after a run that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from slipway.adapters.history import incident_folder, release_folder, windows_folder
from slipway.adapters.ledger import Ledger, page_path
from slipway.adapters.records import Record
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.tag import ReleaseTag


def run(record: Record, *, tag: ReleaseTag, ledger: Ledger) -> str | None:
    """Add the pages of a release, and return the ledger's commit; None where the record is empty."""
    contents = record.contents()
    if not contents:
        return None
    files = _numbered_after(ledger, release_folder(tag), contents)
    return ledger.append(files, message=f"Record {tag}: {', '.join(sorted(contents))}\n")


def run_on_window(record: Record, *, ledger: Ledger) -> str:
    """Add the line of a window, and its pages where they belong to an incident."""
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    verdicts = record.latest(IncidentVerdicts)
    issue = record.latest(IssueFiled)
    window = evidence.body.window
    month = f"{windows_folder(evidence.body.model, evidence.body.environment)}/{window.end:%Y-%m}.jsonl"
    line = json.dumps({"key": evidence.key, "window": window.model_dump(mode="json")}, sort_keys=True)
    incident = (issue.body.incident if issue else None) or (verdicts.body.incident if verdicts else None)
    files: Mapping[str, bytes] = {}
    if incident is not None:
        folder = incident_folder(evidence.body.model, evidence.body.environment, incident)
        files = _numbered_after(ledger, folder, record.contents())
    message = f"Record {evidence.subject}\n"
    return ledger.append(files, lines={month: [line]}, message=message)


def run_on_reversion(page: Page[Reversion], *, ledger: Ledger) -> str:
    """Add the page of a way back that a person asked for."""
    body = page.body
    folder = incident_folder(body.model, body.environment, body.incident)
    files = _numbered_after(ledger, folder, {page.file_name: page.to_json()})
    return ledger.append(files, message=f"Record {body.incident}: {body.model} back to {body.back_to}\n")


def _numbered_after(ledger: Ledger, folder: str, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give pages that the ledger does not have yet the next free numbers of their kind."""
    there = {PurePosixPath(path).name: content for path, content in ledger.pages(folder).items()}
    known = {(_kind(name), _meaning(content)) for name, content in there.items()}
    highest: dict[str, int] = {}
    for name in there:
        highest[_kind(name)] = max(highest.get(_kind(name), 0), _number(name))
    files: dict[str, bytes] = {}
    for name, content in sorted(contents.items(), key=lambda item: (_kind(item[0]), _number(item[0]))):
        kind = _kind(name)
        if there.get(name) == content or (kind, _meaning(content)) in known:
            continue
        number = max(highest.get(kind, 0) + 1, _number(name))
        highest[kind] = number
        files[page_path(folder, kind, number)] = _renumbered(content, number)
    return files


def _kind(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def _number(name: str) -> int:
    return int(name.split(".")[1])


def _meaning(content: bytes) -> str:
    """A page without its number and circumstances: what two runs must agree on."""
    page = json.loads(content)
    return json.dumps({name: page[name] for name in ("kind", "subject", "key", "body")}, sort_keys=True)


def _renumbered(content: bytes, number: int) -> bytes:
    page = json.loads(content)
    if page["number"] == number:
        return content
    return json.dumps({**page, "number": number}, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
