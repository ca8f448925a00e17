"""The commands of a release, from the tag to what is live."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING

import click

from slipway.cli import options
from slipway.cli.printing import hand_over, numbered, show, show_nothing, tell
from slipway.errors import RolloutFailed

if TYPE_CHECKING:
    from slipway.domain.release import Proposal


@click.command("fetch-source")
@options.TAG
@options.AS_JSON
def fetch_source(tag: str, as_json: bool) -> None:
    """Fetch the source of TAG where it lies elsewhere, with the credentials of this environment."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import fetch_source as step

    place = options.workplace()
    page = step.run(tag, workplace=place)
    folder = place.release(ReleaseTag.parse(tag)).folder
    hand_over({"fetched": "no" if page is None else "yes", "record": folder.relative_to(place.repository.root)})
    if page is None:
        show_nothing(f"{tag}: its source lies in the tagged commit; nothing is fetched", as_json=as_json)
        return
    origin = page.body.origin
    text = f"{tag}: {origin.resolved}, {len(origin.files)} files, {origin.size:,} bytes, {origin.sha256}"
    show(page, text, as_json=as_json)


@click.command("resolve-tag")
@options.TAG
@options.AS_JSON
def resolve_tag(tag: str, as_json: bool) -> None:
    """Find out what TAG releases, and fetch what the steps after it need."""
    from slipway.steps import resolve_tag as step

    page = step.run(tag, workplace=options.workplace())
    compared = page.body.compared.version if page.body.compared else "nothing: the first version"
    show(page, f"{tag}: {page.body.bump}, commit {page.body.commit[:12]}, compared with {compared}", as_json=as_json)
    hand_over({"model": page.body.model, "version": page.body.version, "commit": page.body.commit})


@click.command("convert-to-onnx")
@options.TAG
@options.AS_JSON
def convert_to_onnx(tag: str, as_json: bool) -> None:
    """Convert the source of TAG to ONNX, in a process and an environment of its own."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import convert_to_onnx as step

    place = options.workplace()
    page = step.run(
        place.release(ReleaseTag.parse(tag)),
        requirements=place.repository.root / "requirements",
        sources=place.repository.policies().sources,
    )
    show(page, f"{tag}: model.onnx, {page.body.onnx.size:,} bytes, sha256:{page.body.onnx.sha256}", as_json=as_json)
    hand_over({"sha256": page.body.onnx.sha256})


@click.command("measure-consistency")
@options.TAG
@options.AS_JSON
def measure_consistency(tag: str, as_json: bool) -> None:
    """Measure the ONNX file of TAG against its source, the version before, and labelled rows."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import measure_consistency as step

    place = options.workplace()
    page = step.run(
        place.release(ReleaseTag.parse(tag)), policies=place.repository.policies(), tests=place.repository.team_tests
    )
    found = page.body.fidelity
    show(page, f"{tag}: {found.rows:,} rows, largest difference {found.largest_difference:.1e}", as_json=as_json)


@click.command("rehearse-rollback")
@options.TAG
@options.FIRST_ENVIRONMENT
@options.AS_JSON
def rehearse_rollback(tag: str, environment: str | None, as_json: bool) -> None:
    """Load what is deployed now, and ask it the questions of its own release."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import rehearse_rollback as step

    place = options.workplace()
    record = place.release(ReleaseTag.parse(tag))
    page = step.run(record, environment=options.first_environment_in(place, environment))
    found = page.body
    text = (
        f"{tag}: back to {found.to.version}, {found.golden_equal} of {found.golden_rows} golden answers"
        if found.to
        else f"{tag}: nothing is deployed yet, so there is nothing to go back to"
    )
    show(page, text, as_json=as_json)


@click.command("build-image")
@options.TAG
@options.DRY_RUN
@options.AS_JSON
def build_image(tag: str, dry_run: bool, as_json: bool) -> None:
    """Append the model of TAG to the runtime image as one layer, and push it."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import build_image as step

    place = options.workplace(dry_run=dry_run)
    page = step.run(place.release(ReleaseTag.parse(tag)), workplace=place)
    body = page.body
    show(
        page,
        f"{tag}: image {body.digest}, layer {body.layer_digest} ({body.layer_size:,} bytes)",
        as_json=as_json,
        dry_run=dry_run,
    )
    hand_over({"digest": body.digest, "image": f"{place.settings.image_registry}/{body.repository}"}, dry_run=dry_run)


