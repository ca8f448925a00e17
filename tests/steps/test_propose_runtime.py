"""The pull request of a runtime image: one line of slipway.yaml, once an image, and never over somebody else's work."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from slipway.adapters import git
from slipway.adapters.dry_run import dry
from slipway.adapters.forge import Pull, PullState
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import tar_layer
from slipway.domain.runtime import RuntimeProposal
from slipway.errors import BadFile, ForgeRefused, NoSuchImage
from slipway.steps import propose_runtime

from tests.team import Team
from tests.unit.adapters.described_images import bill_of, described

_SETTINGS = "# Ours: ask before you change it\nimage_registry: layout:.slipway/registry\nruntime_image:   # none yet\n"


def push(team: Team, tag: str, *, base_name: str = "python:3.11") -> str:
    """A runtime image of what is committed, as `build.sh` labels one; returns the tag."""
    registry = team.workplace.registry
    write_base_image(registry, "python", base_name.replace(":", "-"), {"bin/python3": b"python"}, "linux/amd64")
    origin = Origin(
        release="runtime",
        version=tag,
        source="waiters",
        revision=git.head_commit(team.root),
        created=datetime(2026, 3, 1, tzinfo=UTC),
        base_name=base_name,
    )
    base = Base(registry=registry, repository="python", reference=base_name.replace(":", "-"))
    append_layer(registry, "runtime", base=base, layer=tar_layer({"server": tag.encode()}), origin=origin, tag=tag)
    return tag


def push_described(team: Team, tag: str, packages: dict[str, str]) -> str:
    """The same, with a list of its packages."""
    runtimes = team.workplace.registry.repository("runtime")
    described(runtimes, push(team, f"{tag}-undescribed"), bill=bill_of(packages), tag=tag)
    return tag


def propose(team: Team, tag: str) -> tuple[RuntimeProposal, Pull]:
    proposal = propose_runtime.run(tag, workplace=team.workplace)
    assert proposal.pull is not None
    return proposal, team.workplace.forge.pull(proposal.pull)


def settings_on(team: Team, branch: str) -> str:
    return git.run("show", f"{branch}:slipway.yaml", cwd=team.bare).decode()


@pytest.fixture
def asked(team: Team) -> Team:
    """A team with settings of its own, and two images."""
    team.write("slipway.yaml", _SETTINGS)
    team.commit("Write settings")
    push(team, "one")
    team.write("serving/server.py", "# another server\n")
    team.commit("Serve faster | than `before`")
    push(team, "two")
    return team


def test_one_line_of_the_settings_changes(asked: Team) -> None:
    """A reviewer reads the diff; comments that a team wrote are a team's."""
    proposal, pull = propose(asked, "one")

    digest = asked.workplace.registry.repository("runtime").manifest("one").digest
    assert proposal.reference == f"layout:.slipway/registry/runtime@{digest}"
    assert settings_on(asked, pull.branch) == _SETTINGS.replace("image:  ", f'image: "{proposal.reference}"  ')
    assert (pull.branch, pull.state) == (f"runtime/{digest[7:19]}", PullState.OPEN)


def test_run_again_it_makes_no_second_pull_request_and_no_second_commit(asked: Team) -> None:
    """A run that was cut off is started again as a whole."""
    first, pull = propose(asked, "one")
    again, same = propose(asked, "one")

    assert (first, pull.head) == (again, same.head)
    assert [one.number for one in asked.workplace.forge.open_pulls()] == [first.pull]


def test_a_branch_that_the_default_branch_left_behind_is_made_anew(asked: Team) -> None:
    """Settings that changed meanwhile must not be taken back by the merge."""
    propose(asked, "one")
    asked.edit("slipway.yaml", "ask before", "tell us before")
    asked.commit("Ask for less")

    _proposal, pull = propose(asked, "one")

    assert "tell us before" in settings_on(asked, pull.branch)


def test_a_newer_image_closes_the_older_proposal_with_a_link(asked: Team) -> None:
    """Two open proposals for one line could only conflict."""
    forge = asked.workplace.forge
    older, _ = propose(asked, "one")
    newer, pull = propose(asked, "two")

    assert older.pull is not None
    assert forge.pull(older.pull).state is PullState.CLOSED
    assert forge.comments(older.pull)[-1] == f"Replaced by #{newer.pull}: {pull.title}"
    assert [one.number for one in forge.open_pulls()] == [newer.pull]


def test_proposals_of_releases_and_of_people_stay_open(asked: Team) -> None:
    """Only what proposes a runtime image is replaced by one, and not what a person called nearly so."""
    asked.release(asked.tag("tip@v1.0.0"))
    asked.write("serving/server.py", "# faster\n")
    asked.commit("Be faster", push=False)
    git.run("push", "--quiet", "origin", "HEAD:runtime/faster-server", cwd=asked.root)
    forge = asked.workplace.forge
    forge.open_pull(branch="runtime/faster-server", base="main", title="Be faster", body="It is.")
    before = [pull.number for pull in forge.open_pulls()]

    propose(asked, "one")

    assert len(before) == 2
    assert set(before) < {pull.number for pull in forge.open_pulls()}


