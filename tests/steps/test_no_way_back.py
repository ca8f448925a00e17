"""Where the version before cannot come back: production stays as it is, and an issue says why and what to do."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
import stamina
from slipway.adapters import deploy_tree
from slipway.cli import slipway
from slipway.domain.incident import Outcome, Reversion
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Page
from slipway.domain.release import Image
from slipway.domain.tag import ReleaseTag
from slipway.errors import NotReleasable, Unreachable
from slipway.steps import file_issue, revert_manifest

from tests.steps.conftest import WORSE
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_APRIL = date(2026, 4, 1)
_UNTIL = date(2026, 4, 14)


def lose_image(team: Team, version: str) -> None:
    """As when somebody clears old images out of the registry; no copy of it is at hand either."""
    image = team.history.page(ReleaseTag.parse(f"{MODEL}@{version}"), Image)
    assert image is not None
    repository = team.workplace.state / "registry" / MODEL
    index = json.loads((repository / "index.json").read_text())
    index["manifests"] = [one for one in index["manifests"] if one["digest"] != image.body.digest]
    (repository / "index.json").write_text(json.dumps(index))
    shutil.rmtree(team.workplace.layers)


def hold(team: Team, version: str, reason: str = "too slow") -> None:
    path = team.root / deploy_tree.QUARANTINE
    path.write_text(f"entries:\n  - {{model: tip, version: {version}, reason: {reason}, by: Ada}}\n")
    team.commit(f"Hold {version}")


def lost(team: Team, version: str = "v2.0.0", tip: Tip = WORSE) -> Team:
    """Two weeks in which the version before would have done better."""
    team.serve(version, days_from(_APRIL, 14), tip=tip)
    team.look(date(2026, 4, 7))
    team.look_only(_UNTIL)
    return team


def failing(team: Team) -> Team:
    """Five weeks, after which the labels of the last four say twice that the model is worse than allowed."""
    team.serve("v2.0.0", days_from(_APRIL, 35), tip=WORSE, truth=Tip(bias=-0.25))
    team.look(date(2026, 4, 28))
    return team


def revert(team: Team, until: date = _UNTIL) -> Page[Reversion] | None:
    return revert_manifest.run(team.window(until), means=Means.PULL_REQUEST, workplace=team.workplace)


def issue_of(team: Team, until: date = _UNTIL) -> tuple[str, str]:
    """Title and body, as somebody reads them."""
    filed = file_issue.run_on_window(team.window(until), forge=team.workplace.forge).body
    assert filed.number is not None
    issue = team.workplace.forge.issue(filed.number)
    return issue.title, issue.body


def runs(team: Team) -> str:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    return live.tag


# --- it cannot answer -----------------------------------------------------------------------------------------


def test_a_better_version_that_lacks_an_output_is_not_gone_back_to(live: Team) -> None:
    """Its F1 is higher, and every client that reads `odds` would break in the same minute."""
    newer = Tip(bias=0.1, with_odds=True)
    live.release(live.publish("tip@v2.0.0", newer, breaks="v2.0.0"))
    live.go_live("tip@v2.0.0", on=_APRIL)
    lost(live, tip=newer)

    evidence, verdicts, _ = live.look(_UNTIL)

    assert evidence.body.way_back.lacks == ("it does not answer `odds` (float32)",)
    assert evidence.body.window.previous is not None
    assert verdicts.body.outcome is Outcome.UNCLEAR
    assert revert(live) is None
    title, body = issue_of(live)
    assert "v1.0.0 would do better than v2.0.0" in title
    assert title.endswith("and there is no way back")
    assert "v1.0.0 cannot answer what is asked today: it does not answer `odds` (float32)" in body
    assert "release a mended version" in body
    assert (runs(live), live.workplace.forge.open_pulls()) == ("v2.0.0", [])


def test_a_version_that_asks_for_what_the_log_lost_is_not_asked(worse: Team) -> None:
    """What no request has it could not be answered from either."""
    worse.serve("v2.0.0", days_from(_APRIL, 7), tip=WORSE, logged=["kitchen"])

    evidence, verdicts, _ = worse.look(date(2026, 4, 7))

    assert evidence.body.window.previous is None
    assert evidence.body.way_back.lacks == ("it asks for `bill` (float32), which no request of this window had",)
    finding = next(one for one in verdicts.body.findings if one.gate == "previous_version")
    assert finding.measured == "it cannot answer these rows"


# --- its image is gone ----------------------------------------------------------------------------------------


def test_a_version_whose_image_is_gone_ends_in_an_issue(worse: Team) -> None:
    """The watch once broke off there, and nobody heard that the model is bad."""
    failing(worse)
    lose_image(worse, "v1.0.0")

    _, verdicts, _ = worse.look(date(2026, 5, 5))

    assert verdicts.body.outcome is Outcome.UNCLEAR
    title, body = issue_of(worse, date(2026, 5, 5))
    assert title == "tip, production: something is wrong with v2.0.0, and there is no way back"
    assert "there is no way back: v1.0.0 cannot be pulled: " in body
    assert "release the tag of v1.0.0 again, which restores its image" in body


def test_a_gone_image_is_noticed_while_all_is_well(newer: Team) -> None:
    """Somebody can restore it before it is needed; it is no incident by itself."""
    newer.serve("v1.1.0", days_from(_APRIL, 7), tip=Tip(weight=0.0201))
    lose_image(newer, "v1.0.0")

    evidence, verdicts, issue = newer.look(date(2026, 4, 7))

    assert evidence.body.way_back.gone
    assert (verdicts.body.outcome, issue.body.number) == (Outcome.QUIET, None)


def test_an_image_that_is_restored_is_asked_again(worse: Team) -> None:
    """The same window has another answer, then."""
    lost(worse)
    kept = worse.root.parent / "kept"
    shutil.copytree(worse.workplace.state / "registry", kept)
    lose_image(worse, "v1.0.0")
    without = worse.look_only(_UNTIL)[0]
    shutil.copytree(kept, worse.workplace.state / "registry", dirs_exist_ok=True)

    again = worse.look_only(_UNTIL)[0]

    assert (without.body.window.previous, without.body.way_back.gone != "") == (None, True)
    assert again.body.window.previous is not None
    assert again.body.way_back.gone == ""


def test_an_image_that_went_after_the_verdict_changes_nothing_and_is_told(worse: Team) -> None:
    """A manifest that names what nobody can pull leaves no version running."""
    lost(worse)
    lose_image(worse, "v1.0.0")

    page = revert(worse)

    assert page is not None
    assert (page.body.pull, page.body.commit) == (None, "")
    assert page.body.no_way_back.startswith("tip@v1.0.0 cannot be pulled: ")
    title, body = issue_of(worse)
    assert "v1.0.0 would do better than v2.0.0" in title
    assert title.endswith("and there is no way back")
    assert "Nothing was changed: tip" in body
    assert "**Next:** release the tag of v1.0.0 again, which restores its image" in body
    assert (runs(worse), worse.workplace.forge.open_pulls()) == ("v2.0.0", [])


def test_the_command_says_that_nothing_went_back(
    worse: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its log is the first thing that somebody opens after the issue."""
    lost(worse)
    lose_image(worse, "v1.0.0")
    monkeypatch.chdir(worse.root)

    words = ["revert-manifest", MODEL, "--environment", ENVIRONMENT, "--until", _UNTIL.isoformat()]
    slipway.main(words, standalone_mode=False)

    said = capsys.readouterr().out
    assert "tip in production stays at v2.0.0, though v1.0.0 would do better: tip@v1.0.0 cannot be pulled" in said