@click.command("bump-manifest")
@options.TAG
@options.FIRST_ENVIRONMENT
@options.DRY_RUN
@options.AS_JSON
def bump_manifest(tag: str, environment: str | None, dry_run: bool, as_json: bool) -> None:
    """Open or update the pull request that deploys TAG."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import bump_manifest as step

    place = options.workplace(dry_run=dry_run)
    record = place.release(ReleaseTag.parse(tag))
    page = step.run(record, environment=options.first_environment_in(place, environment), workplace=place)
    pull = page.body.pull
    show(page, f"{tag}: {_where_proposed(page.body)}", as_json=as_json, dry_run=dry_run)
    hand_over({"pull": pull if pull is not None else "", "branch": page.body.branch}, dry_run=dry_run)


def _where_proposed(proposal: Proposal) -> str:
    if proposal.pull is not None:
        return f"pull request {numbered(proposal.pull)}: {proposal.title}"
    if proposal.decided is not None:
        return f"nothing is proposed, since pull request #{proposal.decided} was closed for this tag"
    if proposal.canary is not None:
        return "it is a canary, and all of the traffic is proposed once that was judged to pass"
    return "the manifest names this image already"


@click.command("merge")
@click.argument("number", type=int)
@options.DRY_RUN
def merge(number: int, dry_run: bool) -> None:
    """Merge a pull request of a repository on this machine; on GitHub, press the button there."""
    place = options.workplace(dry_run=dry_run)
    commit = place.forge.merge_pull(number)
    tell(f"merged #{number} as {commit[:12]}", dry_run=dry_run)


@click.command("verify-rollout")
@options.MODEL
@options.ENVIRONMENT
@click.option("--on", type=options.DAY, help="Day from which the watch counts windows; today by default.")
@click.option("--canary", is_flag=True, help="What has a share of the traffic, and not what has the rest.")
@options.DRY_RUN
@options.AS_JSON
def verify_rollout(  # noqa: PLR0917  # click passes by name
    model: str, environment: str | None, on: date | None, canary: bool, dry_run: bool, as_json: bool
) -> None:
    """Bring what the manifest names to life, and ask it the golden rows of its release."""
    from slipway.cli.engines import engine_of, outlives_this_run
    from slipway.steps import verify_rollout as step

    place = options.workplace()
    name = options.environment_in(place, environment)
    if dry_run:
        wanted = step.wanted(model, environment=name, workplace=place)
        tell(f"{model} in {name}: {wanted.tag.image_tag} is served from {wanted.digest}", dry_run=True)
        return
    day, engine = on or options.today(), engine_of(place)
    stays = outlives_this_run(place.settings.rollout_engine, os.environ)
    try:
        page = (
            step.run_on_canary(model, environment=name, on=day, workplace=place, engine=engine)
            if canary
            else step.run(model, environment=name, on=day, workplace=place, engine=engine, stays=stays)
        )
    except RolloutFailed as failure:
        hand_over({"incident": failure.incident})
        raise
    if page is None:
        show_nothing(f"{model} in {name}: the manifest names no canary", as_json=as_json)
        return
    body = page.body
    what = f"the canary {body.version}" if body.canary else body.version
    end = "" if body.stays else "; it ends with this run, for a hosted runner keeps no server"
    golden = f"{body.golden_equal} of {body.golden_rows} golden answers"
    show(page, f"{model} in {name}: {what} is live, {golden}{end}", as_json=as_json)
    hand_over({"version": body.version, "digest": body.digest})


@click.command("announce-rollout")
@options.MODEL
@options.ENVIRONMENT
@options.DRY_RUN
@options.AS_JSON
def announce_rollout(model: str, environment: str | None, dry_run: bool, as_json: bool) -> None:
    """Note what was verified as a deployment and, where users are, publish the notes of its release."""
    from slipway.steps import announce_rollout as step

    place = options.workplace(dry_run=dry_run)
    name = options.environment_in(place, environment)
    page = step.run(model, environment=name, workplace=place)
    body = page.body
    notes = f", its notes: {body.release}" if body.release else ""
    show(page, f"{model} in {name}: {body.version} is announced{notes}", as_json=as_json, dry_run=dry_run)
    hand_over({"release": body.release or ""}, dry_run=dry_run)


@click.command("stop")
@options.MODEL
@options.ENVIRONMENT
def stop(model: str, environment: str | None) -> None:
    """Serve MODEL no more; what was asked is answered first.

    On a cluster its Deployment is deleted; what Argo CD or Flux applies is taken out of git instead.
    """
    from slipway.cli.engines import engine_of

    place = options.workplace()
    name = options.environment_in(place, environment)
    was = engine_of(place).live(model, name)
    engine_of(place).stop(model, name)
    tell(f"{model} in {name}: {was.version} is stopped" if was else f"{model} in {name}: nothing was running")


COMMANDS = (
    fetch_source,
    resolve_tag,
    convert_to_onnx,
    measure_consistency,
    rehearse_rollback,
    build_image,
    bump_manifest,
    merge,
    verify_rollout,
    announce_rollout,
    stop,
)
