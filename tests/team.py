"""A team with a repository of its own and one tiny model, to release and watch for real.

Git, forge, registry and onnxruntime are the real ones. Only the framework is left out: `tip` is a line and a table,
kept as JSON under source/, and `Team.convert` writes the page that `convert-to-onnx` would write, from numpy's answers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from slipway.adapters import fetched_sources, git, manifests, onnx_session, tables
from slipway.adapters.history import History
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.converters.batches import write_batch
from slipway.domain.conversion import Conversion
from slipway.domain.edge_rows import edge_rows
from slipway.domain.identity import Identity
from slipway.domain.incident import IncidentVerdicts, IssueFiled, Reversion, WindowEvidence
from slipway.domain.pages import File, Page, digest_of
from slipway.domain.release import Image, JobResult, Proposal, Rollout, Verdicts
from slipway.domain.rows import Batch
from slipway.domain.tag import ReleaseTag
from slipway.steps import (
    build_image,
    bump_manifest,
    file_issue,
    judge,
    measure_consistency,
    measure_drift,
    record_pages,
    rehearse_rollback,
    resolve_tag,
    revert_manifest,
)

from tests.tip import DAYS, MODEL, ROWS_A_DAY, TIP, Tip, days_from, guests_of, samples_table, tip_from

__all__ = [
    "DAYS",
    "ENVIRONMENT",
    "MODEL",
    "ROOT",
    "ROWS_A_DAY",
    "TODAY",
    "Team",
    "Tip",
    "copy_of",
    "days_from",
    "new_team",
    "samples_table",
]

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = "production"
TODAY = date(2026, 6, 1)
# The defaults of the schemas, but for the rows that so small a model has: these tests also run in a repository whose
# team has set limits, a registry and a quarantine of its own.
_LIMITS = {
    "fidelity": "{rows: 1000}",
    "signature": "{}",
    "outputs": "{}",
    "metrics": "\n  f1: {floor: 0.75, drop: 0.05}\n  positives: 100",
    "slices": "{worse: 1.0, positives: 5}",
    "promise": "{worse: 0.01}",
    "way-back": "{golden_rows: 50}",
    "drift": "{distance: 0.15, rows: 500}",
    "previous-version": "{gain: 0.02, windows: 2}",
    "behaviour": "{}",
    "sources": "{pickle: false}",
    "budgets": "{}",
    "rollout": "{settle_seconds: 0}",
}


@dataclass(frozen=True, slots=True)
class Team:
    """`root` is a checkout, `bare` the repository that it pushes to."""

    root: Path
    bare: Path

    @property
    def workplace(self) -> Workplace:
        return Workplace.around(self.root)

    @property
    def history(self) -> History:
        return self.workplace.history

    @property
    def folder(self) -> Path:
        """Of the model."""
        return self.root / "models" / MODEL

    def clone(self, name: str) -> Team:
        """Another checkout of the same repository."""
        other = Team(self.root.with_name(name), self.bare)
        git.run("clone", "--quiet", str(self.bare), str(other.root), cwd=self.bare)
        _become("Grace", other.root)
        return other

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def write_model(self, tip: Tip = TIP, *, breaks: str | None = None, samples: pa.Table | None = None) -> None:
        """Put one version of the model into the working tree; `breaks` is the version whose break the card states."""
        self.write(f"models/{MODEL}/model.yaml", tip.declaration())
        self.write(f"models/{MODEL}/source/weights.json", tip.as_json())
        stated = f"\n## Breaking changes\n### {breaks}\nClients must send guests.\n" if breaks else ""
        self.write(f"models/{MODEL}/README.md", f"# {MODEL}\nA line and a table.\n{stated}")
        (self.folder / "samples").mkdir(exist_ok=True)
        if samples is not None or not (self.folder / "samples" / "tables.parquet").exists():
            pq.write_table(samples_table() if samples is None else samples, self.folder / "samples" / "tables.parquet")

    def expect(self, **groups: object) -> None:
        """Say in policies/behaviour.yaml what is expected of the model."""
        limit = json.dumps({"reason": "The waiters know it.", "limit": groups})
        words = "question: Does it hold?\nmotivation: People believe it.\nremedy: Mend it.\nlimit: {}\n"
        self.write("policies/behaviour.yaml", f"{words}models: {{{MODEL}: {limit}}}\n")

    def edit(self, name: str, before: str, after: str) -> None:
        """Change a text of the working tree, which must be there."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert before in text
        self.write(name, text.replace(before, after))

    def commit(self, message: str = "Change", *, push: bool = True) -> str:
        """Commit all, an empty commit where nothing changed, and push it on top of what was merged meanwhile."""
        git.run("add", "--all", cwd=self.root)
        git.run("commit", "--quiet", "--allow-empty", "--message", message, cwd=self.root)
        if push:
            git.run("pull", "--quiet", "--rebase", "origin", "main", cwd=self.root)
            git.run("push", "--quiet", "origin", "HEAD:main", cwd=self.root)
        return git.head_commit(self.root)

    def tag(self, name: str, message: str = "Say what changed", *, annotated: bool = True) -> str:
        words = ("--annotate", "--message", message) if annotated else ()
        git.run("tag", "--force", *words, name, cwd=self.root)
        git.run("push", "--quiet", "--force", "origin", f"refs/tags/{name}", cwd=self.root)
        return name

    def publish(self, name: str, tip: Tip = TIP, *, breaks: str | None = None, message: str = "Change tip") -> str:
        """Commit a version and tag it; returns the tag."""
        self.write_model(tip, breaks=breaks)
        self.commit(message)
        return self.tag(name, message)

    def record(self, tag: str) -> Record:
        return self.workplace.release(ReleaseTag.parse(tag))

    def convert(self, record: Record) -> Page[Conversion]:
        """The page that `convert-to-onnx` writes, keyed as it does."""
        identity = record.page(Identity, written_by="resolve-tag").body
        locked = self.root / "requirements" / "tensorflow.txt"
        reads = {
            "source": identity.source_digest,
            "declaration": digest_of(identity.declaration.model_dump_json().encode()),
            "samples": identity.samples.sha256,
            "requirements": digest_of(locked.read_bytes()),
            "sources": digest_of(self.workplace.repository.policies().sources.limit.model_dump_json().encode()),
        }
        return record.once(Conversion, reads=reads, make=lambda: _converted(record, identity))

    def measure(self, tag: str, *, environment: str = ENVIRONMENT) -> Record:
        """All steps before the verdict."""
        record = self.record(tag)
        resolve_tag.run(tag, workplace=self.workplace)
        self.convert(record)
        measure_consistency.run(record, policies=self.workplace.repository.policies())
        rehearse_rollback.run(record, environment=environment)
        return record

    def judge(self, record: Record, *, today: date = TODAY) -> Page[Verdicts]:
        repository = self.workplace.repository
        return judge.run(
            record, policies=repository.policies(), policies_digest=repository.policies_digest(), today=today
        )

    def up_to_verdicts(self, tag: str, *, environment: str = ENVIRONMENT) -> Page[Verdicts]:
        return self.judge(self.measure(tag, environment=environment))

    def propose(self, tag: str, *, environment: str = ENVIRONMENT) -> Page[Proposal]:
        """Image and pull request of what was judged."""
        build_image.run(self.record(tag), workplace=self.workplace)
        return bump_manifest.run(self.record(tag), environment=environment, workplace=self.workplace)

    def record_pages(self, tag: str) -> str | None:
        return record_pages.run(self.record(tag), tag=ReleaseTag.parse(tag), ledger=self.workplace.ledger)

    def release(self, tag: str, *, environment: str = ENVIRONMENT) -> Page[Proposal]:
        """Every step of a release that does not fail."""
        self.up_to_verdicts(tag, environment=environment)
        proposal = self.propose(tag, environment=environment)
        file_issue.run_on_release(self.record(tag), forge=self.workplace.forge)
        self.record_pages(tag)
        return proposal

    def go_live(self, tag: str, *, on: date) -> None:
        """Merge the release's pull request, and record the rollout that `verify-rollout` would find."""
        proposal = self.record(tag).page(Proposal, written_by="bump-manifest").body
        assert proposal.pull is not None
        self.workplace.forge.merge_pull(proposal.pull)
        self.note_rollout(tag, on=on)

    def note_rollout(self, tag: str, *, on: date) -> None:
        record = self.record(tag)
        image = record.page(Image, written_by="build-image").body
        commit = self.workplace.forge.head("main") or ""
        live = Rollout(
            environment=ENVIRONMENT,
            version=ReleaseTag.parse(tag).image_tag,
            digest=image.digest,
            commit=commit,
            live_since=on,
            golden_rows=50,
            golden_equal=50,
        )
        record.once(Rollout, reads={"commit": commit, "digest": image.digest}, make=lambda: live)
        self.record_pages(tag)

    def break_off(self, tag: str, *, number: int = 1) -> None:
        """What the run `number` of a release records whose first job failed."""
        jobs = {"fetch": JobResult.FAILURE, "convert": JobResult.SKIPPED}
        of = record_pages.Run(id=str(number), attempt="1")
        release = ReleaseTag.parse(tag)
        record_pages.note_attempt(release, jobs=jobs, of=of, today=TODAY, workplace=self.workplace)
        self.record_pages(tag)

    def note_heartbeat(self, workflow: str, day: date) -> None:
        """What a workflow that runs each day leaves."""
        beat = record_pages.Heartbeat(workflow, day, None)
        record_pages.run_on_windows([], ledger=self.workplace.ledger, beat=beat)

    def serve(
        self,
        version: str,
        days: Sequence[date],
        *,
        tip: Tip = TIP,
        rows: int = 120,
        change: Mapping[str, Any] | None = None,
        labelled: bool = True,
        truth: Tip | None = None,
        logged: Sequence[str] | None = None,
    ) -> None:
        """Write what the server's log and the team's labels would hold of some days.

        `change` overwrites inputs as production sends them, and `logged` names those that the log holds. `truth`,
        where given, decides the labels, from the inputs as they really were.
        """
        log = self.workplace.served_log(MODEL, ENVIRONMENT)
        for day in days:
            real = guests_of(day, rows)
            asked = {name: np.asarray(real[name]).reshape(-1, 1) for name in ("bill", "kitchen", "guests")}
            label = np.asarray(real["tip"]) if truth is None else truth.answers(asked)["score"].ravel() >= 0.5
            for name, value in (change or {}).items():
                asked[name] = np.full((rows, 1), value, object if isinstance(value, str) else np.float32)
            keys = {"request_id": [f"{day}"] * rows, "row": pa.array(range(rows), pa.int32())}
            stamp = datetime.combine(day, time(19, 30, 0, 250_000, tzinfo=UTC))
            columns = {
                **keys,
                "time": pa.array([stamp] * rows, pa.timestamp("us", tz="UTC")),
                "version": [version] * rows,
                **{name: pa.array(asked[name].ravel()) for name in logged or tip.inputs},
                "score": pa.array(tip.answers(asked)["score"].ravel()),
            }
            _write(log.rows_folder, day, pa.table(columns), named=version)
            if labelled:
                _write(log.labels_folder, day, pa.table({**keys, "label": pa.array(label)}), named="labels")

    def look(self, until: date) -> tuple[Page[WindowEvidence], Page[IncidentVerdicts], Page[IssueFiled]]:
        """What the scheduled watch does, but for the way back."""
        evidence, verdicts = self.look_only(until)
        owners = self.workplace.repository.owners(MODEL)
        issue = file_issue.run_on_window(self.window(until), forge=self.workplace.forge, owners=owners)
        record_pages.run_on_windows([self.window(until)], ledger=self.workplace.ledger)
        return evidence, verdicts, issue

    def look_only(self, until: date) -> tuple[Page[WindowEvidence], Page[IncidentVerdicts]]:
        """Measure and judge a window; tell nobody."""
        repository = self.workplace.repository
        evidence = measure_drift.run(
            MODEL, environment=ENVIRONMENT, until=until, policies=repository.policies(), workplace=self.workplace
        )
        verdicts = judge.run_on_window(
            self.window(until), policies=repository.policies(), policies_digest=repository.policies_digest()
        )
        return evidence, verdicts

    def lose_images(self) -> None:
        """As when somebody clears the registry."""
        for folder in ("layers", f"registry/{MODEL}"):
            shutil.rmtree(self.workplace.state / folder, ignore_errors=True)

    def go_back(self, to: str, *, reason: str = "by hand", day: str = "2026-04-15") -> Page[Reversion]:
        """As a person asks for it, by a pull request that nobody merged yet."""
        return revert_manifest.run_on_request(
            MODEL,
            environment=ENVIRONMENT,
            back_to=to,
            reason=reason,
            by="Ada",
            day=day,
            workplace=self.workplace,
        )

    def window(self, until: date) -> Record:
        return self.workplace.window(MODEL, ENVIRONMENT, until.isoformat())


