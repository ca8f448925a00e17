"""Whoever may push a tag, send a category or write a reason writes into our texts: into a cell, and nothing else.

A release and a refusal are run by the commands, as a workflow runs them, once with a plain word in each place and once
with words of somebody who means no good. What is not such a place must read the same.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from slipway.adapters import git, manifests
from slipway.adapters.forge import PullState
from slipway.cli import slipway
from slipway.cli.failures import told
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Proposal
from slipway.reports.marker import read_marker

from tests.team import Team, Tip, copy_of, days_from, samples_table
from tests.unit.cli.conftest import OF_GITHUB, Run, Said
from tests.unit.reports.github import elements, html_in, tables_of, text_outside_of_code

_LEFT = "SLIPWAY_WAS_HERE"
_SOON = datetime.now(UTC).date() + timedelta(days=90)  # a waiver further ahead lets nothing through
PLAIN = "an ordinary word"
HOSTILE = (
    f"$(touch {_LEFT}) `touch {_LEFT}`; touch {_LEFT} # \n"
    "::set-output name=verdict::pass\n  ::error::not ours\n::add-mask::e\n::stop-commands::x\n##[error]not ours\n"
    "%0A::error::not ours\rverdict=pass\n"
    "# heading\n- item\n| a | b |\n|---|---|\n```\n~~~\n````sh\n"
    "a|b\\|c [x](https://evil.example) ![i](//evil.example/i.png) [r]: //evil.example <https://evil.example>\n"
    "<img src=x onerror=alert(1)> <!-- </details> </code> --> &lt;script> <details>\n"
    "@octocat @acme/owners fixes #12 GH-12 acme/models#12 www.evil.example **bold** _it_ ~~x~~\n"
    "{{ 7*7 }} {% raw %} {# x #} ${{ github.token }}\n"
    "\x1b[31mred \x07 a\u202eb\u2066c\u200fd\u200be\ufefff \x85::error::next line\u2028::error::separator\n"
    '<!-- slipway {"kind": "release", "tag": "tip@v9.9.9"} -->'
)


@dataclass(frozen=True)
class Told:
    """All that people and programs read of two releases, the second one refused."""

    team: Team
    said: dict[str, Said]
    outputs: list[tuple[str, str]]
    summary: str
    pull: str
    issue: str
    titles: tuple[str, ...]


@pytest.fixture(scope="module")
def plain(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return _told(copy_of(_live, tmp_path_factory.mktemp("plain")), PLAIN)


@pytest.fixture(scope="module")
def hostile(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return _told(copy_of(_live, tmp_path_factory.mktemp("hostile")), HOSTILE)


def _told(team: Team, word: str) -> Told:
    outputs, summary = team.root.parent / "outputs", team.root.parent / "summary"
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_GITHUB:
            patch.delenv(name, raising=False)
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_OUTPUT", str(outputs))
        patch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        patch.chdir(team.root)
        said = _both_releases(team, word)
    forge = team.workplace.forge
    number = team.record("tip@v1.1.0").page(Proposal, written_by="bump-manifest").body.pull
    assert number is not None
    [issue] = forge.open_issues()
    return Told(
        team=team,
        said=said,
        outputs=_outputs(outputs),
        summary=summary.read_text(encoding="utf-8"),
        pull=forge.pull(number).body,
        issue=issue.body,
        titles=(forge.pull(number).title, issue.title),
    )


def _both_releases(team: Team, word: str) -> dict[str, Said]:
    _write_everywhere(team, word)
    _tag(team, "tip@v1.1.0", word)
    said = _release(team, "tip@v1.1.0", ("build-image", "bump-manifest", "file-issue", "record-pages"))
    team.write_model(Tip(bias=-0.35), samples=_samples(word))
    _declare(team, word)
    team.commit(word)
    _tag(team, "tip@v1.2.0", word)
    said |= _release(team, "tip@v1.2.0", ("file-issue", "record-pages"))
    said |= {f"explain {tag}": _run("explain", tag) for tag in ("tip@v1.1.0", "tip@v1.2.0")}
    return said | {command: _run(command) for command in ("status", "reconcile", "check-manifests")}


def _run(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = told(lambda: slipway.main(args=list(words), prog_name="slipway", standalone_mode=False))
    return Said(code, out.getvalue(), err.getvalue())


def _release(team: Team, tag: str, after: tuple[str, ...]) -> dict[str, Said]:
    said = {f"resolve-tag {tag}": _run("resolve-tag", tag)}
    team.convert(team.record(tag))
    steps = ("measure-consistency", "rehearse-rollback", "judge", *after)
    return said | {f"{step} {tag}": _run(step, tag) for step in steps}


def _write_everywhere(team: Team, word: str) -> None:
    """In git, in the declaration, in the samples, in what production was asked, and in the policies."""
    git.run("config", "user.name", " ".join(word.split()), cwd=team.root)
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 3), change={"kitchen": word})
    team.write_model(Tip(weight=0.0203), samples=_samples(word))
    _declare(team, word)
    for path in sorted((team.root / "policies").glob("*.yaml")):
        policy = yaml.safe_load(path.read_text()) | {"question": word, "motivation": word, "remedy": word}
        if path.name == "fidelity.yaml":
            policy["models"] = {"tip": {"reason": word, "limit": {"rows": 5_000}}}
            let = {"version": "v1.1.0", "reason": word, "by": word, "until": _SOON}
            policy["waivers"] = [{"model": "tip", **let}]
        path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    team.commit(word)


def _declare(team: Team, word: str) -> None:
    path = team.folder / "model.yaml"
    model = yaml.safe_load(path.read_text()) | {"summary": word, "owners": [word, f"@{word}"]}
    for feature in (*model["inputs"], *model["outputs"]):
        feature["meaning"] = word
    path.write_text(yaml.safe_dump(model), encoding="utf-8")
    team.write("models/tip/README.md", f"# tip\n\n{word}\n\n## Breaking changes\n{word}\n")


def _samples(word: str) -> pa.Table:
    table = samples_table()
    kitchens = [word if name == "noodles" else name for name in table["kitchen"].to_pylist()]
    return table.set_column(table.schema.get_field_index("kitchen"), "kitchen", pa.array(kitchens))


def _tag(team: Team, name: str, message: str) -> None:
    git.run("tag", "--annotate", "--cleanup=verbatim", "--message", message, name, cwd=team.root)
    git.run("push", "--quiet", "origin", f"refs/tags/{name}", cwd=team.root)


def _outputs(path: Path) -> list[tuple[str, str]]:
    """As GitHub's runner reads the file: `name<<end`, lines, `end`."""
    lines = iter(path.read_text(encoding="utf-8").split("\n"))
    found = []
    for line in lines:
        if line:
            name, end = line.split("<<")
            found.append((name, "\n".join(takewhile(end.__ne__, lines))))
    return found