def test_a_branch_with_somebody_elses_commit_is_never_overwritten(asked: Team) -> None:
    """A reviewer who corrected something on the branch must not lose it to a rerun."""
    proposal, _pull = propose(asked, "one")
    git.run("fetch", "--quiet", "origin", proposal.branch, cwd=asked.root)
    git.run("checkout", "--quiet", "-B", "mine", "FETCH_HEAD", cwd=asked.root)
    asked.edit("slipway.yaml", "# none yet", "# the first")
    asked.commit("Say so", push=False)
    git.run("push", "--quiet", "origin", f"HEAD:{proposal.branch}", cwd=asked.root)
    git.run("checkout", "--quiet", "main", cwd=asked.root)
    theirs = asked.workplace.forge.head(proposal.branch)

    with pytest.raises(ForgeRefused):
        propose(asked, "one")

    assert asked.workplace.forge.head(proposal.branch) == theirs


def test_what_is_merged_is_proposed_no_more(asked: Team) -> None:
    """The workflow runs at each push that touches serving/, also where it builds what is in use."""
    _proposal, pull = propose(asked, "one")
    asked.workplace.forge.merge_pull(pull.number)

    again = propose_runtime.run("one", workplace=asked.workplace)

    assert (again.pull, again.before) == (None, again.reference)
    assert asked.workplace.forge.open_pulls() == []


def test_the_reviewer_reads_what_changed_and_how_to_go_back(asked: Team) -> None:
    """A digest says nothing; the commits between two of them do."""
    old, pull = propose(asked, "one")
    asked.workplace.forge.merge_pull(pull.number)

    new, pull = propose(asked, "two")

    assert (new.before, new.reference) != (new.reference, new.before)
    assert new.before == old.reference
    assert "Serve faster &#124; than `before`" in pull.body
    assert f"```yaml\nruntime_image: {old.reference}\n```" in pull.body
    assert "2 layers" in pull.body


def test_a_newer_base_alone_is_told_as_such(asked: Team) -> None:
    """Most proposals bring the fixes of a newer base, and nothing of this repository."""
    _proposal, pull = propose(asked, "two")
    asked.workplace.forge.merge_pull(pull.number)

    _proposal, pull = propose(asked, push(asked, "three", base_name="python:3.12"))

    assert "`python:3.11`" in pull.body and "`python:3.12`" in pull.body
    assert "the base image did" in pull.body


def test_the_reviewer_reads_which_packages_change(asked: Team) -> None:
    """A fix of the base, or a library that came along unasked: no commit of this repository names them."""
    before = {"deb/debian/libc6": "2.36-9", "pypi/numpy": "2.4.6", "pypi/orjson": "3.12.0"}
    _proposal, pull = propose(asked, push_described(asked, "three", before))
    asked.workplace.forge.merge_pull(pull.number)

    after = {"deb/debian/libc6": "2.36-10", "pypi/numpy": "2.4.6", "pypi/uvloop": "0.21.0"}
    _proposal, pull = propose(asked, push_described(asked, "four", after))

    rows = [line for line in pull.body.splitlines() if line.startswith(("| `deb/", "| `pypi/"))]
    assert rows == [
        "| `deb/debian/libc6` | `2.36-9` | `2.36-10` |",
        "| `pypi/orjson` | `3.12.0` | removed |",
        "| `pypi/uvloop` | – | `0.21.0` |",
    ]


def test_an_old_image_without_a_list_is_told(asked: Team) -> None:
    """Runtime images of older templates have none; nothing must look unchanged for that."""
    _proposal, pull = propose(asked, "one")
    asked.workplace.forge.merge_pull(pull.number)

    _proposal, pull = propose(asked, push_described(asked, "three", {"pypi/numpy": "2.4.6"}))

    assert "the old image does not list its own" in pull.body
    assert "The new image holds 1 package." in pull.body


def test_an_image_that_its_registry_lost_is_told(asked: Team) -> None:
    """To write its digest back would stop every release."""
    asked.write(
        "slipway.yaml", _SETTINGS.replace("image:  ", f"image: layout:.slipway/registry/runtime@sha256:{'0' * 64} ")
    )
    asked.commit("Name what is nowhere")

    _proposal, pull = propose(asked, "one")

    assert "not in its registry any more" in pull.body


def test_an_image_that_was_never_pushed_is_no_proposal(asked: Team) -> None:
    """Merged, it would stop every release."""
    with pytest.raises(NoSuchImage):
        propose(asked, "three")

    assert asked.workplace.forge.open_pulls() == []


def test_without_settings_on_the_default_branch_nothing_is_proposed(asked: Team) -> None:
    """A first push that went to another branch."""
    git.run("rm", "--quiet", "--cached", "slipway.yaml", cwd=asked.root)
    git.run("commit", "--quiet", "--message", "Lose it", cwd=asked.root)
    git.run("push", "--quiet", "origin", "HEAD:main", cwd=asked.root)

    with pytest.raises(BadFile, match=r"the branch main has no slipway\.yaml"):
        propose(asked, "one")


def test_a_dry_run_writes_nothing(asked: Team) -> None:
    """It shows what would be proposed, on a laptop and with anybody's rights."""
    proposal = propose_runtime.run("one", workplace=dry(asked.workplace))

    assert proposal.pull == 0
    assert asked.workplace.forge.open_pulls() == []
    assert asked.workplace.forge.head(proposal.branch) is None