def test_a_layer_that_is_gone_is_seen_behind_a_manifest_that_is_there(worse: Team) -> None:
    """The engine pulls all layers, and we keep a copy of one."""
    lost(worse)
    image = worse.history.page(ReleaseTag.parse("tip@v1.0.0"), Image)
    assert image is not None
    blobs = worse.workplace.state / "registry" / MODEL / "blobs" / "sha256"
    layers = json.loads((blobs / image.body.digest.removeprefix("sha256:")).read_text())["layers"]
    (blobs / layers[-1]["digest"].removeprefix("sha256:")).unlink()

    page = revert(worse)

    assert page is not None
    assert "is not in the registry" in page.body.no_way_back


def test_what_stood_in_the_way_is_looked_at_again(worse: Team) -> None:
    """Somebody restores the image and starts the run again: the way back is gone then."""
    lost(worse)
    kept = worse.root.parent / "kept"
    shutil.copytree(worse.workplace.state / "registry", kept)
    lose_image(worse, "v1.0.0")
    first, second = revert(worse), revert(worse)
    shutil.copytree(kept, worse.workplace.state / "registry", dirs_exist_ok=True)

    third = revert(worse)

    assert first == second
    assert third is not None
    assert (third.body.pull is not None, third.body.no_way_back) == (True, "")


