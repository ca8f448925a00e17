"""`slipway rebase`: a deployed version on another runtime image, from its evidence to its pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import options
from slipway.cli.printing import exit_code, hand_over, numbered, show
from slipway.domain.verdict import Verdict

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace
    from slipway.domain.rebased import Rebased
    from slipway.steps.rebase import Plan


class _Digest(click.ParamType[str]):
    name = "DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", str(value)):
            self.fail(f"`{value}` is no digest; write it like sha256: and 64 hexadecimal digits", param, ctx)
        return str(value)


@click.command("rebase")
@options.MODEL
@options.FIRST_ENVIRONMENT
@click.option("--onto", type=_Digest(), help="Of a runtime image; the one that slipway.yaml names by default.")
@click.option(
    "--only-fetch", is_flag=True, help="Stop before the model is loaded; steps of a release go on with MODEL@v1.4.0_r2."
)
@options.DRY_RUN
@options.AS_JSON
def rebase(  # noqa: PLR0917  # click passes by name
    model: str, environment: str | None, onto: str | None, only_fetch: bool, dry_run: bool, as_json: bool
) -> int:
    """Put the deployed version of MODEL on another runtime image, as a revision with a pull request of its own.

    The model stays, byte by byte, and so does its tag. What it answers on the new image is measured and judged; a
    revision is called v1.4.0_r2. Run again, it goes on where it was.
    """
    from slipway.steps import rebase as step

    place = options.workplace(dry_run=dry_run)
    place.repository.model(model)  # a misspelt one is deployed nowhere
    found = step.plan(model, environment=options.first_environment_in(place, environment), onto=onto, workplace=place)
    result = _carried_out(found, place, only_fetch=only_fetch, dry_run=dry_run)
    text = _text(result, found, dry_run=dry_run)
    if found.revision is not None and result.verdict is Verdict.FAIL:
        text = f"{text}\n{_why(place.release(found.revision))}"
    show(result, text, as_json=as_json, dry_run=dry_run)
    hand_over({"revision": result.revision or "", "verdict": result.verdict or ""}, dry_run=dry_run)
    return 0 if result.verdict is None else exit_code(result.verdict)


def _carried_out(found: Plan, place: Workplace, *, only_fetch: bool, dry_run: bool) -> Rebased:
    from slipway.steps import rebase as step

    if found.revision is None or dry_run:
        return _told(found)
    if only_fetch:
        step.run(found, workplace=place)
        return _told(found)
    return rebased(found, place)


def rebased(found: Plan, place: Workplace) -> Rebased:
    """Chain the steps of a release on the record of the revision; it is recorded, whatever came of it.

    The model is loaded in a process apart: this one may hold a token and the key that signs.
    """
    from slipway.cli.examine import examined
    from slipway.steps import build_image, bump_manifest, record_pages
    from slipway.steps import rebase as step

    assert found.revision is not None
    record = place.release(found.revision)
    step.run(found, workplace=place)
    verdict = examined(record, environment=found.environment, place=place)
    result = _told(found).model_copy(update={"verdict": verdict})
    if verdict is not Verdict.FAIL:
        image = build_image.run(record, workplace=place).body
        proposal = bump_manifest.run(record, environment=found.environment, workplace=place).body
        result = result.model_copy(update={"digest": image.digest, "pull": proposal.pull})
    record_pages.run(record, tag=found.revision, ledger=place.ledger)
    return result


def _told(found: Plan) -> Rebased:
    from slipway.domain.rebased import Rebased

    return Rebased(
        model=found.of.model,
        environment=found.environment,
        of=found.of.image_tag,
        runtime=found.runtime,
        revision=found.revision.image_tag if found.revision else None,
    )


def _text(result: Rebased, found: Plan, *, dry_run: bool) -> str:
    what = f"{found.of} on the runtime image {result.runtime[:19]}"
    if result.revision is None:
        return f"nothing to do: {result.environment} runs {what} already"
    if dry_run:
        return f"{what} as {result.revision}, measured, judged and proposed in {result.environment}"
    if result.verdict is None:
        return f"{what} as {result.revision}: fetched, to be measured and judged"
    if result.digest is None:
        return f"{what} as {result.revision}: {result.verdict}, no image and no pull request"
    where = f"pull request {numbered(result.pull)}" if result.pull is not None else "nothing is proposed"
    return f"{what} as {result.revision}: {result.verdict}, image {result.digest[:19]}, {where}"


def _why(record: Record) -> str:
    from slipway.domain.identity import Identity
    from slipway.domain.release import Verdicts
    from slipway.reports.refusal import refusal

    verdicts = record.page(Verdicts, written_by="rebase").body
    return refusal(record.page(Identity, written_by="rebase").body, verdicts)


COMMANDS = (rebase,)
