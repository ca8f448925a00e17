"""The command of a team that comes with models that run already."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from slipway.cli import options
from slipway.cli.printing import show


class _Named(NamedTuple):
    """`name` is the repository of the image, None where it is that of slipway.yaml."""

    name: str | None
    digest: str


class _Image(click.ParamType[_Named]):
    """A tag alone is none: it may mean something else tomorrow. One before a digest is left out.

    The name is written into a manifest as it is: what no registry and no folder of images could be called is refused.
    """

    name = "[NAME@]DIGEST"
    _PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    _NAME = rf"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{{1,5}})?/)?{_PART}(?:/{_PART})*|layout:[^@\s:]+"
    _FORM = re.compile(rf"(?:(?P<name>{_NAME})(?::[\w][\w.-]*)?@)?(?P<digest>sha256:[0-9a-f]{{64}})", re.ASCII)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> _Named:
        if isinstance(value, _Named):
            return value
        match = self._FORM.fullmatch(value)
        if match is None:
            self.fail(
                f"`{value}` is no digest, or one of no name: [REGISTRY/NAME@]sha256:… with 64 digits, which docker "
                "images --digests tells",
                param,
                ctx,
            )
        return _Named(match["name"], match["digest"])


class _Version(click.ParamType[str]):
    """What a release is called after the @; git need not have such a tag."""

    name = "vX.Y.Z"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from slipway.domain.tag import release_named

        if release_named("any", str(value)) is None:
            self.fail(f"`{value}` is no version of a release: write it like v1.2.3, without build metadata", param, ctx)
        return str(value)


@click.command("adopt")
@options.MODEL
@click.option(
    "--onnx",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The model that runs today, as one ONNX file; it is pushed as an image.",
)
@click.option("--image", type=_Image(), help="Or the image that runs today; one of which nothing can be asked, too.")
@options.ENVIRONMENT
@click.option(
    "--version", required=True, type=_Version(), metavar="vX.Y.Z", help="What runs there is called so from now on."
)
@options.DRY_RUN
@options.AS_JSON
def adopt(  # noqa: PLR0917  # click passes by name
    model: str,
    onnx: Path | None,
    image: _Named | None,
    environment: str | None,
    version: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Record what runs today as the baseline of MODEL: nothing is trained, released or rolled out.

    The next release is compared with it. Tags that are there already are left alone for good.
    """
    from slipway.adapters.adopted import Adoption, manifest_of, superseded_by
    from slipway.domain.tag import ReleaseTag
    from slipway.reports.adoption import adoption_text
    from slipway.steps import adopt as step
    from slipway.steps import record_pages

    if (onnx is None) == (image is None):
        raise click.UsageError("say what runs: --onnx FILE or --image DIGEST")
    place = options.workplace(dry_run=dry_run)
    place.repository.model(model)  # a name that is none of a model is no wrong tag
    asked = Adoption(
        tag=ReleaseTag.parse(f"{model}@{version}"),
        environment=options.environment_in(place, environment),
        by=options.who_asks(place),
        now=datetime.now(UTC),
        onnx=onnx,
        image=image.digest if image else None,
        image_name=image.name if image else None,
    )
    page = step.run(asked, workplace=place)
    record_pages.run_on_baseline(page, ledger=place.ledger)
    text = adoption_text(page.body, manifest=manifest_of(asked), after=superseded_by(asked, place))
    show(page, text, as_json=as_json, dry_run=dry_run)


COMMANDS = (adopt,)
