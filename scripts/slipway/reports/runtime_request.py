"""What a reviewer reads who is asked to let releases stand on another runtime image."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.runtime import Change, PackageChange, RuntimeImage
from slipway.reports import rendering
from slipway.reports.markdown import Markdown, code, fenced
from slipway.reports.marker import marker
from slipway.reports.numbers import short_digest

_MOST_CHANGES = 50  # the newest
_MOST_PACKAGES = 100
_PRINT_SBOM = "print(open('/opt/slipway/sbom.cdx.json').read())"  # by the one program that is surely there


def runtime_title(image: RuntimeImage) -> str:
    return f"Runtime image {short_digest(image.digest)}"


def runtime_body(
    image: RuntimeImage,
    *,
    named: str | None,
    before: RuntimeImage | None,
    changes: Sequence[Change] | None,
    packages: Sequence[PackageChange] | None,
    opened_by: str,
) -> str:
    """Markdown, with a marker at its end.

    Args:
        image: what is proposed.
        named: what slipway.yaml names now.
        before: the same, as its registry describes it; None where nothing is named, or the registry lost it.
        changes: the commits between the two, newest first; None where nobody knows.
        packages: what differs between the packages of the two; None where nobody knows.
        opened_by: as readers are told.
    """
    new_layers = {digest: size for digest, size in image.layers.items() if before and digest not in before.layers}
    text = rendering.markdown(
        "runtime_request",
        image=image,
        named=named,
        old_line=fenced(f"runtime_image: {named}", language="yaml"),
        before=before,
        base_of=_base_of,
        commit_of=_commit_of,
        new_size=sum(new_layers.values()),
        changes=None if changes is None else changes[:_MOST_CHANGES],
        more=max(0, len(changes or ()) - _MOST_CHANGES),
        packages=None if packages is None else packages[:_MOST_PACKAGES],
        more_packages=max(0, len(packages or ()) - _MOST_PACKAGES),
        whole_list=fenced(f'docker run --rm --entrypoint python3 {image.reference} -c "{_PRINT_SBOM}"'),
        opened_by=opened_by,
    )
    return text + marker(kind="runtime", reference=image.reference)


def _base_of(image: RuntimeImage) -> Markdown:
    if not image.base_name:
        return Markdown("not told")
    digest = f" {code(short_digest(image.base_digest))}" if image.base_digest else ""
    return Markdown(f"{code(image.base_name)}{digest}")


def _commit_of(image: RuntimeImage) -> Markdown:
    return code(image.revision[:12]) if image.revision else Markdown("not told")
