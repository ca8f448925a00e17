"""The tag that `check` proposes, made once and by nobody's typing: what was checked, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest
from slipway.adapters import git
from slipway.domain.tag import Bump
from slipway.domain.tagged import Tagged
from slipway.errors import BadFile, BadTag, NotReleasable, UnknownModel, Unreachable
from slipway.steps import judge, measure_consistency, rehearse_rollback, resolve_tag
from slipway.steps import tag as step

from tests.steps.conftest import WORSE
from tests.team import ENVIRONMENT, MODEL, TODAY, Team, Tip

_BETTER = Tip(weight=0.0201)


def check(team: Team, *, bump: Bump | None = None, today: date = TODAY) -> None:
    """As the command does, but for the framework."""
    place, record = team.workplace, team.workplace.check(MODEL)
    resolve_tag.run_on_working_tree(MODEL, workplace=place)
    if bump is not None:
        resolve_tag.promise(bump, record, root=team.root)
    team.convert(record)
    policies, digest = place.repository.policies(), place.repository.policies_digest()
    measure_consistency.run(record, policies=policies)
    rehearse_rollback.run(record, environment=ENVIRONMENT)
    judge.run(record, policies=policies, policies_digest=digest, today=today)


def tag(team: Team, *, message: str = "", push: bool = False, dry_run: bool = False) -> Tagged:
    place = team.workplace
    return step.run(
        MODEL, record=place.check(MODEL), repository=place.repository, message=message, push=push, dry_run=dry_run
    )


def tags_of(team: Team) -> list[str]:
    """What the remote has."""
    return git.run("tag", "--list", cwd=team.bare).decode().split()


@pytest.fixture
def better(live: Team) -> Team:
    """A minor version is committed, pushed and checked."""
    live.write_model(_BETTER)
    live.commit("Learn from April")
    check(live, bump=Bump.MINOR)
    return live


def test_what_was_checked_is_tagged_as_check_proposes_and_released_from_there(better: Team) -> None:
    """The number, the commit and who did it: all that a release asks of a tag."""
    made = tag(better, push=True)

    assert made == Tagged(
        tag="tip@v1.1.0", commit=git.head_commit(better.root), message="Learn from April", made=True, pushed=True
    )
    found = git.resolve_tag(better.bare, "tip@v1.1.0")
    assert (found.annotated, found.tagger, found.commit) == (True, "Ada <ada@example.org>", made.commit)
    assert better.release("tip@v1.1.0").body.title == "tip: v1.0.0 → v1.1.0 (minor), production"


def test_without_push_the_tag_stays_here(better: Team) -> None:
    """A person may look at it first."""
    made = tag(better, message="For Easter")

    assert (made.pushed, made.message) == (False, "For Easter")
    assert "tip@v1.1.0" not in tags_of(better)
    assert git.resolve_tag(better.root, "tip@v1.1.0").message == "For Easter"


def test_a_commit_that_has_its_tag_gets_no_other_one(better: Team) -> None:
    """Whoever was killed between tag and push runs the same command again, and after a push it changes nothing."""
    tag(better)
    check(better, bump=Bump.MINOR)  # which by now would propose v1.2.0

    again = tag(better, push=True)
    once_more = tag(better, push=True)

    assert (again.tag, again.made, again.pushed) == ("tip@v1.1.0", False, True)
    assert (once_more.made, once_more.pushed) == (False, True)
    assert [name for name in tags_of(better) if name != "tip@v1.0.0"] == ["tip@v1.1.0"]


def test_a_dry_run_makes_nothing(better: Team) -> None:
    """It tells what would be."""
    assert tag(better, push=True, dry_run=True).tag == "tip@v1.1.0"
    assert git.run("tag", "--list", "tip@v1.1*", cwd=better.root) == b""
    assert "tip@v1.1.0" not in tags_of(better)


@pytest.mark.parametrize("name", ["README.md", f"models/{MODEL}/model.yaml"])
def test_what_is_not_committed_is_not_tagged(better: Team, name: str) -> None:
    """A tag names a commit, and what lies beside it would not be released."""
    better.write(name, (better.root / name).read_text() + "\n" if (better.root / name).exists() else "New\n")
    check(better, bump=Bump.MINOR)

    with pytest.raises(NotReleasable, match=f"not what is committed: {name}"):
        tag(better, push=True)


def test_what_git_ignores_below_the_model_is_not_taken_to_be_committed(better: Team) -> None:
    """It was checked, and would be missing from the release."""
    better.write(".gitignore", ".slipway/\n*.bin\n")
    better.commit("Ignore")
    better.write(f"models/{MODEL}/source/more.bin", "weights")
    check(better, bump=Bump.MINOR)

    with pytest.raises(NotReleasable, match=r"source/more\.bin"):
        tag(better)


def test_what_is_not_on_the_default_branch_is_not_tagged(live: Team) -> None:
    """What nobody reviewed is not released; its release would be refused, and the number be gone."""
    live.write_model(_BETTER)
    live.commit("Learn from April", push=False)
    check(live, bump=Bump.MINOR)

    with pytest.raises(NotReleasable, match="is not on the branch `main` of origin"):
        tag(live, push=True)
    assert tags_of(live) == ["tip@v1.0.0"]


def test_what_fails_is_not_tagged(live: Team) -> None:
    """A flow that retrains must end here."""
    live.write_model(WORSE)
    live.commit("Learn from nothing")
    check(live)

    with pytest.raises(NotReleasable, match="tip does not pass: fail"):
        tag(live, push=True)
    assert tags_of(live) == ["tip@v1.0.0"]


def test_what_was_changed_since_it_was_checked_is_not_tagged(better: Team) -> None:
    """The verdict is of other weights."""
    better.write_model(WORSE)
    better.commit("Learn from nothing")

    with pytest.raises(NotReleasable, match="is not what was checked last"):
        tag(better)


def test_what_other_policies_judged_is_not_tagged(better: Team) -> None:
    """The release would be held to those of today."""
    better.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.99")
    better.commit("Ask for more")

    with pytest.raises(NotReleasable, match="policies/ are not what tip was checked by"):
        tag(better)


def test_what_was_never_checked_is_not_tagged(live: Team) -> None:
    """The mend names the command."""
    with pytest.raises(BadFile, match=r"run `slipway check tip` first"):
        tag(live)


def test_a_model_that_is_not_there_is_named(live: Team) -> None:
    """A misspelt name is no model that was never checked."""
    place = live.workplace
    with pytest.raises(UnknownModel, match="tipp"):
        step.run("tipp", record=place.check("tipp"), repository=place.repository, push=False)


def test_a_number_that_was_taken_meanwhile_is_not_used_again(better: Team) -> None:
    """Somebody else released the commit before under it."""
    other = better.clone("grace")
    git.run("tag", "--annotate", "--message", "Mine", "tip@v1.1.0", "HEAD~1", cwd=other.root)
    git.run("push", "--quiet", "origin", "tip@v1.1.0", cwd=other.root)

    with pytest.raises(NotReleasable, match=r"`tip@v1\.1\.0` was tagged since tip was checked"):
        tag(better, push=True)


def test_a_tag_of_the_same_name_over_there_is_left_alone(better: Team) -> None:
    """Two were made at the same time, and one was pushed first."""
    tag(better)
    other = better.clone("grace")
    git.run("tag", "--annotate", "--message", "Mine", "tip@v1.1.0", "HEAD", cwd=other.root)
    git.run("push", "--quiet", "origin", "tip@v1.1.0", cwd=other.root)
    theirs = git.resolve_tag(other.root, "tip@v1.1.0").object_id

    with pytest.raises(NotReleasable, match="is not that of the remote"):
        tag(better, push=True)
    assert git.resolve_tag(better.bare, "tip@v1.1.0").object_id == theirs


def test_a_lightweight_tag_is_not_pushed(better: Team) -> None:
    """Its release would be refused."""
    git.run("tag", "tip@v1.1.0", cwd=better.root)

    with pytest.raises(BadTag, match="lightweight"):
        tag(better, push=True)


def test_a_remote_that_takes_no_tag_is_told_with_what_it_said(better: Team) -> None:
    """Who may not create tags asks somebody who may; the tag that was made is theirs to push."""
    hook = better.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'tags are for owners' >&2\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(NotReleasable, match="tags are for owners"):
        tag(better, push=True)
    assert git.resolve_tag(better.root, "tip@v1.1.0").annotated


def test_a_remote_that_does_not_answer_makes_no_tag(better: Team) -> None:
    """Nothing is known of what it has."""
    place = better.workplace
    better.bare.rename(better.bare.with_name("gone.git"))

    with pytest.raises(Unreachable, match="did not say which tags it has"):
        step.run(MODEL, record=place.check(MODEL), repository=place.repository, push=True)
    assert git.run("tag", "--list", "tip@v1.1*", cwd=better.root) == b""
