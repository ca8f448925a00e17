"""What follows from a version that was merged and does not run: each step by itself, and all of them for `rollout`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from slipway.cli import options
from slipway.cli.failures import told, warn
from slipway.cli.printing import exit_code, hand_over, show, show_issue, tell, tell_reversion

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace
    from slipway.domain.incident import Reversion

Chosen = Callable[[str, str], bool]


def is_incident(subject: str) -> bool:
    """`MODEL/ENVIRONMENT/ID`, which neither a tag nor the name of a model is."""
    return "/" in subject


def judge(name: str, *, as_json: bool) -> int:
    from slipway.domain.rollout_failure import RolloutFailure
    from slipway.reports.rollout_issue import rollout_title
    from slipway.steps import judge as step

    place = options.workplace()
    record = _opened(name, place)
    repository = place.repository
    page = step.run_on_rollout(record, policies=repository.policies(), policies_digest=repository.policies_digest())
    failure = record.page(RolloutFailure, written_by="verify-rollout").body
    lines = [rollout_title(failure, page.body)]
    lines += [f"  {finding.title} {finding.in_words}: {finding.measured}" for finding in page.body.findings]
    show(page, "\n".join(lines), as_json=as_json)
    hand_over({"outcome": page.body.outcome, "incident": name})
    return exit_code(page.body.verdict)


def revert_manifest(name: str, *, dry_run: bool) -> None:
    from slipway.steps import revert_manifest as step

    place = options.workplace(dry_run=dry_run)
    page = step.run_on_rollout(_opened(name, place), workplace=place)
    if page is None:
        tell(f"{name}: nothing is changed, by what the environment ran before, its policy, or what it is to run by now")
        return
    body = page.body
    where = f"{body.model} in {body.environment}"
    if body.no_way_back:
        tell(f"{where} stays at {body.version}, which does not run: {body.no_way_back}")
        return
    tell_reversion(f"{where}: {_what(name, body, place)}", body, dry_run=dry_run)


def _what(name: str, body: Reversion, place: Workplace) -> str:
    from slipway.domain.rollout_failure import RolloutFailure

    failure = _opened(name, place).page(RolloutFailure, written_by="verify-rollout").body
    if failure.canary:
        return f"the canary {body.version} is withdrawn"
    return f"back from {body.version} to {body.back_to}"


def file_issue(name: str, *, dry_run: bool, as_json: bool) -> None:
    from slipway.steps import file_issue as step

    place = options.workplace(dry_run=dry_run)
    owners = place.repository.owners(name.partition("/")[0])
    page = step.run_on_rollout(_opened(name, place), workplace=place, owners=owners)
    show_issue(page, as_json=as_json, dry_run=dry_run)


def send_webhook(name: str, place: Workplace) -> bool:
    """Whether something was posted, taken or not."""
    from slipway.steps import send_webhook as step

    posted = step.run_on_rollout(_opened(name, place), workplace=place)
    for page in posted:
        what = f"{page.body.message.type} of {page.body.message.data.incident}, {page.body.event}"
        if page.body.problem:
            warn(f"{what}, was not taken: {page.body.problem}; the next rollout posts it again")
        else:
            tell(f"posted {what}")
    return bool(posted)


def record_pages(name: str, *, dry_run: bool) -> str:
    from slipway.steps import record_pages as step

    place = options.workplace(dry_run=dry_run)
    return step.run_on_rollout(_opened(name, place), ledger=place.ledger)


def follow_all(is_chosen: Chosen, *, leave_webhook: bool) -> int:
    """The newest failure of each model and environment that `is_chosen`: what is not done yet about it is done now.

    So it does not matter which run saw it, nor whether that was killed. The worst exit code.
    """
    from slipway.adapters import failed_rollouts

    found = failed_rollouts.newest_of_all(options.workplace())
    chosen = [name for (model, environment), name in found.items() if is_chosen(model, environment)]
    code = max((told(partial(follow, name, leave_webhook=leave_webhook)) for name in chosen), default=0)
    hand_over({"untold": " ".join(name for name in chosen if leave_webhook and _is_untold(name))})
    return code


def post_all() -> None:
    """For the job that has the secret of the receiver, and runs no model; nothing without a receiver."""
    from slipway.adapters import failed_rollouts

    place = options.workplace()
    if place.settings.incident_webhook is None:
        return
    for name in failed_rollouts.newest_of_all(place).values():
        if send_webhook(name, place):
            record_pages(name, dry_run=False)


def follow(name: str, *, leave_webhook: bool) -> None:
    """What is not done yet about one failure, by its name.

    Recorded before anything is changed: a run that is killed after it left the manifest leaves what it knew.
    """
    if not _is_closed(_opened(name, options.workplace())):
        judge(name, as_json=False)
        if not _was_gone_back_from(_opened(name, options.workplace())):
            record_pages(name, dry_run=False)
        try:
            revert_manifest(name, dry_run=False)
        finally:  # also where nobody knows whether there is a way back: people are told that the version does not run
            file_issue(name, dry_run=False, as_json=False)
            record_pages(name, dry_run=False)
    if not leave_webhook and send_webhook(name, options.workplace()):
        record_pages(name, dry_run=False)


def _is_closed(record: Record) -> bool:
    from slipway.domain.incident import IssueAction, IssueFiled

    filed = record.latest(IssueFiled)
    return filed is not None and filed.body.action is IssueAction.CLOSED


def _was_gone_back_from(record: Record) -> bool:
    from slipway.domain.incident import Reversion

    return record.latest(Reversion) is not None


def _is_untold(name: str) -> bool:
    from slipway.steps import send_webhook as step

    place = options.workplace()
    return step.is_untold(_opened(name, place), workplace=place)


def _opened(name: str, place: Workplace) -> Record:
    from slipway.adapters import failed_rollouts

    return failed_rollouts.named(name, place)
