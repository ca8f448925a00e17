"""Compare what runs with what git says and what the ledger passed, and tell of what never passed: one issue a place."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.adapters import deploy_tree, git, wanted_rollouts
from slipway.adapters.forge import Forge, Issue
from slipway.adapters.history import History
from slipway.adapters.manifests import Deployed
from slipway.adapters.rollout import Listing, Live, Rollout, Sharing
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.live import LiveReport, LiveRow, LiveState, state_of
from slipway.domain.pages import key_of
from slipway.domain.release import Image
from slipway.domain.release import Rollout as RolloutPage
from slipway.domain.tag import ReleaseTag, release_named
from slipway.errors import BadFile, SlipwayError
from slipway.reports.live import never_passed_issue, never_passed_title
from slipway.reports.marker import read_marker

log = logging.getLogger(__name__)

NEVER_PASSED = labels.NEVER_PASSED.name  # the issues are found again by it


@dataclass(frozen=True, slots=True)
class _Place:
    model: str
    environment: str


def run(*, workplace: Workplace, engine: Rollout) -> LiveReport:
    """Ask the engine about every model in every environment; what does not answer keeps no other from being shown.

    A place at which git wants nothing and nothing runs is left out.

    Raises:
        Unreachable: forge or ledger does not answer, without which there is nothing to compare with.
    """
    git.fetch(workplace.repository.root)
    deployed = deploy_tree.everything_deployed(workplace.forge)
    places = sorted(_places(workplace, engine), key=_name)
    rows = (
        row
        for place in places
        for row in (_row(place, deployed, workplace, engine), _canary_row(place, deployed, workplace, engine))
    )
    return LiveReport(rows=tuple(row for row in rows if row is not None))


def tell(report: LiveReport, *, workplace: Workplace) -> None:
    """Open, update, reopen or close the issue of each place; that of a place nobody could look at is left alone."""
    forge = workplace.forge
    there = {_place_of(issue): issue for issue in forge.open_issues(NEVER_PASSED)}
    for row in report.rows:
        place = _Place(row.model, row.environment)
        if row.state is LiveState.NEVER_PASSED:
            _open_or_update(row, there.get(place), workplace)
    seen = {_Place(row.model, row.environment): row for row in sorted(report.rows, key=_worst_last)}
    for told, issue in there.items():
        row_now = seen.get(told)
        if row_now is None or row_now.state not in (LiveState.NEVER_PASSED, LiveState.NOT_SEEN):
            forge.close_issue(issue.number, comment=_over(told, row_now))


def _places(workplace: Workplace, engine: Rollout) -> set[_Place]:
    """Those of slipway.yaml and of the manifests, and what the engine lists of itself."""
    environments = [environment.name for environment in workplace.settings.environments]
    found = {(environment, model) for environment in environments for model in workplace.repository.model_names()}
    found |= {place for place in deploy_tree.everything_deployed(workplace.forge) if place[0] in environments}
    if isinstance(engine, Listing):
        found |= set(engine.running())
    return {_Place(model, environment) for environment, model in found}


def _name(place: _Place) -> tuple[str, str]:
    return place.model, place.environment


def _row(
    place: _Place, deployed: Mapping[tuple[str, str], Deployed | BadFile], workplace: Workplace, engine: Rollout
) -> LiveRow | None:
    wanted = deployed.get((place.environment, place.model))
    try:
        if isinstance(wanted, BadFile):
            raise wanted
        live = engine.live(place.model, place.environment)
        if wanted is None and live is None:
            return None
        return _compared(place, wanted, live, workplace)
    except SlipwayError as failure:
        return _not_seen(place, failure, None if isinstance(wanted, BadFile) else wanted, is_canary=False)


def _not_seen(place: _Place, failure: SlipwayError, wanted: Deployed | None, *, is_canary: bool) -> LiveRow:
    return LiveRow(
        model=place.model,
        environment=place.environment,
        state=LiveState.NOT_SEEN,
        problem=failure.problem,
        mend=failure.mend,
        canary=is_canary,
        **({} if wanted is None else _named(wanted)),
    )


def _canary_row(
    place: _Place, deployed: Mapping[tuple[str, str], Deployed | BadFile], workplace: Workplace, engine: Rollout
) -> LiveRow | None:
    """None where none is wanted and none runs, and where nobody could look at what runs beside it: that is told."""
    if not isinstance(engine, Sharing) or isinstance(deployed.get((place.environment, place.model)), BadFile):
        return None
    wanted = deploy_tree.canary(workplace.forge, environment=place.environment, model=place.model)
    try:
        live = engine.canary(place.model, place.environment)
    except SlipwayError as failure:
        return _not_seen(place, failure, wanted, is_canary=True) if wanted else None
    if wanted is None and live is None:
        return None
    return _compared(place, wanted, live, workplace).model_copy(update={"canary": True})


def _worst_last(row: LiveRow) -> int:
    """Of what has the traffic of one place, and its canary, what an issue is about."""
    return {LiveState.NEVER_PASSED: 2, LiveState.NOT_SEEN: 1}.get(row.state, 0)


def _named(wanted: Deployed) -> dict[str, Any]:
    return {"wanted": wanted.tag, "wanted_digest": wanted.digest}


def _compared(place: _Place, wanted: Deployed | None, live: Live | None, workplace: Workplace) -> LiveRow:
    release = _release_of(live, wanted, workplace.history) if live else None
    state = state_of(
        wanted=wanted.digest if wanted else None,
        live=live.digest if live else None,
        passed=release is not None,
        verified=_was_verified(place, workplace, is_canary=live is not None and live.is_canary),
    )
    return LiveRow(
        model=place.model,
        environment=place.environment,
        state=state,
        version=release.image_tag if release else None,
        digest=live.digest if live else None,
        called=live.version if live else None,
        **({} if wanted is None else _named(wanted)),
    )


def _release_of(live: Live, wanted: Deployed | None, history: History) -> ReleaseTag | None:
    """The release that passed and whose image runs; the versions that it is said to be are looked at first."""
    for tag in dict.fromkeys(_candidates(live, wanted, history)):
        if live.digest in {page.body.digest for page in history.pages(tag, Image)} and history.passed(tag):
            return tag
    return None


def _candidates(live: Live, wanted: Deployed | None, history: History) -> Iterator[ReleaseTag]:
    for name in (wanted.tag if wanted else "", live.version):
        tag = release_named(live.model, name)
        if tag is not None:
            yield tag
    yield from reversed(history.releases(live.model))


def _was_verified(place: _Place, workplace: Workplace, *, is_canary: bool) -> bool:
    find = wanted_rollouts.wanted_canary if is_canary else wanted_rollouts.wanted
    found = find(place.model, environment=place.environment, workplace=workplace)
    if found is None:
        return False
    keys = {key_of(found.reads(stays=stays)) for stays in (True, False)}
    return any(page.key in keys for page in workplace.history.pages(found.tag, RolloutPage))


def _place_of(issue: Issue) -> _Place:
    told = read_marker(issue.body)
    return _Place(told.get("model", ""), told.get("environment", ""))


def _open_or_update(row: LiveRow, there: Issue | None, workplace: Workplace) -> None:
    forge, title, body = (
        workplace.forge,
        never_passed_title(row),
        never_passed_issue(row, owners=_owners(row, workplace)),
    )
    if there is not None:
        if (there.title, there.body) != (title, body):
            forge.update_issue(there.number, title=title, body=body)
        return
    closed = _closed_though_it_runs(row, forge)
    if closed is not None:
        forge.update_issue(closed.number, title=title, body=body)  # first: by its marker a run after this one knows it
        forge.reopen_issue(closed.number, comment=f"It is not over: {row.environment} still runs it.")
        return
    log.info("opening an issue: %s", title)
    forge.open_issue(title=title, body=body, labels=(labels.SLIPWAY.name, NEVER_PASSED))


def _closed_though_it_runs(row: LiveRow, forge: Forge) -> Issue | None:
    """The last issue of all, if it is about this very digest here: a person closed it, or it came back."""
    last = forge.last_issue(NEVER_PASSED)
    if last is None or last.open or read_marker(last.body).get("digest") != row.digest:
        return None
    return last if _place_of(last) == _Place(row.model, row.environment) else None


def _owners(row: LiveRow, workplace: Workplace) -> tuple[str, ...]:
    """Of a model of which git knows nothing, nobody is."""
    return tuple(workplace.repository.owners(row.model))


def _over(place: _Place, row: LiveRow | None) -> str:
    runs = "nothing runs of it there" if row is None or row.digest is None else f"{row.version}, which passed, runs"
    return f"{place.model} in {place.environment}: {runs}. Closed by `slipway status --live`."
