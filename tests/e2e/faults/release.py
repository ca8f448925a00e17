"""The steps of a release that speak to GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slipway.domain.identity import Identity
from slipway.domain.pages import Page
from slipway.domain.release import Proposal
from slipway.steps import build_image, bump_manifest, fetch_source, file_issue, resolve_tag

from tests.e2e.faults.disturbing import ALIKE, Step
from tests.e2e.faults.world import HostedTeam
from tests.team import ENVIRONMENT, Tip

_TAG, _NEXT = "tip@v1.1.0", "tip@v1.2.0"


def live(team: HostedTeam) -> None:
    """v1.0.0 runs."""
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))


def tagged(team: HostedTeam) -> None:
    team.publish(_TAG, Tip(weight=0.0201))


def built(team: HostedTeam) -> None:
    """All of v1.1.0, but for its pull request."""
    tagged(team)
    _build(team, _TAG)


def _built_above_an_open_one(team: HostedTeam) -> None:
    team.release(team.publish(_TAG, Tip(weight=0.0201)))
    team.publish(_NEXT, Tip(weight=0.0202))
    _build(team, _NEXT)


def _built_with_few_rows(team: HostedTeam) -> None:
    """More is asked of v1.1.0 than its samples can show."""
    team.edit("policies/metrics.yaml", "positives: 100", "positives: 100000")
    built(team)


def _refused(team: HostedTeam) -> None:
    team.up_to_verdicts(team.publish(_TAG, Tip(bias=-0.35)))


def _refused_and_eased(team: HostedTeam) -> None:
    """The issue of a refused release is open, and its policy holds no more."""
    _refused(team)
    file_issue.run_on_release(team.record(_TAG), forge=team.workplace.forge)
    team.record_pages(_TAG)
    team.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.05")
    team.edit("policies/promise.yaml", "worse: 0.01", "worse: 0.99")
    team.up_to_verdicts(_TAG)


def _proposed(team: HostedTeam) -> None:
    built(team)
    _propose(team)


def _build(team: HostedTeam, tag: str) -> None:
    team.up_to_verdicts(tag)
    build_image.run(team.record(tag), workplace=team.workplace)


def _fetch_source(team: HostedTeam) -> object:
    return fetch_source.run(_TAG, workplace=team.workplace)


def _resolve(team: HostedTeam) -> Page[Identity]:
    return resolve_tag.run(_TAG, workplace=team.workplace)


def _propose(team: HostedTeam) -> Page[Proposal]:
    return bump_manifest.run(team.record(_TAG), environment=ENVIRONMENT, workplace=team.workplace)


def _propose_next(team: HostedTeam) -> Page[Proposal]:
    return bump_manifest.run(team.record(_NEXT), environment=ENVIRONMENT, workplace=team.workplace)


def _file(team: HostedTeam) -> object:
    return file_issue.run_on_release(team.record(_TAG), forge=team.workplace.forge, web=team.workplace.web)


def _record(team: HostedTeam) -> None:
    team.record_pages(_TAG)


def _record_attempt(team: HostedTeam) -> None:
    team.break_off(_TAG)


STEPS: Mapping[str, Step] = {
    "fetch-source": Step((live, tagged), _fetch_source),
    "resolve-tag": Step((live, tagged), _resolve),
    "bump-manifest": Step((live, built), _propose, faults=ALIKE),
    "bump-manifest above an open one": Step((live, _built_above_an_open_one), _propose_next),
    "bump-manifest as a draft": Step((live, _built_with_few_rows), _propose, faults=ALIKE),
    "file-issue of a refusal": Step((live, _refused), _file),
    "file-issue after a refusal": Step((live, _refused_and_eased), _file),
    "record-pages": Step((live, _proposed), _record),
    "record-pages of a run that broke off": Step((live, tagged), _record_attempt, faults=ALIKE),
}
