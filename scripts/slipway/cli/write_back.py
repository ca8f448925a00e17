"""What a rollout tells the MLflow server that a model came from; whatever goes wrong there fails nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from slipway.cli import options
from slipway.cli.failures import warn
from slipway.cli.printing import show, show_nothing, tell
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace
    from slipway.domain.pages import Page
    from slipway.domain.write_back import WriteBack

Chosen = Callable[[str, str], bool]


@click.command("tell-mlflow")
@click.argument("model", metavar="MODEL", required=False)
@click.option("--all", "all_of_it", is_flag=True, help="All models, in all environments; it is recorded as well.")
@options.ENVIRONMENT
@options.DRY_RUN
@options.AS_JSON
def tell_mlflow(model: str | None, all_of_it: bool, environment: str | None, dry_run: bool, as_json: bool) -> None:
    """Tell the MLflow server that MODEL came from where it runs: tags and an alias of the model version.

    The server is named by MLFLOW_TRACKING_URI, and has ten seconds. One that does not answer is reported, fails
    nothing, and is told by the next rollout.
    """
    options.refuse_all_and_one(model, all_of_it=all_of_it)
    if model is None:
        if as_json:
            raise click.UsageError("--json prints the one page of a model: name it")
        if environment is not None:
            options.environment_in(options.workplace(), environment)
        follow_all(lambda _, there: environment in (None, there), dry_run=dry_run)
        return
    place = options.workplace(dry_run=dry_run)
    place.repository.model(model)  # a misspelt one is never due
    page = _told_of(model, options.environment_in(place, environment), place, away="")
    if page is None:
        show_nothing(f"{model}: nothing to tell", as_json=as_json)
        return
    if as_json:
        show(page, "", as_json=True)
    if page.body.problem or not as_json:
        _say(page.body, model, dry_run=dry_run)


def is_wanted() -> bool:
    """Whether a server is named; without one, a rollout is nobody's business but git's."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


def follow_all(is_chosen: Chosen, *, dry_run: bool = False) -> None:
    """Tell and record what is not told yet, of all that runs and `is_chosen`. A server that is away is asked once."""
    from slipway.adapters import deploy_tree

    place = options.workplace(dry_run=dry_run)
    found = [(model, there) for there, model in deploy_tree.everything_deployed(place.forge)]
    _follow([one for one in found if is_chosen(*one)], place, dry_run=dry_run)


def _follow(places: Iterable[tuple[str, str]], place: Workplace, *, dry_run: bool) -> None:
    away = ""
    for model, environment in places:
        try:
            page = _told_of(model, environment, place, away=away)
            if page is None:
                continue
            away = page.body.problem if page.body.unanswered else away
            _say(page.body, model, dry_run=dry_run)
            _record(page, place)
        except SlipwayError as error:
            warn(f"{model} in {environment}: MLflow was not told: {error.problem}")


def _told_of(model: str, environment: str, place: Workplace, *, away: str) -> Page[WriteBack] | None:
    from slipway.steps import tell_mlflow as step

    return step.run(model, environment=environment, workplace=place, away=away)


def _say(body: WriteBack, model: str, *, dry_run: bool) -> None:
    telling = body.telling
    there = f"{model} in {body.environment}: MLflow's {telling.model_name}, version {telling.model_version},"
    if body.problem:
        warn(f"{there} was not told: {body.problem}; the next rollout tells it again")
        return
    if telling.takes_away:
        tell(f"{there} has the alias {telling.takes_away} no longer", dry_run=dry_run)
        return
    alias = f" and the alias {telling.alias}" if telling.alias else ""
    tell(f"{there} has {len(telling.tags)} tags{alias} of {body.version}", dry_run=dry_run)


def _record(page: Page[WriteBack], place: Workplace) -> None:
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import record_pages

    tag = ReleaseTag.parse(page.subject)
    record_pages.run(place.release(tag), tag=tag, ledger=place.ledger)


COMMANDS = (tell_mlflow,)