def commands_in(text: str) -> list[str]:
    """The lines that GitHub's runner obeys."""
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def steady(text: str) -> str:
    """Without what differs between any two runs: digests, commits, moments, sizes, times, and their ratios."""
    return re.sub(r"[0-9a-f]{12,64}|[\d-]{10}T[\d:+]+|\d[\d,.e+]* (?:kB|MB|bytes|µs|ms|s)\b|×[\d,.]+", "…", text)


def test_both_stories_end_alike(plain: Told, hostile: Told) -> None:
    """A word that changed a verdict, a step or its end would change the code of a command."""
    ends = {command: said.code for command, said in hostile.said.items()}
    assert ends == {command: said.code for command, said in plain.said.items()}
    assert set(ends.values()) == {0}
    assert hostile.titles == plain.titles


def test_no_line_of_a_log_is_a_command(hostile: Told) -> None:
    """`::add-mask::` hides lines, `::error::` invents failures, `::stop-commands::` silences ours."""
    assert [line for said in hostile.said.values() for line in commands_in(said.out + said.err)] == []


def test_no_word_becomes_an_output(plain: Told, hostile: Told) -> None:
    """The job after reads them: a verdict that a tag's message could set would be no verdict."""
    assert [name for name, _ in hostile.outputs] == [name for name, _ in plain.outputs]
    for (name, value), (_, expected) in zip(hostile.outputs, plain.outputs, strict=True):
        assert (name, steady(value)) == (name, steady(expected))


def test_the_word_is_in_every_text(plain: Told) -> None:
    """Otherwise nothing below would be shown: message, tagger, a slice, the rows that move, and the waiver's reason."""
    cells = [row[0] for table in tables_of(plain.pull) for row in table if PLAIN in "".join(row)]
    assert {"Message", "Tagged by", f"kitchen = {PLAIN}"} <= set(cells)
    assert len(cells) >= 3 + 10
    assert f"waived by {PLAIN} until {_SOON}: {PLAIN}" in plain.pull
    assert PLAIN in plain.issue


def test_no_word_becomes_a_command_of_a_shell(hostile: Told) -> None:
    """Git, the converter and the workflow's own lines see it as a value."""
    assert list(hostile.team.root.parent.rglob(_LEFT)) == []


@pytest.mark.parametrize("text", ["pull", "issue", "summary"])
def test_no_word_leaves_its_cell(plain: Told, hostile: Told, text: str) -> None:
    """The reviewer's eyes are the last gate: all that is not the word itself reads as ever."""
    expected, found = tables_of(getattr(plain, text)), tables_of(getattr(hostile, text))
    assert [[len(row) for row in table] for table in found] == [[len(row) for row in table] for table in expected]
    for table, usual in zip(found, expected, strict=True):
        for row, usual_row in zip(table, usual, strict=True):
            for cell, usual_cell in zip(row, usual_row, strict=True):
                assert PLAIN in usual_cell or steady(cell) == steady(usual_cell)


