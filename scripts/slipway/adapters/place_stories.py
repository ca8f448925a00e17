"""How each model came to what runs of it, from the whole ledger: versions, windows and incidents, a model at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from slipway.adapters import deploy_tree
from slipway.adapters.approvals import Approvals
from slipway.adapters.history import windows_folder
from slipway.adapters.newest_windows import lines_of, no_window
from slipway.adapters.releases_told import ReleaseTold
from slipway.adapters.whole_ledger import WholeLedger
from slipway.domain.incident import IncidentVerdicts, IssueFiled
from slipway.domain.release import Proposal, Rollout
from slipway.domain.status_site import (
    IncidentTold,
    ModelStory,
    PlaceStory,
    SeenWindow,
    Stay,
    drift_plot,
    metric_name,
    metric_plot,
    newest_of,
    stays_of,
)
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import StatusRow
from slipway.maths.named_metrics import DecisionKind, foremost

_FOREMOST = {str(kind): foremost(kind).name for kind in DecisionKind}


@dataclass(frozen=True, slots=True)
class Stories:
    """What was read at once; `limits` are the distances that the policy of drift allows, by model."""

    ledger: WholeLedger
    told: Mapping[ReleaseTag, ReleaseTold]
    approvals: Approvals
    limits: Mapping[str, float]
    releases: Mapping[str, list[ReleaseTag]] = field(default_factory=dict)

    def of_models(self, rows: Sequence[StatusRow]) -> Iterator[ModelStory]:
        """In the order of `rows`, which has those of one model together; no window is held longer than its model."""
        windows = self._windows(rows)
        for model, of_one in groupby(rows, key=lambda row: row.model):
            yield ModelStory(model, tuple(self._place(row, next(windows)) for row in of_one))

    def _windows(self, rows: Sequence[StatusRow]) -> Iterator[list[SeenWindow]]:
        """Of each row, its windows, oldest first."""
        folders = [windows_folder(row.model, row.environment) for row in rows]
        files: dict[str, list[str]] = {folder: [] for folder in folders}
        for path in self.ledger.paths:
            if (found := files.get(path.rpartition("/")[0])) is not None:
                found.append(path)
        wanted = [path for folder in folders for path in files[folder]]
        passing = self.ledger.moment.passing(self.ledger.commit, wanted) if self.ledger.commit else iter(())
        for folder in folders:
            yield _in_order(line for _ in files[folder] for line in _lines(*next(passing)))

    def _place(self, row: StatusRow, windows: Sequence[SeenWindow]) -> PlaceStory:
        running = self._running(row)
        return PlaceStory(
            row=row,
            stays=self._stays(row),
            incidents=tuple(self._incidents(row)),
            findings=() if running is None or running.judged is None else running.judged.findings,
            windows=len(windows),
            newest=newest_of(windows),
            drift=drift_plot(windows, limit=self.limits.get(row.model)),
            metric_name=metric_name(windows),
            metric=metric_plot(windows),
        )

    def _running(self, row: StatusRow) -> ReleaseTold | None:
        return None if row.version is None else self.told.get(ReleaseTag.parse(f"{row.model}@{row.version}"))

    def _stays(self, row: StatusRow) -> tuple[Stay, ...]:
        found = [
            (live.live_since, tag.precedence, self._stay(tag, live))
            for tag in self.releases.get(row.model, ())
            for live in self.told[tag].rollouts
            if live.environment == row.environment and not live.canary
        ]
        return stays_of([stay for *_, stay in sorted(found, key=itemgetter(0, 1))])

    def _stay(self, tag: ReleaseTag, live: Rollout) -> Stay:
        told = self.told[tag]
        path = deploy_tree.manifest_path(live.environment, tag.model)
        each = self.approvals.each_of_digest(path, live.digest)
        approved = next((one for one in each if one.at.date() <= live.live_since), each[-1] if each else None)
        merged = None if approved is None else approved.pull
        return Stay(
            version=tag.image_tag,
            since=live.live_since,
            until=None,
            pull=self._proposed(tag, live.environment) if merged is None else merged,
            approved=approved,
            verdict=None if told.verdict is None else str(told.verdict),
        )

    def _proposed(self, tag: ReleaseTag, environment: str) -> int | None:
        """The request that a release opened last, where the words of no commit name one."""
        proposals = (page.body for page in self.ledger.workplace.history.pages(tag, Proposal))
        return next(
            (one.pull for one in reversed(list(proposals)) if one.environment == environment and one.pull), None
        )

    def _incidents(self, row: StatusRow) -> Iterator[IncidentTold]:
        """Newest first; one that another of its like followed was over by then, also where nobody closed it."""
        history, is_open = self.ledger.workplace.history, {one.incident for one in row.incidents}
        for incident in reversed(history.incidents(row.model, row.environment)):
            judged = history.incident_page(row.model, row.environment, incident, IncidentVerdicts)
            filed = history.incident_page(row.model, row.environment, incident, IssueFiled)
            yield IncidentTold(
                incident=incident,
                outcome=str(judged.body.outcome) if judged else "requested by a person",
                issue=filed.body.number if filed else None,
                closed=incident not in is_open,
            )


def _in_order(windows: Iterator[SeenWindow]) -> list[SeenWindow]:
    """Of a window that was measured again, what was measured last."""
    newest = {(one.start, one.version): one for one in windows}
    return sorted(newest.values(), key=lambda one: (one.end, one.start))


def _lines(path: str, content: bytes) -> Iterator[SeenWindow]:
    for line in lines_of(content, where=path):
        try:
            yield _seen(line["window"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise no_window(path) from error


def _seen(told: Mapping[str, Any]) -> SeenWindow:
    """Of the fields that are shown; pydantic would take minutes for those of a thousand models."""
    drift, feature = max(((float(one["low"]), str(one["feature"])) for one in told["drift"]), default=(None, None))
    metric, value = _metric(told["trailing"])
    return SeenWindow(
        start=date.fromisoformat(told["start"]),
        end=date.fromisoformat(told["end"]),
        version=str(told["version"]),
        rows=int(told["rows"]),
        drift=drift,
        feature=feature,
        metric=metric,
        value=value,
    )


def _metric(trailing: Mapping[str, Any] | None) -> tuple[str | None, float | None]:
    if trailing is None:
        return None, None
    name = _FOREMOST[trailing.get("kind", str(DecisionKind.YES_OR_NO))]
    found = trailing["metrics"].get(name)
    return (None, None) if found is None else (name, float(found["value"]))
