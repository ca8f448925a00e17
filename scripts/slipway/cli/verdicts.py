"""The commands that end in a verdict: `check` on a laptop, `judge` in a release and in the watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import canaries, failed_rollouts, options
from slipway.cli.printing import exit_code, hand_over, show, show_nothing, summarise, tell
from slipway.cli.windows import write_report
from slipway.domain.verdict import Verdict

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace
    from slipway.domain.pages import Page
    from slipway.domain.release import Verdicts
    from slipway.domain.tag import Bump


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of a check found; only the last one has a verdict."""

    page: Page[Any] | None
    text: str
    verdict: Verdict = Verdict.PASS


@click.command("check")
@options.MODEL
@click.option(
    "--only",
    type=click.Choice(("source", "fetch", "convert", "examine")),
    help="One part: source fetches what lies elsewhere, fetch asks ledger and registry, convert runs the model's code, "
    "examine measures and judges.",
)
@options.AS_JSON
def check(model: str, only: str | None, as_json: bool) -> int:
    """Run a release of the working tree up to its verdicts, and say how to tag it.

    Writes nothing outside of .slipway/; the text of the pull request lies there afterwards.
    """
    place = options.workplace()
    for part in _PARTS if only is None else (only,):
        found = _PARTS[part](model, place)
    if found.page is None:
        show_nothing(found.text, as_json=as_json)
    else:
        show(found.page, found.text, as_json=as_json)
    return exit_code(found.verdict)


def _source(model: str, place: Workplace) -> _Part:
    from slipway.steps import fetch_source

    page = fetch_source.run_on_working_tree(model, workplace=place)
    hand_over({"fetched": "no" if page is None else "yes"})
    told = f"fetched {page.body.origin.resolved}" if page else "its source lies in the repository"
    return _Part(page, f"{model}: {told}")


def _fetch(model: str, place: Workplace) -> _Part:
    from slipway.steps import resolve_tag

    page = resolve_tag.run_on_working_tree(model, workplace=place)
    compared = page.body.compared.version if page.body.compared else "nothing: no version passed yet"
    return _Part(page, f"{model}: to be compared with {compared}")


def _convert(model: str, place: Workplace) -> _Part:
    from slipway.steps import convert_to_onnx

    page = convert_to_onnx.run(
        place.check(model),
        requirements=place.repository.root / "requirements",
        sources=place.repository.policies().sources,
    )
    return _Part(page, f"{model}: model.onnx, {page.body.onnx.size:,} bytes")


def _examine(model: str, place: Workplace) -> _Part:
    """As a patch first, then as the smallest promise that would be kept, where that is a greater one."""
    from slipway.adapters import atomic
    from slipway.domain.identity import Identity
    from slipway.domain.tag import Bump
    from slipway.reports.check_preview import check_preview
    from slipway.reports.release_summary import check_summary
    from slipway.steps import bump_manifest

    record = place.check(model)
    page = _judged_as(Bump.PATCH, record, place)
    smallest = page.body.smallest_bump
    if smallest not in (Bump.PATCH, Bump.FIRST, None):
        page = _judged_as(smallest, record, place)
    identity = record.page(Identity, written_by="check --only fetch").body
    path = record.folder / "pull-request.md"
    pull = bump_manifest.pull_request_text(record, environment=place.settings.first)
    atomic.write(path, pull.encode())
    summarise(check_preview(identity, page.body, pull_request=pull))
    hand_over({"verdict": page.body.verdict})
    text = f"{check_summary(identity, page.body)}\nThe pull request would read: {path}"
    return _Part(page, text, page.body.verdict)


def _judged_as(bump: Bump, record: Record, place: Workplace) -> Page[Verdicts]:
    from slipway.steps import judge, measure_consistency, rehearse_rollback, resolve_tag

    resolve_tag.promise(bump, record, root=place.repository.root)
    policies = place.repository.policies()
    measure_consistency.run(record, policies=policies, tests=place.repository.team_tests)
    rehearse_rollback.run(record, environment=place.settings.first)
    return judge.run(
        record,
        policies=policies,
        policies_digest=place.repository.policies_digest(),
        today=options.today(),
    )


# In their order; in a workflow each runs in a job of its own, and only the first two are given a token.
_PARTS = {"source": _source, "fetch": _fetch, "convert": _convert, "examine": _examine}


@click.command("judge")
@click.argument("subject", metavar="TAG|MODEL|INCIDENT")
@options.ENVIRONMENT
@options.UNTIL
@click.option("--canary", is_flag=True, help="Of MODEL, what its canary answered, as measure-canary found it.")
@options.AS_JSON
def judge(subject: str, environment: str | None, until: date | None, canary: bool, as_json: bool) -> int:
    """Hold what was found of a release (TAG), a window (MODEL) or a failed rollout (INCIDENT) against the policies."""
    if failed_rollouts.is_incident(subject):
        return failed_rollouts.judge(subject, as_json=as_json)
    if "@" in subject:
        return _judge_release(subject, as_json=as_json)
    if canary:
        name = options.environment_in(options.workplace(), environment)
        return canaries.judge(subject, name, until, as_json=as_json)
    code = judge_window(subject, environment, options.day_of_window(until), as_json=as_json)
    place = options.workplace()
    name = options.environment_in(place, environment)
    report = write_report(place.window(subject, name, options.day_of_window(until).isoformat()), place)
    if not as_json:
        tell(f"  report: {report}")
    return code


def _judge_release(tag: str, *, as_json: bool) -> int:
    from slipway.domain.identity import Identity
    from slipway.domain.tag import ReleaseTag
    from slipway.reports.markdown import fenced
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
    summarise(fenced(text))
    hand_over({"verdict": page.body.verdict})
    return exit_code(page.body.verdict)


def judge_window(model: str, environment: str | None, until: date, *, as_json: bool) -> int:
    """Without a report: `watch` writes it once, when the issue is filed."""
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
    lines += [f"  {finding.title} {finding.in_words}: {finding.measured}" for finding in page.body.findings]
    lines += [f"  noticed: {finding.notice}" for finding in page.body.findings if finding.notice]
    show(page, "\n".join(lines), as_json=as_json)
    hand_over({"outcome": page.body.outcome, "incident": page.body.incident or ""})
    return exit_code(page.body.verdict)


COMMANDS = (check, judge)
