"""Collect the pages of the story for its HTML report."""

from __future__ import annotations

from typing import TypeVar

from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
from slipway.domain.pages import Body
from slipway.domain.release import Image, Rehearsal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.reports.story import (
    Document,
    EnvironmentChapter,
    IncidentChapter,
    ReleaseChapter,
    Story,
    story_html,
)

from demo.team import ENVIRONMENT, MODEL, Team

BodyT = TypeVar("BodyT", bound=Body)


def html(team: Team, seen: list[WindowEvidence], *, title: str) -> str:
    place = team.workplace
    tags = [ReleaseTag(MODEL, version) for version in place.history.versions(MODEL)]
    story = Story(
        title=title,
        releases=tuple(_release(place.release(tag)) for tag in tags),
        environments=(_environment(place, tags, seen),),
        documents=_documents(team),
    )
    return story_html(story)


def _release(record: Record) -> ReleaseChapter:
    return ReleaseChapter(
        identity=record.page(Identity, written_by="resolve-tag").body,
        conversion=_newest(record, Conversion),
        evidence=_newest(record, Evidence),
        rehearsal=_newest(record, Rehearsal),
        verdicts=_newest(record, Verdicts),
        image=_newest(record, Image),
    )


def _environment(place: Workplace, tags: list[ReleaseTag], seen: list[WindowEvidence]) -> EnvironmentChapter:
    policies = place.repository.policies()
    drop = policies.metrics.limit_for(MODEL).f1.drop or 0.0
    rollouts = [page.body for tag in tags for page in place.history.pages(tag, Rollout)]
    return EnvironmentChapter(
        name=ENVIRONMENT,
        windows=tuple(one.window for one in seen),
        rollouts=tuple(sorted(rollouts, key=lambda rollout: rollout.live_since)),
        incidents=tuple(_incidents(place, seen)),
        limits={
            one.window.version: at_release.value - drop for one in seen if (at_release := one.at_release.get("f1"))
        },
        drift_limit=policies.drift.limit_for(MODEL).distance,
        drift_limits={one.window.end: _held_to(place, one) for one in seen},
    )


def _held_to(place: Workplace, evidence: WindowEvidence) -> dict[str, float]:
    record = place.window(MODEL, ENVIRONMENT, evidence.window.end.isoformat())
    limits = record.page(IncidentVerdicts, written_by="judge").body.limits
    return {one.feature: one.distance for one in limits}


def _incidents(place: Workplace, seen: list[WindowEvidence]) -> list[IncidentChapter]:
    chapters = []
    for evidence in seen:
        record = place.window(MODEL, ENVIRONMENT, evidence.window.end.isoformat())
        verdicts = record.page(IncidentVerdicts, written_by="judge").body
        if verdicts.incident is not None:
            issue, reversion = _newest(record, IssueFiled), _newest(record, Reversion)
            chapters.append(IncidentChapter(evidence, verdicts, issue, reversion))
    return chapters


def _documents(team: Team) -> tuple[Document, ...]:
    """Pull requests and issues share one sequence of numbers."""
    folder = team.forge_folder
    files = sorted([*folder.glob("pulls/*.md"), *folder.glob("issues/*.md")], key=lambda path: path.name)
    return tuple(Document(title=path.stem, text=path.read_text(encoding="utf-8")) for path in files)


def _newest(record: Record, kind: type[BodyT]) -> BodyT | None:
    page = record.latest(kind)
    return page.body if page else None
