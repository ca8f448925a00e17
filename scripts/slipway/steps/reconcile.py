"""Compute what should have happened: tags against the ledger, windows and heartbeats against the calendar.

Nothing depends on an event arriving; what was missed is found here and run in ascending order, and what only a
person can mend is told in issues that close by themselves. What cannot be looked at stops nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto
from functools import cache, partial
from typing import TypeVar

from semver import Version

from slipway.adapters import deploy_tree, git, missed
from slipway.adapters.forge import Forge
from slipway.adapters.history import History
from slipway.adapters.ledger import BRANCH
from slipway.adapters.rewritten import rewritten_pages
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.baseline import Baseline
from slipway.domain.identity import Identity
from slipway.domain.release import Attempt, Proposal, Verdicts, came_to_its_end
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import (
    DueRollout,
    MovedTag,
    OutdatedCheck,
    Reconciliation,
    RewrittenPage,
    Unknown,
)
from slipway.domain.verdict import Verdict
from slipway.errors import ForgeRefused, SlipwayError, Unreachable
from slipway.gates import judged_by, waivers_in_force
from slipway.reports.marker import read_marker
from slipway.reports.upkeep import UPKEEP_TITLE, stuck_release_issue, stuck_release_title, upkeep_issue

UPKEEP, STUCK = labels.UPKEEP.name, labels.STUCK.name  # the issues are found again by them

log = logging.getLogger(__name__)

_ROLLOUT = "rollout.yml"
_CHECKS = "checks of pull requests"
_MOST_RELEASES = 5  # a run: a flood of tags must not hide one that fails
_RETRIES = 3  # after the first run that ended in an error

Item = TypeVar("Item")
Found = TypeVar("Found")


class _State(Enum):
    SETTLED = auto()
    TOO_OLD = auto()
    UNDER_WAY = auto()
    DUE = auto()
    STUCK = auto()


@dataclass(frozen=True, slots=True)
class _Release:
    """`tries` counts the runs that ended in an error since its tag, policies and waivers are what they are."""

    tag: ReleaseTag
    state: _State
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Now:
    """What every release is looked at with.

    `first` is the lowest version that the ledger has of each model, `baselines` tells what ran before any release.
    """

    today: date
    under_way: frozenset[str]
    first: Mapping[str, Version]
    baselines: Callable[[str], tuple[Baseline, ...]]
    workplace: Workplace


def run(
    *, today: date, workplace: Workplace, workflow: str = "release.yml", moment: datetime | None = None
) -> Reconciliation:
    """Compute what is due.

    Args:
        today: the day for waivers, windows and heartbeats.
        moment: that of rollouts, which wait for hours; the present one by default.
        workflow: the file of the one that releases; its runs that are queued or at work are left alone.
        workplace: whose tags, ledger and manifests.
    """
    root, ledger = workplace.repository.root, workplace.forge.head(BRANCH)
    git.fetch(root)
    tags = git.release_tags(root)
    declared = set(workplace.repository.model_names())
    known = {str(tag): tag for tag in tags if tag.model in declared}
    running = frozenset(run.title for run in workplace.forge.runs_under_way(workflow))
    baselines = cache(workplace.history.baselines)  # asked for each tag: one that cannot be read stops no other model
    now = _Now(today, running, _first(declared, tags, workplace.history), baselines, workplace)
    places = {
        f"{model} in {place}": (place, model) for place, model in deploy_tree.everything_deployed(workplace.forge)
    }
    rollouts = missed.rollouts(workplace, moment)
    unknown: dict[str, Unknown] = {}
    checks_of = partial(missed.checks, workplace=workplace)
    releases = _look_at(known, partial(_release, now=now), unknown)
    due = _by_turns(one for one in releases if one.state is _State.DUE)
    return Reconciliation(
        due=_in_order(due[:_MOST_RELEASES]),
        waiting=_in_order(due[_MOST_RELEASES:]),
        under_way=_in_order(one for one in releases if one.state is _State.UNDER_WAY),
        stuck=_in_order(one for one in releases if one.state is _State.STUCK),
        too_old=_in_order(one for one in releases if one.state is _State.TOO_OLD),
        moved=tuple(_look_at(known, partial(_moved, workplace=workplace), unknown)),
        deleted=_deleted(tags, workplace.history),
        rewritten=() if ledger is None else _rewritten(ledger, workplace),
        missed=tuple(_look_at(places, partial(missed.windows, today=today, workplace=workplace), unknown)),
        stopped=workplace.history.stopped("watch", today=today),
        rollouts=tuple(_look_at(rollouts, partial(missed.rollout, workplace=workplace), unknown)),
        checks=tuple(one for some in _look_at({_CHECKS: moment}, checks_of, unknown) for one in some),
        unknown=tuple(unknown.values()),
    )


def start(due: Iterable[str], *, workflow: str, forge: Forge) -> None:
    """Start the release of each tag, in the order given: those of one model wait for each other."""
    for tag in due:
        inputs = {"tag": tag, "model": ReleaseTag.parse(tag).model}
        forge.dispatch_workflow(workflow, ref=forge.default_branch, inputs=inputs)


def start_rollouts(due: Iterable[DueRollout], *, forge: Forge) -> None:
    """One that is under way already, or started twice, finds nothing to do."""
    for one in due:
        inputs = {"model": one.model, "environment": one.environment}
        forge.dispatch_workflow(_ROLLOUT, ref=forge.default_branch, inputs=inputs)


def start_checks(due: Iterable[OutdatedCheck], *, forge: Forge) -> None:
    """One that cannot be run again is left to whoever merges: its page has the button."""
    for one in due:
        try:
            forge.run_again(one.run)
        except ForgeRefused as refused:
            log.warning("pull request #%s: its check is not run again: %s", one.pull, refused.problem)


def tell(found: Reconciliation, *, workplace: Workplace) -> None:
    """Open, update or close the issues: one about the upkeep, and one a release that is not tried again."""
    there = {read_marker(issue.body).get("tag"): issue for issue in workplace.forge.open_issues(STUCK)}
    for tag in found.stuck:
        if tag not in there:
            _tell_owners(ReleaseTag.parse(tag), workplace)
    not_seen = {one.subject for one in found.unknown}
    still_open = {*found.stuck, *found.due, *found.waiting, *found.under_way, *not_seen}
    for told, issue in there.items():
        if told is not None and told not in still_open:
            workplace.forge.close_issue(
                issue.number, comment=f"{told} is not waited for any more: {_end(told, workplace)}."
            )
    _tell_of_upkeep(found, workplace.forge)


def tell_when_stopped(workflow: str, *, today: date, workplace: Workplace) -> None:
    """Tell that another workflow stopped, since it cannot tell so itself; when it runs again it looks at the issue."""
    stopped = workplace.history.stopped(workflow, today=today)
    if stopped:
        _tell_of_upkeep(Reconciliation(stopped=stopped), workplace.forge)


def _look_at(
    items: Mapping[str, Item], look: Callable[[Item], Found | None], unknown: dict[str, Unknown]
) -> list[Found]:
    """What there is to say of each; what cannot be looked at is added to `unknown`."""
    found = []
    for name, item in items.items():
        try:
            seen = look(item)
        except Unreachable:
            raise
        except SlipwayError as error:
            unknown[name] = Unknown(subject=name, problem=error.problem, mend=error.mend)
            continue
        if seen is not None:
            found.append(seen)
    return found


def _first(models: set[str], tags: Iterable[ReleaseTag], history: History) -> dict[str, Version]:
    """A version of which the ledger has attempts alone, and no tag any more, was a slip of somebody's."""
    there = set(tags)
    found = {}
    for model in models:
        for version in history.versions(model):
            tag = ReleaseTag(model, version)
            if tag in there or history.has(tag, Identity) or history.has(tag, Baseline):
                found[model] = version
                break
    return found