def new_team(folder: Path) -> Team:
    """A bare repository, and a checkout in which version 1 of the model is committed and pushed."""
    folder.mkdir(parents=True, exist_ok=True)
    team = Team(folder / "waiters", folder / "waiters.git")
    git.run("init", "--quiet", "--bare", "--initial-branch=main", str(team.bare), cwd=folder)
    git.run("init", "--quiet", "--initial-branch=main", str(team.root), cwd=folder)
    _become("Ada", team.root)
    git.run("remote", "add", "origin", str(team.bare), cwd=team.root)
    shutil.copytree(ROOT / "serving", team.root / "serving", ignore=shutil.ignore_patterns("__pycache__"))
    for name, limit in _LIMITS.items():
        words = "question: Does it hold?\nmotivation: People believe it.\nremedy: Mend it.\n"
        team.write(f"policies/{name}.yaml", f"{words}limit: {limit}\n")
    team.write("slipway.yaml", "image_registry: layout:.slipway/registry\nenvironments: [{name: production}]\n")
    team.write("deploy/quarantine.yaml", manifests.EMPTY_QUARANTINE.decode())
    team.write("requirements/tensorflow.txt", "# the framework is left out of these tests\n")
    team.write(".gitignore", ".slipway/\n")
    team.write_model()
    git.run("add", "--all", cwd=team.root)
    git.run("commit", "--quiet", "--message", "Begin", cwd=team.root)
    git.run("push", "--quiet", "origin", "HEAD:main", cwd=team.root)
    return team