def test_a_registry_that_does_not_answer_is_an_error_and_no_reason(worse: Team) -> None:
    """Nobody knows whether the image is gone: run again."""
    lost(worse)
    worse.edit("slipway.yaml", "layout:.slipway/registry", "127.0.0.1:1/acme")

    with stamina.set_testing(True, attempts=6, cap=True):  # it is asked as often, and nobody waits in between
        with pytest.raises(Unreachable):
            revert(worse)
        with pytest.raises(Unreachable):
            worse.look_only(_UNTIL)

    assert worse.window(_UNTIL).latest(Reversion) is None
    assert runs(worse) == "v2.0.0"


# --- quarantine -----------------------------------------------------------------------------------------------


def test_a_version_that_was_held_after_the_verdict_is_not_gone_back_to(worse: Team) -> None:
    """A person was faster than the watch, and knew more."""
    hold(lost(worse), "v1.0.0")

    page = revert(worse)

    assert page is not None
    assert page.body.no_way_back == "tip@v1.0.0 is quarantined by Ada: too slow"
    assert "let an owner take the entry out of deploy/quarantine.yaml" in issue_of(worse)[1]
    assert runs(worse) == "v2.0.0"


def test_without_any_version_to_go_back_to_the_issue_says_who_holds_them(worse: Team) -> None:
    """`There is no version before` would send somebody looking for what they know to be there."""
    hold(worse, "v1.0.0")
    failing(worse)

    evidence, verdicts, _ = worse.look(date(2026, 5, 5))

    assert evidence.body.way_back.held == ("v1.0.0 is quarantined by Ada: too slow",)
    assert verdicts.body.outcome is Outcome.UNCLEAR
    title, body = issue_of(worse, date(2026, 5, 5))
    assert title == "tip, production: something is wrong with v2.0.0, and there is no way back"
    assert "there is no way back: v1.0.0 is quarantined by Ada: too slow" in body
    assert "or let an owner take an entry out of deploy/quarantine.yaml" in body


def test_reverting_twice_ends_in_an_issue(worse: Team) -> None:
    """The version that was left does not come back as the mend of the one that replaced it."""
    page = revert_manifest.run(lost(worse).window(_UNTIL), means=Means.COMMIT, workplace=worse.workplace)
    assert page is not None
    worse.look(_UNTIL)
    worse.note_rollout("tip@v1.0.0", on=date(2026, 4, 15))
    worse.serve("v1.0.0", days_from(date(2026, 4, 15), 35), truth=Tip(bias=-0.25))
    worse.look(date(2026, 5, 12))

    evidence, verdicts, _ = worse.look(date(2026, 5, 19))

    assert (runs(worse), evidence.body.back_to) == ("v1.0.0", None)
    assert verdicts.body.outcome is Outcome.UNCLEAR
    title, body = issue_of(worse, date(2026, 5, 19))
    assert title == "tip, production: something is wrong with v1.0.0, and there is no way back"
    assert "there is no way back: v2.0.0 is quarantined by slipway watch: " in body


def test_a_person_is_told_what_stands_in_the_way(newer: Team) -> None:
    """At night nobody looks into the registry before they go back."""
    lose_image(newer, "v1.0.0")

    with pytest.raises(NotReleasable, match="cannot be pulled") as caught:
        newer.go_back("v1.0.0")

    assert "release the tag of v1.0.0 again" in caught.value.mend


def test_the_copy_at_hand_does_not_hide_that_the_image_is_gone(worse: Team) -> None:
    """A machine of the team keeps models; the cluster pulls from the registry."""
    lost(worse)
    copies: Path = worse.root.parent / "copies"
    shutil.copytree(worse.workplace.layers, copies)
    lose_image(worse, "v1.0.0")
    shutil.copytree(copies, worse.workplace.layers, dirs_exist_ok=True)

    assert worse.look_only(_UNTIL)[0].body.way_back.gone
