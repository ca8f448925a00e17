"""A whole story in one HTML file: what was released, what production saw, and what was done about it.

The file holds all that it shows; it asks no network, so it can be mailed, kept and opened in ten years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup

from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Outcome, Reversion, Window, WindowEvidence
from slipway.domain.release import Image, Rehearsal, Rollout, Verdicts
from slipway.domain.verdict import Verdict
from slipway.maths.named_metrics import DecisionKind, Metric, foremost
from slipway.reports import plots, rendering
from slipway.reports.incident_issue import answer_to, foremost_of, incident_title, largest_drift
from slipway.reports.release_words import bump_word, most_flipped, open_findings, version_of, what_is_broken


@dataclass(frozen=True, slots=True)
class ReleaseChapter:
    """Pages of a release as far as it came; a refused one has neither image nor pull request."""

    identity: Identity
    conversion: Conversion | None = None
    evidence: Evidence | None = None
    rehearsal: Rehearsal | None = None
    verdicts: Verdicts | None = None
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class IncidentChapter:
    evidence: WindowEvidence
    verdicts: IncidentVerdicts
    issue: IssueFiled | None = None
    reversion: Reversion | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentChapter:
    """`limits` holds, of each version, what its foremost metric is held to in production, where there is something.

    `drift_limits` are those of each feature by the last day of a window, `drift_limit` that of the policy.
    """

    name: str
    windows: tuple[Window, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    incidents: tuple[IncidentChapter, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    drift_limit: float = 0.15
    drift_limits: Mapping[date, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it was filed: of a pull request or an issue, in Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    releases: tuple[ReleaseChapter, ...] = ()
    environments: tuple[EnvironmentChapter, ...] = ()
    documents: tuple[Document, ...] = ()


def story_html(story: Story) -> str:
    """One HTML file, with everything inside of it."""
    return rendering.html(
        "story",
        story=story,
        releases=[_release(chapter) for chapter in story.releases],
        environments=[_environment(chapter) for chapter in story.environments],
        foremost_of=foremost_of,
        largest_drift=largest_drift,
        answer_to=answer_to,
    )


@dataclass(frozen=True, slots=True)
class _Release:
    chapter: ReleaseChapter
    bump: str
    outcome: str
    refused: bool
    flips: Markup | None
    slices: Sequence[object]


def _release(chapter: ReleaseChapter) -> _Release:
    comparison = chapter.evidence.comparison if chapter.evidence else None
    label = f"Bars: decisions of {version_of(chapter.identity)} that flip, by slice"
    return _Release(
        chapter=chapter,
        bump=bump_word(chapter.identity.bump),
        outcome=_outcome(chapter),
        refused=chapter.verdicts is not None and chapter.verdicts.verdict is Verdict.FAIL,
        flips=_safe(plots.flips_by_slice(comparison, label=label)) if comparison else None,
        slices=most_flipped(comparison.slices) if comparison else (),
    )


def _outcome(chapter: ReleaseChapter) -> str:
    if chapter.verdicts is None:
        return "was not judged"
    if chapter.verdicts.verdict is Verdict.FAIL:
        reasons = dict.fromkeys(what_is_broken(one, chapter.identity.bump) for one in open_findings(chapter.verdicts))
        return f"is refused: it {' and '.join(reasons)}"
    return {Verdict.PASS: "passes", Verdict.NOT_ENOUGH_EVIDENCE: "lacks evidence"}[chapter.verdicts.verdict]


@dataclass(frozen=True, slots=True)
class _Environment:
    chapter: EnvironmentChapter
    versions: Markup | None
    metric: Metric
    curve: Markup | None
    has_constant: bool
    drift: Markup | None
    distances: Mapping[str, float]
    incidents: Sequence[tuple[str, IncidentChapter]]


def _environment(chapter: EnvironmentChapter) -> _Environment:
    windows = chapter.windows
    found = [one.evidence.window.end for one in chapter.incidents if one.verdicts.outcome is not Outcome.QUIET]
    where, metric = f"in {chapter.name}", _foremost_of_all(windows)
    return _Environment(
        chapter=chapter,
        versions=_safe(plots.versions_over_time(windows, found=found, label=f"Bars: which version ran {where}, when")),
        metric=metric,
        curve=_safe(
            plots.metric_over_time(
                windows, metric=metric, limits=chapter.limits, label=f"Lines: {metric.title} {where} over time"
            )
        ),
        has_constant=any(one.trailing and one.trailing.always_positive_f1 is not None for one in windows),
        drift=_safe(
            plots.drift_by_feature(
                windows,
                limits=chapter.drift_limits,
                limit=chapter.drift_limit,
                label=f"Bars: drift of each feature {where}",
            )
        ),
        distances=plots.largest_distances(windows),
        incidents=[(incident_title(one.evidence, one.verdicts), one) for one in chapter.incidents],
    )


def _foremost_of_all(windows: Sequence[Window]) -> Metric:
    """By what the newest version was measured."""
    kinds = [window.trailing.kind for window in windows if window.trailing]
    return foremost(kinds[-1] if kinds else DecisionKind.YES_OR_NO)


def _safe(plot: str | None) -> Markup | None:
    """The plots escape what users wrote: Vega for letters, `plots` for its own attributes."""
    return None if plot is None else Markup(plot)  # noqa: S704
