"""Compare what runs with what git says and what the ledger passed, and tell of what never passed: one issue a place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.adapters import deploy_tree, git, known_answers, wanted_rollouts
from slipway.adapters.forge import Forge, Issue
from slipway.adapters.history import History
from slipway.adapters.manifests import Deployed
from slipway.adapters.rollout import Listing, Live, Rollout, Sharing
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.live import LiveReport, LiveRow, LiveState, state_of
from slipway.domain.pages import key_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What git wants at a place, and what was seen there: None where nothing runs, an error where nobody could look."""

    place: _Place
    wanted: Deployed | None = None
    seen: Live | SlipwayError | None = None
    is_canary: bool = False
    ended_by: str = ""


def run(*, workplace: Workplace, engine: Rollout) -> LiveReport:
    """Ask the engine about every model in every environment; what does not answer keeps no other from being shown.

    A place at which git wants nothing and nothing runs is left out; what runs beside those is told last.

    Raises:
        Unreachable: forge or ledger does not answer, without which there is nothing to compare with.
    """
    git.fetch(workplace.repository.root)
    deployed = deploy_tree.everything_deployed(workplace.forge)
    places = sorted(_places(workplace, deployed), key=lambda place: (place.model, place.environment))
    looks = [look for place in places for look in _looks(place, deployed, workplace, engine)]
    for environment in workplace.settings.environments:
        looks += _beside(environment.name, looks, engine)
    there = (look for look in looks if look.wanted is not None or look.seen is not None)
    return LiveReport(rows=tuple(_row(look, workplace) for look in there))


def tell(report: LiveReport, *, workplace: Workplace) -> None:
    """Open, update, reopen or close the issue of each place; that of a place nobody could look at is left alone."""
    forge = workplace.forge
    there = {_place_of(issue): issue for issue in forge.open_issues(NEVER_PASSED)}
    rows = sorted(report.rows, key=_gravest_first)
    gravest = {_Place(row.model, row.environment): row for row in rows[::-1]}
    for place, row in reversed(gravest.items()):  # as they were reported
        if row.state is LiveState.NEVER_PASSED:
            _open_or_update(row, there.get(place), workplace)
    for told, issue in there.items():
        row_now = gravest.get(_all_else(told.environment), gravest.get(told))
        if row_now is None or row_now.state not in (LiveState.NEVER_PASSED, LiveState.NOT_SEEN):
            forge.close_issue(issue.number, comment=_over(told, row_now))


def _places(workplace: Workplace, deployed: Mapping[tuple[str, str], Deployed | BadFile]) -> set[_Place]:
    """Those of slipway.yaml and of the manifests."""
    environments = [environment.name for environment in workplace.settings.environments]
    models = workplace.repository.model_names()
    found = {_Place(model, environment) for environment in environments for model in models}
    return found | {_Place(model, environment) for environment, model in deployed if environment in environments}


def _looks(
    place: _Place, deployed: Mapping[tuple[str, str], Deployed | BadFile], workplace: Workplace, engine: Rollout
) -> Iterator[_Look]:
    """At what has the traffic, and at its canary."""
    wanted = deployed.get((place.environment, place.model))
    if isinstance(wanted, BadFile):
        yield _Look(place=place, seen=wanted)
        return
    yield _Look(place=place, wanted=wanted, seen=_asked(lambda: engine.live(place.model, place.environment)))
    if isinstance(engine, Sharing):
        yield from _at_canary(place, workplace, engine)


def _at_canary(place: _Place, workplace: Workplace, engine: Sharing) -> Iterator[_Look]:
    """Where none is wanted, that nobody could look was told of what has the traffic."""
    try:
        wanted = deploy_tree.canary(workplace.forge, environment=place.environment, model=place.model)
    except BadFile as wrong:
        yield _Look(place=place, seen=wrong, is_canary=True)
        return
    seen = _asked(lambda: engine.canary(place.model, place.environment))
    if wanted is not None or not isinstance(seen, SlipwayError):
        yield _Look(place=place, wanted=wanted, seen=seen, is_canary=True)


def _beside(environment: str, looks: Sequence[_Look], engine: Rollout) -> Iterator[_Look]:
    """What git knows nothing of."""
    if not isinstance(engine, Listing):
        return
    seen = [look.seen for look in looks if look.place.environment == environment]
    try:
        strays = engine.strays(environment, known=[one for one in seen if isinstance(one, Live)])
    except SlipwayError as failure:
        yield _Look(place=_all_else(environment), seen=failure)
        return
    for stray in strays:
        yield _Look(
            place=_Place(stray.live.model, environment),
            seen=stray.live,
            is_canary=stray.live.is_canary,
            ended_by=stray.ended_by,
        )


def _all_else(environment: str) -> _Place:
    """What stands for all that runs there and no manifest names; there is a row of it where nobody could look."""
    return _Place("", environment)


def _asked(ask: Callable[[], Live | None]) -> Live | SlipwayError | None:
    try:
        return ask()
    except SlipwayError as failure:
        return failure


def _row(look: _Look, workplace: Workplace) -> LiveRow:
    if isinstance(look.seen, SlipwayError):
        return _not_seen(look, look.seen)
    try:
        return _compared(look, look.seen, workplace)
    except SlipwayError as failure:
        return _not_seen(look, failure)


def _not_seen(look: _Look, failure: SlipwayError) -> LiveRow:
    return LiveRow(state=LiveState.NOT_SEEN, problem=failure.problem, mend=failure.mend, **_named(look))


def _named(look: _Look) -> dict[str, Any]:
    wanted = {} if look.wanted is None else {"wanted": look.wanted.tag, "wanted_digest": look.wanted.digest}
    place = {"model": look.place.model, "environment": look.place.environment}
    return {**place, **wanted, "canary": look.is_canary, "ended_by": look.ended_by}


def _gravest_first(row: LiveRow) -> int:
    """Of all that runs at one place, what an issue is about."""
    return {LiveState.NEVER_PASSED: 0, LiveState.NOT_SEEN: 1}.get(row.state, 2)


def _compared(look: _Look, live: Live | None, workplace: Workplace) -> LiveRow:
    wanted = look.wanted
    release = _release_of(live, wanted, workplace.history) if live else None
    state = state_of(
        wanted=wanted.digest if wanted and (live or not _runs_elsewhere(wanted, look.place, workplace)) else None,
        live=live.digest if live else None,
        passed=release is not None,
        verified=_was_verified(look.place, workplace, is_canary=look.is_canary),
    )
    return LiveRow(
        state=state,
        version=release.image_tag if release else None,
        digest=live.digest if live else None,
        called=live.version if live else None,
        **_named(look),
    )


def _release_of(live: Live, wanted: Deployed | None, history: History) -> ReleaseTag | None:
    """The release that passed and whose image runs; the versions that it is said to be are looked at first."""
    for tag in dict.fromkeys(_candidates(live, wanted, history)):
        if live.digest in history.digests(tag) and history.passed(tag):
            return tag
    return None


def _candidates(live: Live, wanted: Deployed | None, history: History) -> Iterator[ReleaseTag]:
    for name in (wanted.tag if wanted else "", live.version):
        tag = release_named(live.model, name)
        if tag is not None:
            yield tag
    yield from reversed(history.releases(live.model))


def _runs_elsewhere(wanted: Deployed, place: _Place, workplace: Workplace) -> bool:
    """What was adopted runs by means that the engine knows nothing of, until a release takes its place."""
    tag = release_named(place.model, wanted.tag)
    return tag is not None and known_answers.runs_by_other_means(tag, place.environment, workplace.history)


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
