"""Pull requests on GitHub.

A draft is GitHub's own where GitHub allows it. REST cannot change a pull request into a draft or back: that is
GraphQL's, over the same connection. Where the plan knows no drafts or the token may not change them, the label
`not enough evidence` stands for it, and the failing status of its commit keeps it from being merged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge import Pull, PullState, refusals
from slipway.adapters.forge.github.answers import GRAPHQL, Changed, Lost, Refused
from slipway.adapters.forge.github.branches import GitHubBranches
from slipway.adapters.forge.github.conversation import named
from slipway.adapters.forge.github.reviews import GitHubReviews
from slipway.adapters.forge.github.threads import GitHubThreads
from slipway.domain.labels import NOT_ENOUGH_EVIDENCE
from slipway.errors import ForgeRefused

STANDS_FOR_DRAFT = NOT_ENOUGH_EVIDENCE.name
_TRIES = 8  # GitHub computes whether a pull request can be merged after the question for it
_BASE_MOVED = "Base branch was modified"


class GitHubPulls(GitHubBranches, GitHubThreads, GitHubReviews):
    def open_pull(
        self,
        *,
        branch: str,
        base: str,
        title: str,
        body: str,
        draft: bool = False,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        refusals.refuse_long(body)
        self._existing_head(branch)
        self._refuse_second(branch, base)
        given = {"head": branch, "base": base, "title": title, "body": body, "draft": draft}
        with crash_points.external_write("open-pull"):
            number = self._open(given)
        return self.update_pull(number, draft=draft, labels=labels, reviewers=reviewers)

    def pull(self, number: int) -> Pull:
        return _pull(self._fields(number))

    def pull_for(self, branch: str) -> Pull | None:
        return next(iter(self._open_ones(**self._of(branch))), None)

    def last_pull_for(self, branch: str) -> Pull | None:
        found = self._talk.pages("/pulls", state="all", sort="created", direction="desc", **self._of(branch))
        return next((_pull(fields) for fields in found if _is_of(fields, self._talk.repository)), None)

    def open_pulls(self) -> Sequence[Pull]:
        return self._open_ones()

    def update_pull(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        draft: bool | None = None,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        refusals.refuse_long(body)
        fields = self._fields(number)
        if changes := _changes(fields, title=title, body=body):
            with crash_points.external_write("update-pull"):
                self._talk.write("PATCH", f"/pulls/{number}", changes, repeat=True)
        self._label(number, [name for name in labels if name not in _labels(fields)])
        if draft is not None and draft != _pull(fields).draft:
            self._draft(fields, draft)
        self._ask_for_reviews(fields, reviewers)
        return self.pull(number)

    def close_pull(self, number: int, comment: str | None = None) -> None:
        refusals.refuse_long(comment)
        if self.pull(number).state is PullState.OPEN:
            if comment is not None:
                self.comment(number, comment)
            with crash_points.external_write("close-pull"):
                self._talk.write("PATCH", f"/pulls/{number}", {"state": "closed"}, repeat=True)

    def merge_pull(self, number: int) -> str:
        for _ in range(_TRIES):
            pull = self.pull(number)
            if pull.merge_commit is not None:
                return pull.merge_commit
            refusals.refuse_unmergeable(pull)
            try:
                with crash_points.external_write("merge-pull"):
                    return self._merge(pull)
            except (Refused, Changed) as refused:
                self._explain(pull, refused)
        raise refusals.moved_while_merged(pull.base, times=_TRIES)

    def _open(self, given: Mapping[str, Any]) -> int:
        """The number; where the answer was lost or a second one is refused, ours is found by its branch."""
        try:
            return int(self._talk.write("POST", "/pulls", given, repeat=True)["number"])
        except Refused as refused:
            there = next((pull for pull in self._open_ones(**self._of(given["head"]), base=given["base"])), None)
            if there is not None and there.title == given["title"]:
                return there.number
            if given["draft"] and "raft" in refused.said:
                return self._open({**given, "draft": False})
            raise

    def _merge(self, pull: Pull) -> str:
        body = {"sha": pull.head, "merge_method": "merge"}
        try:
            return str(self._talk.write("PUT", f"/pulls/{pull.number}/merge", body, repeat=False)["sha"])
        except Lost:
            merged = self.pull(pull.number).merge_commit
            if merged is None:
                raise
            return merged

    def _explain(self, pull: Pull, refused: Refused | Changed) -> None:
        """Return where trying again can help, raise where it cannot, or where the branch is not what was read."""
        if refused.said.startswith(_BASE_MOVED):
            return
        if isinstance(refused, Changed):
            raise refused
        for _ in range(_TRIES):
            mergeable = self._fields(pull.number).get("mergeable")
            if mergeable is not None:
                break
            time.sleep(self._talk.pace.first_wait)
        if mergeable is False:
            raise refusals.conflict(
                f"GitHub cannot merge pull request #{pull.number} by itself: {', '.join(self._changed_by_both(pull))}"
            ) from refused
        raise refused

    def _changed_by_both(self, pull: Pull) -> list[str]:
        """GitHub names no conflict, but what each side changed."""
        base = self._existing_head(pull.base)
        sides = [self._talk.get(f"/compare/{old}...{new}") for old, new in ((base, pull.head), (pull.head, base))]
        names = [{str(file["filename"]) for file in side.get("files", [])} for side in sides]
        return sorted(names[0] & names[1])

    def _draft(self, fields: Mapping[str, Any], draft: bool) -> None:
        """As GitHub's own, or by the label."""
        number = int(fields["number"])
        if fields["draft"] != draft:
            mutation = "convertPullRequestToDraft" if draft else "markPullRequestReadyForReview"
            try:
                with crash_points.external_write("update-pull"):
                    self._talk.mutate(mutation, {"pullRequestId": fields["node_id"]})
            except Refused as refused:
                now = self._fields(number)["draft"]
                if now != draft and not (draft and refused.status == GRAPHQL):
                    raise
                if now != draft:
                    self._label(number, [STANDS_FOR_DRAFT])
        if not draft and STANDS_FOR_DRAFT in _labels(fields):
            self._unlabel(number, STANDS_FOR_DRAFT)

    def _label(self, number: int, names: Sequence[str]) -> None:
        if names:
            with crash_points.external_write("label-pull"):
                self._talk.write("POST", f"/issues/{number}/labels", {"labels": list(names)}, repeat=True)

    def _unlabel(self, number: int, name: str) -> None:
        try:
            with crash_points.external_write("label-pull"):
                self._talk.write("DELETE", f"/issues/{number}/labels/{named(name)}", repeat=True)
        except Refused as refused:
            if refused.status != 404 or name in _labels(self._fields(number)):
                raise

    def _fields(self, number: int) -> dict[str, Any]:
        try:
            return dict(self._talk.get(f"/pulls/{number}"))
        except Refused as refused:
            if refused.status == 404:
                raise ForgeRefused(
                    f"{self._talk.repository} shows no pull request #{number}", mend=refused.mend
                ) from None
            raise

    def _of(self, branch: str) -> dict[str, str]:
        return {"head": f"{self._talk.owner}:{branch}"}

    def _open_ones(self, **only: str) -> list[Pull]:
        """Lowest number first. Those of forks are left out: the names of their branches mean nothing here."""
        found = self._talk.pages("/pulls", state="open", sort="created", direction="asc", **only)
        own = [fields for fields in found if _is_of(fields, self._talk.repository)]
        return sorted(map(_pull, own), key=lambda pull: pull.number)

    def _refuse_second(self, branch: str, base: str) -> None:
        for pull in self._open_ones(**self._of(branch), base=base):
            raise refusals.open_already(branch, pull.number)


