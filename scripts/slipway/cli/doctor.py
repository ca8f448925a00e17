"""The command that looks after the repository itself."""

from __future__ import annotations

import click

from slipway.cli import options
from slipway.cli.printing import show


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Make the labels that are missing, and the rulesets of .github/rulesets.")
@options.DRY_RUN
@options.AS_JSON
def doctor(fix: bool, dry_run: bool, as_json: bool) -> int:
    """Say what will silently fail in this repository: settings, rights, edits, leftovers; and what mends each.

    What this token may not see, or this plan does not have, is told and is no problem. With --fix it looks again
    afterwards; --fix --dry-run tells what would be made.

    Exit codes: 0 nothing to mend, 2 something to mend, 12 somebody did not answer (run again).
    """
    from slipway.reports.checkup import checkup_text
    from slipway.steps import doctor as step

    place = options.workplace(dry_run=dry_run)
    if fix:
        step.fix(workplace=place)
    checkup = step.run(today=options.today(), workplace=place)
    show(checkup, checkup_text(checkup), as_json=as_json)
    return checkup.exit_code


COMMANDS = (doctor,)
