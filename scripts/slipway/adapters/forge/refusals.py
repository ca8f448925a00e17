"""What every forge says no to, in the same words wherever it is."""

from __future__ import annotations

from slipway.adapters.forge import LONGEST_BODY, Commit, Pull, PullState
from slipway.errors import BranchMoved, ForgeRefused, MergeConflict


def branch_moved(branch: str, *, at: str | None, onto: str | None) -> BranchMoved:
    return BranchMoved(f"the branch `{branch}` is at {at}, not at {onto}", mend="run again")


def moved_while_merged(base: str, *, times: int) -> BranchMoved:
    return BranchMoved(f"`{base}` moved {times} times during the merge", mend="run again")


def would_be_lost(branch: str, commit: Commit) -> ForgeRefused:
    return ForgeRefused(
        f"the branch `{branch}` holds a commit of {commit.author} ({commit.id[:12]}), which is not lost",
        mend=f"merge or close its pull request, then delete the branch: git push origin :{branch}",
    )


def open_already(branch: str, number: int) -> ForgeRefused:
    return ForgeRefused(f"`{branch}` has an open pull request already: #{number}", mend="update that one, or close it")


def refuse_unmergeable(pull: Pull) -> None:
    if pull.state is PullState.CLOSED or pull.draft:
        what = "closed" if pull.state is PullState.CLOSED else "a draft"
        raise ForgeRefused(f"pull request #{pull.number} is {what}", mend="mark it ready, or open another one")


def conflict(problem: str) -> MergeConflict:
    return MergeConflict(
        problem, mend="merge the base branch into the pull request's branch, solve the conflict there and push"
    )


def refuse_long(text: str | None) -> None:
    if text is not None and len(text) > LONGEST_BODY:
        raise ForgeRefused(
            f"a text of {len(text):,} characters; GitHub takes {LONGEST_BODY:,}", mend="cut it, and link to the whole"
        )
