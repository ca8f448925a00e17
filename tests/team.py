"""A team with a repository of its own and one tiny model, to release and watch for real.

Git, forge, registry and onnxruntime are the real ones. Only the framework is left out: `tip` is a line and a table,
kept as JSON under source/, and `Team.convert` writes the page that `convert-to-onnx` would write, from numpy's answers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx.parser
import pyarrow as pa
import pyarrow.parquet as pq
from slipway.adapters import git, onnx_session, tables
from slipway.adapters.history import History
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.converters.batches import write_batch
from slipway.converters.canonical import canonical, serialise
from slipway.domain.edge_rows import edge_rows
from slipway.domain.incident import IncidentVerdicts, IssueFiled, WindowEvidence
from slipway.domain.pages import File, Page, digest_of
from slipway.domain.release import Conversion, Identity, Image, Proposal, Rollout, Verdicts
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
)

ROOT = Path(__file__).resolve().parents[1]
MODEL = "tip"
ENVIRONMENT = "production"
TODAY = date(2026, 6, 1)
DAYS = 25
ROWS_A_DAY = 60
FIRST_DAY = date(2026, 1, 1)
KITCHENS = ("grill", "noodles", "pizza", "salads")
_RISK = {"grill": 0.05, "noodles": 0.0, "pizza": -0.05, "salads": 0.1}
_INPUTS = {
    "bill": "{name: bill, dtype: float32, meaning: Sum on the bill}",
    "kitchen": "{name: kitchen, dtype: string, meaning: Kitchen that cooked}",
    "guests": "{name: guests, dtype: float32, meaning: People at the table}",
}
_ONNX = """
<ir_version: 9, opset_import: ["" : 17, "ai.onnx.ml" : 3]>
tip (INPUTS) => (float[N,1] score)
<float[1] weight = {WEIGHT}, float[1] bias = {BIAS}, float[1] limit = {LIMIT}, float[1] nothing = {0.0}>
{
    risk = ai.onnx.ml.LabelEncoder <
        keys_strings: strings = ["grill", "noodles", "pizza", "salads"],
        values_floats: floats = [0.05, 0.0, -0.05, 0.1], default_float: float = 0.0
    > (kitchen)
    rise = Mul (bill, weight)
    risen = Add (rise, bias)
    GUESTS
    sum = Add (seated, risk)
    LAST
}
"""


@dataclass(frozen=True, slots=True)
class Tip:
    """One version of the model: score = bill x weight + bias + risk of the kitchen, a tip from 0.5 on."""

    weight: float = 0.02
    bias: float = 0.0
    inputs: tuple[str, ...] = ("bill", "kitchen")
    nan_above: float | None = None
    threshold: float = 0.5

    def answers(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """What the source answers, in numpy."""
        one = np.float32
        risk = np.array([[_RISK.get(str(name), 0.0)] for name in batch["kitchen"].ravel()], one)
        with np.errstate(all="ignore"):
            score = batch["bill"] * one(self.weight) + one(self.bias)
            if "guests" in self.inputs:
                score = score + batch["guests"] * one(0.0)
            score = score + risk
            if self.nan_above is not None:
                score = score + np.log(one(self.nan_above) - batch["bill"]) * one(0.0)
        return {"score": score.astype(one)}

    def onnx(self) -> bytes:
        inputs = {"bill": "float[N,1] bill", "kitchen": "string[N,1] kitchen", "guests": "float[N,1] guests"}
        text = _ONNX.replace("INPUTS", ", ".join(inputs[name] for name in self.inputs))
        text = text.replace("WEIGHT", str(self.weight)).replace("BIAS", str(self.bias))
        text = text.replace("LIMIT", str(self.nan_above or 0.0))
        with_guests = "unfelt = Mul (guests, nothing) seated = Add (risen, unfelt)"
        text = text.replace("GUESTS", with_guests if "guests" in self.inputs else "seated = Identity (risen)")
        with_hole = "left = Sub (limit, bill) hole = Log (left) none = Mul (hole, nothing) score = Add (sum, none)"
        text = text.replace("LAST", with_hole if self.nan_above is not None else "score = Identity (sum)")
        model = onnx.parser.parse_model(text)
        return serialise(canonical(model, inputs=list(self.inputs), outputs=["score"]))

    def declaration(self) -> str:
        inputs = "\n".join(f"  - {_INPUTS[name]}" for name in self.inputs)
        return (
            f"name: {MODEL}\nsummary: Will a table leave a tip?\nframework: tensorflow\nsource: source\n"
            f'owners: ["@waiters"]\ninputs:\n{inputs}\n'
            "outputs:\n  - {name: score, dtype: float32, meaning: How likely a tip is}\n"
            f"decision: {{output: score, threshold: {self.threshold}}}\n"
            "samples: {path: samples/tables.parquet, time: time, label: tip}\n"
        )

    def as_json(self) -> str:
        told = {"weight": self.weight, "bias": self.bias, "inputs": self.inputs, "nan_above": self.nan_above}
        return json.dumps({**told, "threshold": self.threshold}, indent=1)


def tip_from(folder: Path) -> Tip:
    told = json.loads((folder / "weights.json").read_text())
    return Tip(**{**told, "inputs": tuple(told["inputs"])})


def guests_of(day: date, rows: int = ROWS_A_DAY) -> dict[str, npt.NDArray[Any]]:
    """What a day looks like, the same each time; `tip` is what came of it."""
    random = np.random.default_rng(day.toordinal())
    bill = random.uniform(2, 48, rows).astype(np.float32)
    kitchen = random.choice(KITCHENS, rows).astype(object)
    risk = np.array([_RISK[name] for name in kitchen])
    tip = bill * 0.02 + risk + random.normal(0, 0.05, rows) >= 0.5
    guests = random.integers(1, 9, rows).astype(np.float32)
    return {"bill": bill, "kitchen": kitchen, "guests": guests, "tip": tip}


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def samples_table(*, days: int = DAYS, rows: int = ROWS_A_DAY) -> pa.Table:
    parts = []
    for day in days_from(FIRST_DAY, days):
        columns: dict[str, Any] = dict(guests_of(day, rows))
        columns["time"] = pa.array([datetime.combine(day, time(12, tzinfo=UTC))] * rows, pa.timestamp("us", tz="UTC"))
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


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

    def write_model(self, tip: Tip = Tip(), *, breaks: str | None = None, samples: pa.Table | None = None) -> None:
        """Put one version of the model into the working tree; `breaks` is the version whose break the card states."""
        self.write(f"models/{MODEL}/model.yaml", tip.declaration())
        self.write(f"models/{MODEL}/source/weights.json", tip.as_json())
        stated = f"\n## Breaking changes\n### {breaks}\nClients must send guests.\n" if breaks else ""
        self.write(f"models/{MODEL}/README.md", f"# {MODEL}\nA line and a table.\n{stated}")
        (self.folder / "samples").mkdir(exist_ok=True)
        if samples is not None or not (self.folder / "samples" / "tables.parquet").exists():
            pq.write_table(samples_table() if samples is None else samples, self.folder / "samples" / "tables.parquet")

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

    def publish(self, name: str, tip: Tip = Tip(), *, breaks: str | None = None, message: str = "Change tip") -> str:
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
        }
        return record.once(Conversion, reads=reads, make=lambda: _converted(record, identity))

    def measure(self, tag: str) -> Record:
        """All steps before the verdict."""
        record = self.record(tag)
        resolve_tag.run(tag, workplace=self.workplace)
        self.convert(record)
        measure_consistency.run(record)
        rehearse_rollback.run(record, environment=ENVIRONMENT)
        return record

    def judge(self, record: Record, *, today: date = TODAY) -> Page[Verdicts]:
        repository = self.workplace.repository
        return judge.run(
            record, policies=repository.policies(), policies_digest=repository.policies_digest(), today=today
        )

    def up_to_verdicts(self, tag: str) -> Page[Verdicts]:
        return self.judge(self.measure(tag))

    def propose(self, tag: str) -> Page[Proposal]:
        """Image and pull request of what was judged."""
        build_image.run(self.record(tag), workplace=self.workplace)
        return bump_manifest.run(self.record(tag), environment=ENVIRONMENT, workplace=self.workplace)

    def record_pages(self, tag: str) -> str | None:
        return record_pages.run(self.record(tag), tag=ReleaseTag.parse(tag), ledger=self.workplace.ledger)

    def release(self, tag: str) -> Page[Proposal]:
        """Every step of a release that does not fail."""
        self.up_to_verdicts(tag)
        proposal = self.propose(tag)
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

    def serve(
        self,
        version: str,
        days: Sequence[date],
        *,
        tip: Tip = Tip(),
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
        issue = file_issue.run_on_window(self.window(until), forge=self.workplace.forge)
        record_pages.run_on_window(self.window(until), ledger=self.workplace.ledger)
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
    for name in ("policies", "serving"):
        shutil.copytree(ROOT / name, team.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    team.edit("policies/fidelity.yaml", "rows: 20000", "rows: 1000")  # as many as the model has
    for name in ("slipway.yaml", "deploy/quarantine.yaml"):
        team.write(name, (ROOT / name).read_text(encoding="utf-8"))
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


def _converted(record: Record, identity: Identity) -> Conversion:
    model = identity.declaration
    tip = tip_from(record.folder / identity.model_folder / model.source)
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