def _release(tag: ReleaseTag, *, now: _Now) -> _Release:
    is_before_the_first = tag.model in now.first and tag.version < now.first[tag.model]
    if is_before_the_first or any(one.is_of_before(tag) for one in now.baselines(tag.model)):
        return _Release(tag, _State.TOO_OLD)
    held_to = _held_to(tag, now)
    if _is_settled(tag, held_to, now.workplace.history) or not _can_be_released(tag, now.workplace):
        return _Release(tag, _State.SETTLED)
    if f"release {tag}" in now.under_way:
        return _Release(tag, _State.UNDER_WAY)
    tries = sum(held_to.items() <= attempt.reads.items() for attempt in now.workplace.history.pages(tag, Attempt))
    return _Release(tag, _State.STUCK if tries > _RETRIES else _State.DUE, tries)


def _held_to(tag: ReleaseTag, now: _Now) -> dict[str, str]:
    """What a run of today would read, as far as it can change for the same tag."""
    repository = now.workplace.repository
    waivers = waivers_in_force(repository.policies(), model=tag.model, version=tag.image_tag, today=now.today)
    found = git.resolve_tag(repository.root, str(tag))
    return {"tag": found.object_id, **judged_by(waivers, policies_digest=repository.policies_digest())}


def _is_settled(tag: ReleaseTag, held_to: Mapping[str, str], history: History) -> bool:
    """A verdict is final, but for one that is no pass once what it was held to changed."""
    verdicts = history.page(tag, Verdicts)
    if verdicts is None or not came_to_its_end(verdicts, history.pages(tag, Proposal)):
        return False
    same = all(verdicts.reads.get(name) == held_to[name] for name in ("policies", "waivers"))
    return verdicts.body.verdict is Verdict.PASS or same


