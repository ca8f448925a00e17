"""`explain` is asked when something is down: it answers from one clone, and says how old that is and what it lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.adopted import Adoption
from slipway.adapters.clone import Clone
from slipway.domain.explanation import Explanation, Standing
from slipway.domain.tag import ReleaseTag
from slipway.errors import CannotExplain
from slipway.reports.explanation import explanation_text
from slipway.steps import adopt, record_pages

from tests.steps.test_explain import image_of, told
from tests.steps.test_verify_rollout import merged
from tests.team import Team, Tip

_NO_NETWORK = """
import sys
def refuse(event, arguments):
    asks = event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
    fetches = event == "subprocess.Popen" and {"fetch", "ls-remote", "pull", "clone"} & set(map(str, arguments[1]))
    if asks or fetches:
        raise AssertionError(f"asked a network: {event} {arguments}")
sys.addaudithook(refuse)
from slipway.cli import main
main()
"""


def fetched(team: Team) -> Team:
    """A clone whose remote is on GitHub, as it was fetched last; nobody can be asked."""
    git.run("fetch", "--quiet", "--tags", "origin", cwd=team.root)
    git.run("remote", "set-url", "origin", "https://github.com/waiters/tip.git", cwd=team.root)
    return team


# --- without a network --------------------------------------------------------------------------------------


def test_it_answers_while_forge_and_registry_are_unreachable(newer: Team, tmp_path: Path) -> None:
    """It is asked when something is broken, on a train, or after GitHub went down."""
    newer.edit("slipway.yaml", "layout:.slipway/registry", "127.0.0.1:9/waiters")
    fetched(newer)
    newer.bare.rename(tmp_path / "gone.git")

    done = subprocess.run(
        [sys.executable, "-c", _NO_NETWORK, "explain", image_of_record(newer, "tip@v1.1.0"), "--json"],
        cwd=newer.root,
        env={**os.environ, "GITHUB_API_URL": "http://127.0.0.1:9"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    one = Explanation.model_validate(json.loads(done.stdout))
    assert (one.release, one.places[0].standing) == ("tip@v1.1.0", Standing.RUNS)
    assert one.ledger.ref == "refs/remotes/origin/ledger"


def image_of_record(team: Team, tag: str) -> str:
    """Its digest, without a workplace."""
    page = json.loads(next((team.root / ".slipway/releases/tip" / tag.partition("@")[2]).glob("image.*")).read_bytes())
    return str(page["body"]["digest"])


def test_a_clone_without_the_ledger_says_what_to_fetch(live: Team) -> None:
    """The clone of a single branch has no ledger; the line that mends it is pasted here."""
    alone = Team(live.root.with_name("alone"), live.bare)
    git.run("clone", "--quiet", "--single-branch", f"file://{live.bare}", str(alone.root), cwd=live.bare)
    git.run("remote", "set-url", "origin", "https://github.com/waiters/tip.git", cwd=alone.root)
    with pytest.raises(CannotExplain) as refused:
        told(alone, "tip@v1.0.0")
    command = refused.value.mend.partition(";")[0]
    assert command.startswith("git fetch")

    git.run("remote", "set-url", "origin", str(live.bare), cwd=alone.root)
    git.run(*command.split()[1:], cwd=alone.root)

    git.run("remote", "set-url", "origin", "https://github.com/waiters/tip.git", cwd=alone.root)
    assert told(alone, "tip@v1.0.0").places[0].standing is Standing.RUNS


def test_a_ledger_that_is_older_than_the_manifests_is_called_so(live: Team) -> None:
    """What was fetched last week answers with last week's truth."""
    ledger = git.commit_of(live.bare, "refs/heads/ledger")
    merged(live)
    fetched(live)
    git.run("update-ref", "refs/remotes/origin/ledger", ledger, cwd=live.root)

    one = told(live, "tip@v1.0.0", now=datetime.now(UTC) + timedelta(days=9))

    assert len(one.ledger.stale) == 2
    assert "9 days" in one.ledger.stale[0]
    assert "v1.1.0" in one.ledger.stale[1]
    assert one.ledger.mend.startswith("git fetch")
    with pytest.raises(CannotExplain, match=r"deploy/production/tip names it as v1\.1\.0"):
        told(live, image_of(Team(live.root, live.bare), "tip@v1.1.0").digest)


def test_a_history_that_was_cut_off_accuses_nobody(newer: Team) -> None:
    """The first commit of a shallow clone seems to have brought all that there is."""
    shallow = Team(newer.root.with_name("shallow"), newer.bare)
    git.run(
        *("clone", "--quiet", "--no-single-branch", "--depth", "1", f"file://{newer.bare}", str(shallow.root)),
        cwd=newer.bare,
    )
    fetched(shallow)

    one = told(shallow, "tip@v1.1.0")

    assert one.places[0].standing is Standing.RUNS
    assert one.places[0].merges == ()
    assert "--unshallow" in one.unknown[-1]


