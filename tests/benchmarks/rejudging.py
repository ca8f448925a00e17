"""Judging 200 deployed models again under new policies, against only reading and parsing the pages that tell of them.

    python -m tests.benchmarks.rejudging [MODELS]     by default 200

Both sides read in one listing and one batch, and are run in turns in one process; the shortest of each is told. Gates
whose policy is the same before and after are asked once, so the edit of one policy and that of all are told apart.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import click
from slipway.adapters import git
from slipway.adapters.history import release_folder
from slipway.adapters.workplace import Workplace
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import parse_page
from slipway.domain.release import Rehearsal
from slipway.domain.tag import ReleaseTag
from slipway.steps import rejudge

from tests.team import ENVIRONMENT, MODEL, TODAY, Team, new_team

_ROUNDS = 7
_READ = (Identity, Evidence, Rehearsal)
_NAME = re.compile(rf'(?<=\bname: ){MODEL}\b|(?<="model": "){MODEL}(?=")|\b{MODEL}(?=@v)')


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="?", type=int, default=200)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as folder:
        team = new_team(Path(folder))
        team.release(team.tag(f"{MODEL}@v1.0.0", "Begin"))
        team.go_live(f"{MODEL}@v1.0.0", on=date(2026, 3, 1))
        names = [f"{MODEL}-{number}" for number in range(options.models)]
        _multiply(team, names)
        click.echo("| models | edited | reading their pages | judging them again | ratio |\n|---|---|---|---|---|")
        for edited, edit in (("one policy", _edit_one), ("all policies", _edit_all)):
            edit(team)
            reading, judging = _in_turns(lambda: _read(team.workplace, names), lambda: _judge(team, len(names)))
            times = f"{reading:.2f} s | {judging:.2f} s | {judging / reading:.2f}×"
            click.echo(f"| {options.models} | {edited} | {times} |")


def _edit_one(team: Team) -> None:
    team.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.76")


def _edit_all(team: Team) -> None:
    for path in sorted((team.root / "policies").glob("*.yaml")):
        path.write_text(path.read_text().replace("question: ", "question: Again, ", 1))


def _multiply(team: Team, names: Sequence[str]) -> None:
    """The pages and the manifest of the one model, under other names: in one commit each."""
    ledger = team.root.with_name("ledger")
    git.run("clone", "--quiet", "--branch", "ledger", str(team.bare), str(ledger), cwd=team.bare)
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        git.run("config", key, value, cwd=ledger)
    git.run("pull", "--quiet", "--rebase", "origin", "main", cwd=team.root)
    for folder, name in ((ledger, MODEL), (team.root / "deploy" / ENVIRONMENT, MODEL)):
        for other in names:
            _copy(folder / name, folder / other, other)
    for root, branch in ((ledger, "ledger"), (team.root, "main")):
        git.run("add", "--all", cwd=root)
        git.run("commit", "--quiet", "--message", "Multiply", cwd=root)
        git.run("push", "--quiet", "origin", f"HEAD:{branch}", cwd=root)


def _copy(source: Path, target: Path, model: str) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_text(_NAME.sub(model, path.read_text()))


def _read(workplace: Workplace, names: Sequence[str]) -> None:
    """As `rejudge` reads them: listed once, all in one batch."""
    tags = [ReleaseTag.parse(f"{name}@v1.0.0") for name in names]
    for tag, pages in workplace.history.pages_of_all(tags).items():
        for kind in _READ:
            parse_page(kind, pages[f"{kind.kind}.1.json"], where=release_folder(tag))


def _judge(team: Team, models: int) -> None:
    place = team.workplace
    found = rejudge.run(policies=place.repository.policies(), today=TODAY, workplace=place)
    if found.unjudged or len(found.judged) != models + 1:
        raise RuntimeError(f"{len(found.judged)} were judged, {len(found.unjudged)} were not: {found.unjudged[:1]}")


def _in_turns(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    taken = [(_seconds(first), _seconds(second)) for _ in range(_ROUNDS)]
    one, other = zip(*taken, strict=True)
    return min(one), min(other)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1:])
