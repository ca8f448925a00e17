"""A whole story, and words of somebody who means no good."""

from __future__ import annotations

from datetime import date

from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import IssueAction, IssueFiled, Outcome
from slipway.domain.release import Image, Rehearsal, Rollout, Verdicts
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.reports.story import Document, EnvironmentChapter, IncidentChapter, ReleaseChapter, Story

from tests.pages.release import (
    breaking_evidence,
    conversion,
    digest,
    evidence,
    first_identity,
    identity,
    image,
    major_identity,
    nothing_to_rehearse,
    rehearsal,
    traffic,
    verdicts,
)
from tests.pages.watch import falling_f1, incident_verdicts, months, reversion, stuck_input


def rollout(version: str = "v1.4.0", **changes: object) -> Rollout:
    live = Rollout(
        environment="production",
        version=version,
        digest=digest(f"image {version}"),
        commit="0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
        live_since=date(2013, 8, 2),
        golden_rows=50,
        golden_equal=50,
    )
    return live.model_copy(update=changes)


def story(*, title: str = "A model from tag to production and back") -> Story:
    """Two releases, a refused one, a break; an issue, then an input that goes stuck and a way back."""
    refused = major_identity("v1.5.0").model_copy(update={"bump": Bump.MINOR})
    chapters = (
        ReleaseChapter(*_release(first_identity(), evidence(comparison=None), nothing_to_rehearse())),
        ReleaseChapter(*_release(identity(), evidence(traffic=traffic()), rehearsal())),
        ReleaseChapter(*_release(refused, breaking_evidence(stated=False), rehearsal())),
        ReleaseChapter(*_release(major_identity(), breaking_evidence(stated=True), rehearsal())),
    )
    falling, stuck = falling_f1(), stuck_input()
    production = EnvironmentChapter(
        name="production",
        windows=months(),
        rollouts=(rollout("v1.0.0"), rollout(), rollout("v2.0.0"), rollout()),
        incidents=(
            IncidentChapter(
                falling,
                incident_verdicts(falling, Outcome.RETRAIN),
                IssueFiled(incident="2013-09-26-metric", number=3, action=IssueAction.OPENED, title="It fell"),
            ),
            IncidentChapter(stuck, incident_verdicts(stuck, Outcome.REVERT), None, reversion()),
        ),
        limits={"v1.3.0": 0.48, "v2.0.0": 0.64},
    )
    return Story(title=title, releases=chapters, environments=(production,), documents=(Document(title, HOSTILE),))


def _release(
    released_now: Identity, measured: Evidence, rehearsed: Rehearsal
) -> tuple[Identity, Conversion, Evidence, Rehearsal, Verdicts, Image | None]:
    judged = verdicts(released_now, measured, rehearsed)
    built = image(released_now.version) if judged.verdict is Verdict.PASS else None
    return released_now, conversion(), measured, rehearsed, judged, built


HOSTILE = (
    "a|b`c`<script>alert(1)</script> @octocat fixes #1 [x](https://evil.example) ![i](//evil.example/i.png)\n"
    "| --- |\n# heading <!-- --> ``` </details> \x1b[31mred\u202e {{ 7*7 }} $(id) \\| **bold** ~~x~~ &lt;"
)
