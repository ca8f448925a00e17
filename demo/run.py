"""`make demo`: the whole loop on this machine, with a real model and real flights; no account, no Docker."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from slipway.adapters.rollout.process import stop_all
from slipway.cli.failures import told
from slipway.cli.logs import log_to_stderr

from demo import report  # the root is on the path only now
from demo.story import Story
from demo.team import MODEL, ROOT, Team
from demo.telling import Teller
from demo.traffic import FAULTS, Traffic

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ONCE_MORE_SECONDS = 5.0


def main() -> int:
    options = _options()
    folder: Path = options.folder.resolve()
    interrupt_on_signals()
    try:
        return told(lambda: _tell(folder, options))
    finally:
        for number in (*_ENDING, signal.SIGALRM):  # an impatient second one as well
            signal.signal(number, signal.SIG_IGN)
        stop_all(_rollout_state(folder))


def interrupt_on_signals() -> None:
    """Each ends the demo as Ctrl-C does: no server is left behind."""
    sys.unraisablehook = _tell_unless_interrupted
    for number in (*_ENDING, signal.SIGALRM):
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Now, and once more if that was in vain: what is raised inside a destructor or a callback, Python drops."""
    signal.setitimer(signal.ITIMER_REAL, _ONCE_MORE_SECONDS)
    signal.default_int_handler(number, frame)


def _tell_unless_interrupted(dropped: sys.UnraisableHookArgs) -> None:
    """An interruption that Python drops comes again: its traceback would only frighten."""
    if not isinstance(dropped.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".slipway" / "demo", help="where all of it is kept")
    parser.add_argument(
        "--fault", choices=sorted(FAULTS), default="departure-delay-stuck", help="what breaks in November"
    )
    parser.add_argument("--seed", type=int, help="serve a random four fifths of the flights instead of all")
    return parser.parse_args()


def _tell(folder: Path, options: argparse.Namespace) -> int:
    started = time.monotonic()
    _start_clean(folder)
    log_to_stderr(quiet=False)
    os.environ["SLIPWAY_ACCEPT_EVENT_TIME"] = "1"  # the flights of 2013 are served under their own days
    teller = Teller()
    teller.says(f"Everything below happens in {folder}")
    team = Team.generate(folder, teller)
    story = Story(team, Traffic.of_2013(team.repository / "models" / MODEL, seed=options.seed), options.fault)
    story.tell()
    page = folder / "report.html"
    page.write_text(report.html(team, story.seen, title="flight-delay, April to December 2013"), encoding="utf-8")
    _name_what_is_kept(teller, team, folder, page, seconds=time.monotonic() - started)
    return 0


def _start_clean(folder: Path) -> None:
    """What an earlier run left goes, its servers first."""
    stop_all(_rollout_state(folder))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _rollout_state(folder: Path) -> Path:
    return folder / "flights" / ".slipway" / "rollout"


def _name_what_is_kept(teller: Teller, team: Team, folder: Path, page: Path, *, seconds: float) -> None:
    state = team.workplace.state
    teller.act(7, f"All of it is kept ({seconds:.0f} s)")
    teller.path("the story with plots", page)
    teller.path("the team's repository", team.repository)
    teller.path("pull requests and issues", team.forge_folder)
    teller.path("ledger (a branch)", folder / "flights.git")
    teller.path("images, in OCI layout", state / "registry")
    teller.path("pages and models of releases", state / "releases")
    teller.path("what was served, and labels", state / "served")


if __name__ == "__main__":
    sys.exit(main())