def _pull(fields: Mapping[str, Any]) -> Pull:
    merged, labels = fields["merged_at"] is not None, _labels(fields)
    closed = PullState.MERGED if merged else PullState.CLOSED
    return Pull(
        number=int(fields["number"]),
        title=str(fields["title"]),
        body=fields["body"] or "",
        branch=str(fields["head"]["ref"]),
        base=str(fields["base"]["ref"]),
        head=str(fields["head"]["sha"]),
        state=PullState.OPEN if fields["state"] == "open" else closed,
        draft=bool(fields["draft"]) or STANDS_FOR_DRAFT in labels,
        labels=tuple(name for name in labels if name != STANDS_FOR_DRAFT),
        merge_commit=str(fields["merge_commit_sha"]) if merged else None,
        url=str(fields["html_url"]),
    )


def _labels(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(label["name"]) for label in fields["labels"])


def _changes(fields: Mapping[str, Any], *, title: str | None, body: str | None) -> dict[str, str]:
    wanted = {"title": title, "body": body}
    return {name: text for name, text in wanted.items() if text is not None and text != (fields[name] or "")}


def _is_of(fields: Mapping[str, Any], repository: str) -> bool:
    home = fields["head"]["repo"]  # None where the fork is gone
    return home is not None and str(home["full_name"]).lower() == repository.lower()