def copy_of(team: Team, folder: Path) -> Team:
    """The same team somewhere else, to change at will; all of its pages and images come along."""
    shutil.copytree(team.root.parent, folder, symlinks=True, dirs_exist_ok=True)
    copied = Team(folder / team.root.name, folder / team.bare.name)
    git.run("remote", "set-url", "origin", str(copied.bare), cwd=copied.root)
    return copied


def _become(name: str, folder: Path) -> None:
    settings = {"user.name": name, "user.email": f"{name.lower()}@example.org"}
    for key, value in {**settings, "commit.gpgSign": "false", "tag.gpgSign": "false"}.items():
        git.run("config", key, value, cwd=folder)


def source_of(identity: Identity, record: Record) -> Path:
    """The folder that a converter would be given."""
    if identity.origin is not None:
        return fetched_sources.lay_out(identity.origin, record, into=record.scratch("fetched"))
    return record.folder / identity.model_folder / identity.declaration.source


def _converted(record: Record, identity: Identity) -> Conversion:
    model = identity.declaration
    tip = tip_from(source_of(identity, record))
    scratch = record.scratch("conversion")
    samples = tables.read_batch(record.path(identity.samples), model.inputs)
    edges = edge_rows(model, samples)
    (scratch / "model.onnx").write_bytes(tip.onnx())

    def kept(name: str, batch: Batch) -> File:
        write_batch(scratch / name, batch)
        return record.keep(scratch / name, name=name)

    return Conversion(
        onnx=record.keep(scratch / "model.onnx", name="model.onnx"),
        framework=model.framework,
        tools={"numpy": np.__version__, "onnxruntime": onnx_session.version()},
        edges=kept("edges.npz", edges),
        sample_outputs=kept("outputs-samples.npz", tip.answers(samples)),
        edge_outputs=kept("outputs-edges.npz", tip.answers(edges)),
        edges_that_raised=(),
        noise_floor={"score": 1e-7},
    )


def _write(folder: Path, day: date, table: pa.Table, *, named: str) -> None:
    path = folder / f"date={day.isoformat()}" / f"{named}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
