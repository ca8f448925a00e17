"""A team with many models that all run, each watched for long: branches as years of Slipway would leave them.

They are written by `git fast-import`, a thousand models in a minute. What stands in the pages is made by the classes
that steps write; only names are filled in by text.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from slipway.adapters import git, manifests
from slipway.domain.incident import IncidentVerdicts, IssueAction, IssueFiled, Outcome
from slipway.domain.pages import Body, Circumstances, Page, key_of
from slipway.domain.release import Proposal, Rollout, Verdicts
from slipway.domain.settings import RolloutEngine

from tests import pages
from tests.team import Team, new_team

PEOPLE = ("Ada Lovelace", "Grace Hopper", "Mary Somerville", "Sophie Germain", "Emmy Noether")
VERSIONS = ("v1.0.0", "v1.1.0")
LAST_DAY = date(2026, 3, 7)
_ENVIRONMENTS = ("development", "staging", "production")
_WORDS = ("arrival", "baggage", "cargo", "delay", "fare", "fuel", "gate", "ground", "load", "meal", "runway", "seat")
_PLACEHOLDER = "a-model-of-many"
_VARIANTS = 7  # of windows


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is to be written; `windows` have a day each and end with `until`, and every 25th place has an incident."""

    models: int
    windows: int = 200
    environments: tuple[str, ...] = _ENVIRONMENTS
    until: date = LAST_DAY
    named: str = ""  # in place of the people's names
    feature: str = "dep_delay"
    _lines: dict[int, list[str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [f"{_WORDS[n % 12]}-{_WORDS[(n // 12 + 5 + n) % 12]}-{n:04}" for n in range(self.models)]

    def team(self, folder: Path) -> Team:
        """Its repository, and a clone of it."""
        team = new_team(folder)
        team.edit("slipway.yaml", "[{name: production}]", json.dumps([{"name": name} for name in self.environments]))
        git.run("rm", "-r", "--quiet", "models", cwd=team.root)
        team.commit("Have more than one environment, and other models")
        for stream in (self._main(team), self._ledger()):
            _import(team, stream)
        git.run("pull", "--quiet", "origin", "main", cwd=team.root)
        return team

    def _main(self, team: Team) -> Iterator[bytes]:
        """A commit for all declarations, then one for each version in each place, in the words of merged requests."""
        head = git.commit_of(team.bare, "main")
        declared = {f"models/{name}/model.yaml": f"name: {name}\n".encode() for name in self.names}
        yield from _commit("main", "Declare", declared, at=self._day(-2), by=PEOPLE[0], after=head)
        pull = 0
        for version in VERSIONS:
            for number, name in enumerate(self.names):
                for environment in self.environments:
                    pull += 1
                    path = f"deploy/{environment}/{name}/kustomization.yaml"
                    words = f"Merge pull request #{pull} from acme/{name}-{version}-{environment}"
                    files = {path: self.manifest(name, environment, version)}
                    yield from _commit("main", words, files, at=self._begun(version), by=self._who(number + pull))

    def manifest(self, name: str, environment: str, version: str) -> bytes:
        empty = manifests.new_manifest(name, environment=environment, engine=RolloutEngine.PROCESS)
        image = pages.digest(f"{name} {version}")
        return manifests.set_image(empty, name=name, new_name=f"registry/{name}", tag=version, digest=image)

    def _ledger(self) -> Iterator[bytes]:
        """One commit: what a branch said on which day is asked of teams that live through those days."""
        files: dict[str, bytes] = {}
        for number, name in enumerate(self.names):
            files |= {
                path: content.replace(_PLACEHOLDER.encode(), name.encode()) for path, content in self._releases(name)
            }
            for place, environment in enumerate(self.environments):
                files |= self._windows(name, environment, variant=number + place)
                if (number * len(self.environments) + place) % 25 == 24:
                    files |= dict(self._incident(name, environment, issue=10_000 + number))
        for workflow in ("reconcile", "watch"):
            told = {"day": str(self.until), "key": str(self.until), "run": None}
            files[f"_heartbeats/{workflow}/{self.until:%Y-%m}.jsonl"] = json.dumps(told).encode() + b"\n"
        yield from _commit("ledger", "Record", files, at=self.until, by="Slipway")

    def _releases(self, name: str) -> Iterator[tuple[str, bytes]]:
        for version in VERSIONS:
            image = pages.digest(f"{name} {version}")
            built = pages.image(version).model_copy(update={"tag": version, "digest": image})
            bodies: list[Body] = [pages.identity(), pages.evidence(), _verdicts(), built]
            for number, environment in enumerate(self.environments, start=1):
                bodies += [self._proposal(environment, version, number), self._rollout(environment, version, image)]
            numbers: dict[str, int] = {}
            for body in bodies:
                numbers[body.kind] = numbers.get(body.kind, 0) + 1
                number = numbers[body.kind]
                yield f"{name}/{version}/{body.kind}.{number}.json", whole_page(body, number=number)

    def _proposal(self, environment: str, version: str, number: int) -> Proposal:
        branch = f"release/{environment}/{_PLACEHOLDER}/{version}"
        return Proposal(
            environment=environment, branch=branch, pull=number, title="Release", draft=False, replaces=None
        )

    def _rollout(self, environment: str, version: str, image: str) -> Rollout:
        begun = self._begun(version)
        live = pages.rollout(version, environment=environment, digest=image, live_since=begun)
        return live.model_copy(update={"commit": "0" * 40})

    def _begun(self, version: str) -> date:
        return self._day(-1) if version == VERSIONS[0] else self._day(self.windows // 2)

    def _day(self, number: int) -> date:
        return self.until - timedelta(days=self.windows - 1 - number)

    def _who(self, number: int) -> str:
        return self.named or PEOPLE[number % len(PEOPLE)]

    def _windows(self, name: str, environment: str, *, variant: int) -> dict[str, bytes]:
        months: dict[str, list[str]] = {}
        for day, line in enumerate(self._lines_of(variant % _VARIANTS)):
            path = f"{name}/{environment}/windows/{self._day(day):%Y-%m}.jsonl"
            months.setdefault(path, []).append(line.replace(_PLACEHOLDER, f"{name} {environment} {day}"))
        return {path: ("\n".join(lines) + "\n").encode() for path, lines in months.items()}

    def _lines_of(self, variant: int) -> list[str]:
        """Some stay, some move and come back, and one does not."""
        if variant not in self._lines:
            self._lines[variant] = [self._line(day, variant) for day in range(self.windows)]
        return self._lines[variant]

    def _line(self, day: int, variant: int) -> str:
        wave = (
            0.05 + 0.012 * ((day * (3 + variant)) % 7) / 7 + (0.18 if variant == 3 and day > 0.8 * self.windows else 0)
        )
        version = VERSIONS[day >= self.windows // 2]
        end = self._day(day)
        moved = (pages.feature_drift(self.feature, round(wave, 4)), *pages.window().drift[1:])
        labelled = round(0.62 - 0.08 * (day / max(1, self.windows)) + 0.01 * ((day + variant) % 5), 4)
        window = pages.window(version=version, f1=labelled).model_copy(
            update={"start": end - timedelta(days=6), "end": end, "drift": moved}
        )
        return json.dumps({"key": f"sha256:{_PLACEHOLDER}", **window.to_line()}, sort_keys=True)

    def _incident(self, name: str, environment: str, *, issue: int) -> Iterator[tuple[str, bytes]]:
        incident = f"{self.until}-drift"
        found = pages.incident_verdicts(pages.moved_input(), Outcome.WATCH).model_copy(update={"incident": incident})
        filed = IssueFiled(incident=incident, number=issue, action=IssueAction.OPENED, title=f"{name} drifts")
        for body in (found, filed):
            assert isinstance(body, IncidentVerdicts | IssueFiled)
            yield f"{name}/{environment}/incidents/{incident}/{body.kind}.1.json", whole_page(body)


def _verdicts() -> Verdicts:
    return pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())


def whole_page(body: Body, *, number: int = 1, subject: str = _PLACEHOLDER) -> bytes:
    """A page as the ledger holds it, around any body."""
    reads = {"number": str(number)}
    when = Circumstances(written_at="2026-01-01T00:00:00+00:00", seconds=1.0, host="a-runner", slipway="1.0.0")
    page = Page[Body](  # what it holds is written with the fields of its own class
        kind=body.kind, subject=subject, number=number, reads=reads, key=key_of(reads), body=body, circumstances=when
    )
    told = {**page.model_dump(mode="json"), "body": body.model_dump(mode="json")}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _commit(
    branch: str, message: str, files: dict[str, bytes], *, at: date, by: str, after: str | None = None
) -> Iterator[bytes]:
    moment = int(datetime.combine(at, time(12), tzinfo=UTC).timestamp())
    yield f"commit refs/heads/{branch}\nauthor {by} <a@b.c> {moment} +0000\n".encode()
    yield f"committer GitHub <noreply@github.com> {moment} +0000\n".encode()
    yield b"data %d\n%s\n" % (len(message.encode()), message.encode())
    yield b"" if after is None else f"from {after}\n".encode()
    for path, content in files.items():
        yield f"M 100644 inline {path}\ndata {len(content)}\n".encode()
        yield content + b"\n"


def _import(team: Team, stream: Iterator[bytes]) -> None:
    command = ["git", "fast-import", "--quiet", "--force"]
    with subprocess.Popen(command, cwd=team.bare, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.writelines(stream)
        process.stdin.close()
        assert process.wait() == 0