def test_an_environment_that_is_declared_no_more_is_told_all_the_same(live: Team) -> None:
    """What ran there ran there."""
    live.edit("slipway.yaml", "[{name: production}]", "[{name: elsewhere}]")

    assert [(place.environment, place.standing) for place in told(live, "tip@v1.0.0").places] == [
        ("production", Standing.RUNS)
    ]


def test_a_version_is_told_for_each_environment_that_it_came_to(staged: Team) -> None:
    """Merged in the one, and not even proposed in the other."""
    proposal = staged.release(staged.tag("tip@v1.0.0", "Begin"), environment="staging").body
    assert [place.standing for place in told(staged, "#1").places] == [Standing.PROPOSED]

    staged.workplace.forge.merge_pull(proposal.pull or 0)

    assert [(place.environment, place.standing) for place in told(staged, "#1").places] == [
        ("staging", Standing.MERGED)
    ]
    assert told(staged, "#1").ways[0].why_not == "nothing ran in staging before it"


def test_what_was_adopted_is_told_for_each_environment(staged: Team) -> None:
    """What runs in two places ran in both before Slipway came, whichever of them was adopted last."""
    _adopt(staged, "staging")
    _adopt(staged, "production")
    staged.commit("Say what runs")

    one = told(staged, "tip@v1.2.3")

    assert [adopted.environment for adopted in one.adoptions] == ["staging", "production"]
    assert "ran in staging and production before Slipway came" in explanation_text(one)


def _adopt(team: Team, environment: str) -> None:
    asked = Adoption(
        ReleaseTag.parse("tip@v1.2.3"),
        environment,
        by="Ada",
        now=datetime(2026, 2, 1, tzinfo=UTC),
        image=f"sha256:{'7' * 64}",
        image_name="registry.example.org/tip",
    )
    record_pages.run_on_baseline(adopt.run(asked, workplace=team.workplace), ledger=team.workplace.ledger)


def test_a_tag_that_was_moved_is_told_with_where_it_leads_now(live: Team) -> None:
    """The name is no longer what was released, and the pages are."""
    live.write("models/tip/README.md", "# tip\nAnother one.\n")
    moved = live.commit("Say more")
    live.tag("tip@v1.0.0")

    one = told(live, "tip@v1.0.0")

    assert one.tag is not None
    assert (one.tag.moved_to, one.tag.at) == (moved, None)
    assert one.code is not None
    assert one.code.commit != moved


# --- what it cannot tell ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("0" * 12, "knows no image, layer or ONNX file that begins so"),
        ("f" * 64, "knows no image, layer or ONNX file"),
        ("#77", "no pull request and no issue of a release"),
        ("tip@v9.9.9", "git has no such tag here"),
        ("v9.9.9", "git has no such tag here"),
        ("guests", "nothing that Slipway could look up"),
        ("sha256:abc", "nothing that Slipway could look up"),
        ("", "nothing that Slipway could look up"),
    ],
)
def test_what_is_unknown_is_told_with_what_was_looked_in(live: Team, asked: str, says: str) -> None:
    """An empty answer would read as all is well."""
    with pytest.raises(CannotExplain, match=says) as refused:
        told(live, asked)

    assert refused.value.exit_code == 2
    assert refused.value.mend


def test_a_tag_that_was_never_released_is_told_with_its_tagger(live: Team) -> None:
    """It exists, so that no tag at all would be the wrong answer."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))

    with pytest.raises(CannotExplain, match=r"git has the tag, at \w+ by Ada") as refused:
        told(live, "tip@v1.1.0")
    assert "slipway release TAG" in refused.value.mend


def test_a_tag_of_before_the_adoption_is_told_to_be_released_never(staged: Team) -> None:
    """A team that came with two hundred of them asks about the first one that it sees."""
    staged.tag("tip@v1.2.2", "Old")
    _adopt(staged, "production")

    with pytest.raises(CannotExplain, match=r"older than the adoption of tip@v1\.2\.3") as refused:
        told(staged, "tip@v1.2.2")
    assert refused.value.mend == "slipway explain tip@v1.2.3"


def test_a_pull_request_of_another_repository_is_none_of_ours(live: Team) -> None:
    """The same number is something else there."""
    with pytest.raises(CannotExplain, match="is of chefs/soup, and this is a clone of waiters/tip"):
        told(fetched(live), "https://github.com/chefs/soup/pull/1")


def test_nothing_is_written_by_who_only_reads(live: Team) -> None:
    """A clone on a train has no forge to write to."""
    clone = Clone.around(fetched(live).root)

    assert clone.is_fetched
    assert clone.commits("main", beyond=git.commit_of(live.root, "origin/main")) == ()
    assert clone.tag("tip@v1.0.0").annotated
