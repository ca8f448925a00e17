"""The commands that end in a verdict: `check` on a laptop, `judge` in a release and in the watch."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from slipway.cli import options
from slipway.cli.printing import exit_code, hand_over, show, summarise

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace
    from slipway.domain.pages import Page
    from slipway.domain.release import Verdicts
    from slipway.domain.tag import Bump


@click.command("check")
@options.MODEL
@options.AS_JSON
def check(model: str, as_json: bool) -> int:
    """Run a release of the working tree up to its verdicts, and say how to tag it.

    Writes nothing outside of .slipway/; the text of the pull request lies there afterwards.
    """
    from slipway.adapters import atomic
    from slipway.domain.release import Identity
    from slipway.domain.tag import Bump
    from slipway.reports.release_summary import check_summary
    from slipway.steps import bump_manifest

    place = options.workplace()
    record = place.check(model)
    page = _up_to_verdicts(model, Bump.PATCH, place)
    smallest = page.body.smallest_bump
    if smallest not in (Bump.PATCH, Bump.FIRST, None):
        page = _up_to_verdicts(model, smallest, place)  # converted already: this measures under its number
    identity = record.page(Identity, written_by="check").body
    text = record.folder / "pull-request.md"
    body = bump_manifest.pull_request_text(record, environment=place.settings.production, opened_by=None)
    atomic.write(text, body.encode())
    show(page, f"{check_summary(identity, page.body)}\nThe pull request would read: {text}", as_json=as_json)
    return exit_code(page.body.verdict)


def _up_to_verdicts(model: str, bump: Bump, place: Workplace) -> Page[Verdicts]:
    from slipway.steps import convert_to_onnx, judge, measure_consistency, rehearse_rollback, resolve_tag

    resolve_tag.run_on_working_tree(model, bump=bump, workplace=place)
    record = place.check(model)
    convert_to_onnx.run(record, requirements=place.repository.root / "requirements")
    measure_consistency.run(record)
    rehearse_rollback.run(record, environment=place.settings.production)
    return judge.run(
        record,
        policies=place.repository.policies(),
        policies_digest=place.repository.policies_digest(),
        today=options.today(),
    )


@click.command("judge")
@click.argument("subject", metavar="TAG|MODEL")
@options.ENVIRONMENT
@options.UNTIL
@options.AS_JSON
def judge(subject: str, environment: str | None, until: date | None, as_json: bool) -> int:
    """Hold what was measured of a release (TAG) or of a window (MODEL) against the policies."""
    if "@" in subject:
        return _judge_release(subject, as_json=as_json)
    return _judge_window(subject, environment, options.day_of_window(until), as_json=as_json)


def _judge_release(tag: str, *, as_json: bool) -> int:
    from slipway.domain.release import Identity
    from slipway.domain.tag import ReleaseTag
    from slipway.domain.verdict import Verdict
    from slipway.reports.refusal import refusal
    from slipway.reports.release_summary import release_summary
    from slipway.steps import judge as step

    place = options.workplace()
    record = place.release(ReleaseTag.parse(tag))
    page = step.run(
        record,
        policies=place.repository.policies(),
        policies_digest=place.repository.policies_digest(),
        today=options.today(),
    )
    identity = record.page(Identity, written_by="resolve-tag").body
    failed = page.body.verdict is Verdict.FAIL
    text = refusal(identity, page.body) if failed else release_summary(identity, page.body)
    show(page, text, as_json=as_json)
    summarise(f"```\n{text}\n```")
    hand_over({"verdict": page.body.verdict})
    return exit_code(page.body.verdict)


def _judge_window(model: str, environment: str | None, until: date, *, as_json: bool) -> int:
    from slipway.domain.incident import WindowEvidence
    from slipway.reports.incident_issue import incident_title
    from slipway.steps import judge as step

    place = options.workplace()
    record = place.window(model, options.environment_in(place, environment), until.isoformat())
    page = step.run_on_window(
        record, policies=place.repository.policies(), policies_digest=place.repository.policies_digest()
    )
    evidence = record.page(WindowEvidence, written_by="measure-drift").body
    lines = [incident_title(evidence, page.body)]
    lines += [f"  {finding.title} {finding.verdict}: {finding.measured}" for finding in page.body.findings]
    show(page, "\n".join(lines), as_json=as_json)
    hand_over({"outcome": page.body.outcome, "incident": page.body.incident or ""})
    return exit_code(page.body.verdict)


COMMANDS = (check, judge)
