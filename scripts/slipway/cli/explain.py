"""`slipway explain`: what is this digest, tag or pull request?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from slipway.cli import options
from slipway.cli.printing import show


@click.command("explain")
@click.argument("subject", metavar="DIGEST|TAG|PR|URL")
@options.AS_JSON
def explain(subject: str, as_json: bool) -> None:
    """Tell the whole story of one release: what it is, who let it through, where it runs, and how to go back.

    DIGEST is that of an image, a layer or an ONNX file, or its first 8 digits or more; TAG is flight-delay@v1.4.0, or
    v1.4.0_r2 alone where one model has it; PR is #12, also of an issue; URL is that of a pull request, an issue or an
    image, such as HOST/NAME@sha256:….

    Reads the ledger and git as this clone has them, and asks no server. Where it finds nothing, it says what it looked
    in (exit code 2).
    """
    from slipway.reports.explanation import explanation_text
    from slipway.steps import explain as step

    found = step.run(subject, folder=Path.cwd(), now=datetime.now(UTC))
    show(found, explanation_text(found), as_json=as_json)


COMMANDS = (explain,)
