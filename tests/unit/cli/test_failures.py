"""How a command ends: a code for every meaning, and no traceback for the reader."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from slipway.adapters import git
from slipway.cli.failures import told
from slipway.errors import BadFile, Unreachable

from tests.team import Team, Tip, samples_table
from tests.unit.cli.conftest import Run


def raising(error: BaseException) -> int:
    def command() -> None:
        raise error

    return told(command)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadFile("bad", mend="mend it"), 2),
        (Unreachable("gone", mend="run again"), 12),
        (click.UsageError("which?"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (RuntimeError("oops"), 1),
    ],
)
def test_each_way_to_end_has_its_code(error: BaseException, code: int) -> None:
    """Scripts and schedules decide by it whether to run again."""
    assert raising(error) == code


def test_an_expected_failure_says_what_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: stdout holds results alone."""
    raising(BadFile("a.yaml, line 3: unknown key `flor`", mend="did you mean `floor`?"))

    printed = capsys.readouterr()
    assert printed.err == "a.yaml, line 3: unknown key `flor`\n  mend: did you mean `floor`?\n"
    assert printed.out == ""


def test_in_a_workflow_a_failure_is_an_annotation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, in which a percent sign of the text stays one, and a line of it is no command."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    raising(BadFile("100%0Aof it", mend="mend\r\n::it ##[group]"))

    assert capsys.readouterr().err == "::error::100%250Aof it%0A  mend: mend%0A: :it # #[group]\n"


def test_success_and_a_result_are_told_apart() -> None:
    """A command that returns nothing has passed."""
    assert told(lambda: None) == 0
    assert told(lambda: 11) == 11


# --- through the commands -----------------------------------------------------------------------------------


def test_a_tag_that_is_none_can_be_mended(run: Run) -> None:
    """The code 2 says: in the repository, by you."""
    said = run("resolve-tag", "tip@v1")

    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("mend: git tag -d tip@v1, then for example git tag -a tip@v1.0.0\n")


def test_a_model_that_is_undeclared_is_named(run: Run) -> None:
    """With those that are."""
    said = run("check", "tipp")

    assert said.code == 2
    assert "models/tipp/model.yaml does not exist; declared models: tip" in said.err


@pytest.mark.parametrize("words", [("status", "--no-such-option"), ("judge", "tip", "--until", "tomorrow"), ("nope",)])
def test_wrong_words_are_usage(run: Run, words: tuple[str, ...]) -> None:
    """As with every other command of a shell."""
    assert run(*words).code == 2


def test_an_environment_that_is_not_declared_is_told_with_those_that_are(run: Run) -> None:
    """A typing error must not make a second production."""
    said = run("measure-drift", "tip", "--environment", "prod")

    assert said.code == 2
    assert "`prod` is none of slipway.yaml's environments: production" in said.err


def test_a_passed_failed_and_open_verdict_have_three_codes(team: Team, run: Run) -> None:
    """`It is bad` and `nobody knows` are different mornings."""
    codes = [run("judge", "tip@v1.0.0").code]
    for tag, tip in (("tip@v1.1.0", Tip(bias=-0.35)), ("tip@v1.2.0", Tip(weight=0.0201))):
        if tip.bias == 0:
            team.write_model(tip, samples=samples_table(days=4))
        team.measure(team.publish(tag, tip))
        codes.append(run("judge", tag).code)

    assert codes == [0, 10, 11]


def test_an_origin_that_does_not_answer_is_not_our_reader_to_mend(team: Team, run: Run) -> None:
    """Run again: the network may be back."""
    git.run("config", "remote.origin.uploadpack", "false", cwd=team.root)

    said = run("resolve-tag", "tip@v1.0.0")

    assert said.code == 12
    assert "git fetch: the remote did not give what was asked" in said.err


def test_a_defect_is_one_line_and_a_file_with_the_rest(team: Team, run: Run) -> None:
    """Nobody reads forty lines of our code at night; whoever reports it sends the file."""
    (team.root / ".slipway" / "checks").mkdir(exist_ok=True)
    (team.root / ".slipway" / "checks" / "tip").write_text("a file where a folder belongs")

    said = run("check", "tip")

    named = re.search(r"mend: report it with (\S+)", said.err)
    assert said.code == 1
    assert "a defect of Slipway: " in said.err
    assert "Traceback" not in said.err + said.out
    assert named is not None
    assert "Traceback" in Path(named[1]).read_text()
    Path(named[1]).unlink()


def test_a_damaged_page_is_no_defect_but_a_file_to_delete(team: Team, run: Run) -> None:
    """It is named, with what brings it back."""
    (team.record("tip@v1.0.0").folder / "evidence.1.json").write_bytes(b"\x00")

    said = run("judge", "tip@v1.0.0")

    assert said.code == 2
    assert "evidence.1.json is no JSON" in said.err
    assert "mend: delete the file and run its step again" in said.err


def test_a_reader_that_leaves_early_is_no_failure(team: Team) -> None:
    """`slipway reconcile | head -0`."""
    command = f"{sys.executable} -c 'from slipway.cli import main; main()' status --json"

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} | true"], capture_output=True, text=True, check=False
    )

    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_ctrl_c_stops_with_the_code_of_a_shell(team: Team) -> None:
    """A real process, in the middle of a real command that waits for git."""
    slow = team.root / "slow.sh"
    slow.write_text("#!/bin/sh\ntouch started\nsleep 60\n")
    slow.chmod(0o755)
    git.run("config", "remote.origin.uploadpack", str(slow), cwd=team.root)
    process = subprocess.Popen(
        [sys.executable, "-c", "from slipway.cli import main; main()", "resolve-tag", "tip@v1.0.0"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list(team.root.parent.rglob("started")) and process.poll() is None:
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert process.returncode == 130
    assert err.endswith("stopped; run the same command again to go on\n")