def _can_be_released(tag: ReleaseTag, workplace: Workplace) -> bool:
    """What is refused each time it is tried must not stand before what is not."""
    forge, root = workplace.forge, workplace.repository.root
    found, head = git.resolve_tag(root, str(tag)), forge.head(forge.default_branch)
    return (
        found.annotated
        and head is not None
        and git.is_ancestor(root, found.commit, head)
        and deploy_tree.quarantined(forge, model=tag.model, version=tag.image_tag) is None
        and _moved(tag, workplace=workplace) is None
        and not _is_below_deployed(tag, workplace)
    )


def _is_below_deployed(tag: ReleaseTag, workplace: Workplace) -> bool:
    live = (
        deploy_tree.deployed(workplace.forge, environment=environment.name, model=tag.model)
        for environment in workplace.settings.environments
    )
    running = (ReleaseTag.parse(f"{tag.model}@{one.tag}") for one in live if one is not None)
    return any(one.precedence > tag.precedence for one in running)


def _by_turns(due: Iterable[_Release]) -> list[_Release]:
    """The lowest version of each model before the second of any, and what was never tried before what was."""
    turns: list[tuple[int, int, _Release]] = []
    taken: dict[str, int] = {}
    for one in sorted(due, key=lambda one: one.tag.version):
        turns.append((taken.get(one.tag.model, 0), one.tries, one))
        taken[one.tag.model] = taken.get(one.tag.model, 0) + 1
    return [one for *_, one in sorted(turns, key=lambda turn: (turn[0], turn[1], turn[2].tag.model))]


def _in_order(releases: Iterable[_Release]) -> tuple[str, ...]:
    return tuple(str(one.tag) for one in sorted(releases, key=lambda one: (one.tag.model, one.tag.version)))


def _moved(tag: ReleaseTag, *, workplace: Workplace) -> MovedTag | None:
    page = workplace.history.page(tag, Identity)
    now = git.resolve_tag(workplace.repository.root, str(tag)).object_id
    if page is None or page.body.tag_object == now:
        return None
    return MovedTag(tag=str(tag), recorded=page.body.tag_object, now=now)


def _deleted(tags: tuple[ReleaseTag, ...], history: History) -> tuple[str, ...]:
    there = set(tags)
    recorded = (ReleaseTag(model, version) for model in history.models() for version in history.versions(model))
    return tuple(str(tag) for tag in recorded if tag not in there and history.has(tag, Identity))


def _rewritten(ledger: str, workplace: Workplace) -> tuple[RewrittenPage, ...]:
    root = workplace.repository.root
    git.fetch(root, f"refs/heads/{BRANCH}", tags=False)
    return rewritten_pages(root, ledger)


def _tell_owners(tag: ReleaseTag, workplace: Workplace) -> None:
    owners = workplace.repository.owners(tag.model)
    body = stuck_release_issue(tag, workplace.history.pages(tag, Attempt), owners=owners)
    workplace.forge.open_issue(title=stuck_release_title(tag), body=body, labels=(labels.SLIPWAY.name, STUCK))


def _end(tag: str, workplace: Workplace) -> str:
    verdicts = workplace.history.page(ReleaseTag.parse(tag), Verdicts)
    return f"its verdict is `{verdicts.body.verdict}`" if verdicts else "it is not to be released"


def _tell_of_upkeep(found: Reconciliation, forge: Forge) -> None:
    there = next(iter(forge.open_issues(UPKEEP)), None)
    body = upkeep_issue(found)
    if not found.needs_a_person:
        if there is not None:
            forge.close_issue(there.number, comment="All is well again.")
    elif there is None:
        forge.open_issue(title=UPKEEP_TITLE, body=body, labels=(labels.SLIPWAY.name, UPKEEP))
    elif there.body != body:
        forge.update_issue(there.number, body=body)