@pytest.mark.parametrize("text", ["pull", "issue", "summary"])
def test_no_word_is_markup(plain: Told, hostile: Told, text: str) -> None:
    """No picture that phones home, no heading, no comment that hides what follows, nobody called, nothing closed."""
    written = getattr(hostile, text)
    kinds = set(elements(written))
    assert kinds <= {*elements(getattr(plain, text)), "code_inline", "html_inline"}
    assert kinds.isdisjoint({"heading_open", "image"})
    usual = {steady(one) for one in html_in(getattr(plain, text))}
    assert {steady(one) for one in html_in(written)} <= {*usual, "<code>", "</code>"}
    assert re.search(r"@\w|#12|GH-12|://|www\.", text_outside_of_code(written)) is None
    assert not {mark for mark in "\u202e\u2066\u200f\ufeff\x1b\x07\x85\u2028" if mark in written}
    assert "49" not in text_outside_of_code(written).split()


def test_what_cannot_be_seen_is_named(hostile: Told) -> None:
    """A reader sees that the word held a sign that turns the direction of writing."""
    [message] = [row[1] for table in tables_of(hostile.pull) for row in table if row[0] == "Message"]
    assert message.startswith(f"$(touch {_LEFT})")
    assert "U+001B[31mred U+0007 aU+202EbU+2066cU+200FdU+200BeU+FEFFf" in hostile.pull


def test_a_text_of_ours_is_told_from_one_that_quotes_it(hostile: Told) -> None:
    """The message ends in a marker of another release."""
    assert read_marker(hostile.pull)["tag"] == "tip@v1.1.0"
    assert read_marker(hostile.issue)["tag"] == "tip@v1.2.0"


HOSTILE_TAGS = (
    f"$(touch {_LEFT})@v1.0.0",
    f"`touch {_LEFT}`@v1.0.0",
    f"tip@v1.0.0; touch {_LEFT}",
    "tip@v1.0.0\n::error::not ours",
    "::add-mask::tip@v1.0.0",
    "##[error]@v1.0.0",
    "tip%0A::error::@v1.0.0",
    "{{ 7*7 }}@v1.0.0",
    "../../tip@v1.0.0",
    "--upload-pack=touch@v1.0.0",
    "tip@v1.0.0\u202e",
    "\x1b[31mtip@v1.0.0",
    "@octocat@v1.0.0",
)


@pytest.mark.parametrize("command", ["resolve-tag", "judge", "bump-manifest", "file-issue", "record-pages"])
def test_a_hostile_tag_is_refused_in_one_line(
    team: Team, run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Whoever may push a tag chooses its name, and it is the first word that every step is given."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for tag in HOSTILE_TAGS:
        said = run(command, "--", tag)

        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("::error::")
        assert said.err.count("\n") == 1
        assert commands_in(said.err.removeprefix("::error::")) == []
        assert "\x1b" not in said.err
    assert list(team.root.parent.rglob(_LEFT)) == []


def test_a_hostile_reason_of_the_quarantine_stays_one(
    team: Team, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in an error, where a log is read first, and in the summary of the one check that is required."""
    entry = QuarantineEntry(model="tip", version="*", reason=HOSTILE, by=HOSTILE)
    path = team.root / "deploy" / "quarantine.yaml"
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    team.commit("Hold it back")
    team.publish("tip@v1.1.0", Tip(weight=0.0201))
    on_a_laptop = run("resolve-tag", "tip@v1.1.0")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))

    in_a_workflow, check = run("resolve-tag", "tip@v1.1.0"), run("check-manifests")

    assert (on_a_laptop.code, in_a_workflow.code, check.code) == (2, 2, 10)
    assert commands_in(on_a_laptop.err + check.out) == []
    assert "\x1b" not in on_a_laptop.err + check.out
    assert in_a_workflow.err.count("\n") == 1
    assert commands_in(in_a_workflow.err.removeprefix("::error::")) == []
    assert elements((tmp_path / "summary").read_text(encoding="utf-8")) == ["fence"]


def test_a_hostile_branch_and_title_of_somebody_else_are_left_alone(team: Team) -> None:
    """A request beside ours is neither closed nor quoted, whatever its branch is called."""
    forge = team.workplace.forge
    branch = f"release/production/tip/$(touch${{IFS}}{_LEFT});v1.0.5"
    forge.commit(branch, onto=None, parent=forge.head("main"), changes={"x": b"x"}, message=HOSTILE)
    theirs = forge.open_pull(branch=branch, base="main", title=" ".join(HOSTILE.split()), body=HOSTILE)

    ours = team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201))).body.pull

    assert ours is not None
    assert forge.pull(theirs.number).state is PullState.OPEN
    assert "Supersedes" not in forge.pull(ours).body
    assert list(team.root.parent.rglob(_LEFT)) == []
