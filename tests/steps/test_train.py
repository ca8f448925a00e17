"""A team's own script, run with the packages of its framework, as a person and an orchestrator run it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.errors import BadFile, TrainingFailed, UnknownModel
from slipway.steps import train

from tests.team import MODEL, Team

_TELLS = """
import os, sys
from pathlib import Path
Path("models/tip/source/told.txt").write_text("\\n".join([sys.prefix, os.getcwd(), *sys.argv[1:]]))
"""


@pytest.fixture(autouse=True)
def _environments(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path_factory.getbasetemp() / "of-training"))


def test_the_script_runs_at_the_root_with_what_it_is_given_and_the_packages_of_the_framework(team: Team) -> None:
    """As `python models/tip/train.py --through 2013-06` does in an environment that a person made by hand."""
    team.write(f"models/{MODEL}/train.py", _TELLS)

    train.run(MODEL, ["--through", "2013-06"], repository=team.workplace.repository)

    prefix, folder, *given = (team.folder / "source" / "told.txt").read_text().splitlines()
    assert Path(prefix).name.startswith("tensorflow-")
    assert (Path(folder), given) == (team.root, ["--through", "2013-06"])


def test_a_team_may_name_its_own_packages(team: Team) -> None:
    """Training reads data by libraries that no converter needs."""
    team.write(f"models/{MODEL}/train.py", _TELLS)
    team.write("requirements/of-our-data.txt", "# none today\n")

    own = team.root / "requirements" / "of-our-data.txt"
    train.run(MODEL, [], repository=team.workplace.repository, requirements=own)

    assert "of-our-data-" in (team.folder / "source" / "told.txt").read_text()


def test_packages_that_nobody_pinned_are_refused_with_what_pins_them(team: Team, tmp_path: Path) -> None:
    """It is a team's own file, which no command of the template compiles."""
    own = tmp_path / "own.txt"
    own.write_text("numpy\n")
    team.write(f"models/{MODEL}/train.py", _TELLS)

    with pytest.raises(BadFile, match=rf"{own} cannot be installed") as refused:
        train.run(MODEL, (), repository=team.workplace.repository, requirements=own)

    assert "uv pip compile --generate-hashes" in refused.value.mend


def test_a_script_that_fails_fails_the_command(team: Team, capfd: pytest.CaptureFixture[str]) -> None:
    """What would be checked next is the model of last month; the script's own words are shown."""
    team.write(f"models/{MODEL}/train.py", "raise SystemExit('no data for June')\n")

    with pytest.raises(TrainingFailed, match=r"models/tip/train\.py ended with 1"):
        train.run(MODEL, [], repository=team.workplace.repository)
    assert "no data for June" in capfd.readouterr().err


def test_a_model_without_a_script_is_not_trained(team: Team) -> None:
    """The mend says what it would have to do."""
    with pytest.raises(UnknownModel, match=r"models/tip/train\.py is not there"):
        train.run(MODEL, [], repository=team.workplace.repository)
