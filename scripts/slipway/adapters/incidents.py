"""What went wrong with one release: the incidents of the ledger that are about it, each as its newest pages tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from slipway.adapters.ledger import Ledger
from slipway.domain.explanation import Event, IncidentTold, Moment
from slipway.domain.incident import IncidentKind, IncidentVerdicts, IssueAction, IssueFiled, Outcome, Reversion
from slipway.domain.incident import WindowEvidence as Seen
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class IncidentPages:
    """Of one incident: `began` is when its first page was written, and `seen` the window that opened it.

    Later windows are written beside it until it is over, also such as another version served. `verdicts` are the newest
    that say that something is wrong; of all else, the newest page counts.
    """

    environment: str
    name: str
    began: str
    failure: Page[RolloutFailure] | None
    seen: Page[Seen] | None
    verdicts: Page[IncidentVerdicts] | None
    reversion: Page[Reversion] | None
    issue: Page[IssueFiled] | None

    @property
    def version(self) -> str | None:
        told = self.failure or self.reversion
        if told is not None:
            return told.body.version
        return self.seen.body.window.version if self.seen else None

    @property
    def about(self) -> IncidentKind:
        return next(kind for kind in IncidentKind if kind.names(self.name))

    @property
    def is_open(self) -> bool:
        """Until its issue was closed; what a person asked for is no incident that stays."""
        if self.issue is not None:
            return self.issue.body.action is not IssueAction.CLOSED
        return self.verdicts is not None


def about(tag: ReleaseTag, environment: str, ledger: Ledger) -> tuple[IncidentPages, ...]:
    """Oldest first."""
    folder = f"{tag.model}/{environment}/incidents"
    of_each: dict[str, dict[str, bytes]] = {}
    for path, content in ledger.pages(folder).items():
        _, _, name, file = path.rsplit("/", 3)
        of_each.setdefault(name, {})[file] = content
    found = (_read(environment, name, files) for name, files in sorted(of_each.items()) if _is_known(name))
    return tuple(one for one in found if one.version == tag.image_tag)


def told(pages: IncidentPages, model: str) -> IncidentTold:
    reversion, issue = pages.reversion, pages.issue
    return IncidentTold(
        name=f"{model}/{pages.environment}/{pages.name}",
        environment=pages.environment,
        day=date.fromisoformat(pages.name[:10]),
        about=pages.about,
        outcome=pages.verdicts.body.outcome if pages.verdicts else None,
        is_open=pages.is_open,
        issue=issue.body.number if issue else None,
        problem=_problem(pages),
        back_to=reversion.body.back_to if reversion and not reversion.body.no_way_back else None,
        pull=reversion.body.pull if reversion else None,
    )


def events(pages: IncidentPages) -> Iterator[Event]:
    """That it began, and that somebody went back."""
    where = pages.environment
    if pages.about is not IncidentKind.REQUESTED:
        number = pages.issue.body.number if pages.issue else None
        yield Event(at=pages.began, what=Moment.INCIDENT, environment=where, number=number, said=_problem(pages))
    if pages.reversion is not None and not pages.reversion.body.no_way_back:
        back = pages.reversion.body
        yield Event(
            at=pages.reversion.circumstances.written_at,
            what=Moment.WAY_BACK,
            environment=where,
            version=back.back_to,
            number=back.pull,
            commit=back.commit,
            said=back.reason,
        )


def _problem(pages: IncidentPages) -> str:
    if pages.failure is not None:
        return f"{pages.failure.body.problem}: {pages.failure.body.said}"
    findings = pages.verdicts.body.findings if pages.verdicts else ()
    failed = [one.problem for one in findings if one.verdict is Verdict.FAIL and not one.audit]
    if failed:
        return "; ".join(filter(None, failed))
    return pages.reversion.body.reason if pages.reversion else ""


def _is_known(name: str) -> bool:
    return any(kind.names(name) for kind in IncidentKind)


def _read(environment: str, name: str, files: Mapping[str, bytes]) -> IncidentPages:
    failure, reversion = _newest(RolloutFailure, files, name), _newest(Reversion, files, name)
    windows, verdicts = _all(Seen, files, name), _all(IncidentVerdicts, files, name)
    seen = windows[0] if windows else None
    wrong = [page for page in verdicts if page.body.outcome is not Outcome.QUIET]
    pages = (verdicts[0] if verdicts else None, failure, seen, reversion)
    first = next((page for page in pages if page is not None), None)
    return IncidentPages(
        environment=environment,
        name=name,
        began=first.circumstances.written_at if first else name[:10],
        failure=failure,
        seen=seen,
        verdicts=wrong[-1] if wrong else None,
        reversion=reversion,
        issue=_newest(IssueFiled, files, name),
    )


def _newest(kind: type[BodyT], files: Mapping[str, bytes], where: str) -> Page[BodyT] | None:
    written = _all(kind, files, where)
    return written[-1] if written else None


def _all(kind: type[BodyT], files: Mapping[str, bytes], where: str) -> list[Page[BodyT]]:
    found = (
        parse_page(kind, content, where=f"ledger:{where}/{name}")
        for name, content in files.items()
        if name.startswith(f"{kind.kind}.")
    )
    return sorted(found, key=lambda page: page.number)
