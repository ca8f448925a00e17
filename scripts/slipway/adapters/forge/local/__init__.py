"""A forge on this machine: a bare repository, and beside it a folder of pull requests and issues to read.

    flights.git/                                                    branches, merged by git itself
    flights.forge/pulls/0003-release-flight-delay-production.md     one file a pull request
    flights.forge/issues/0004-flight-delay-retrain.md               one file an issue
    flights.forge/statuses/, deployments/, releases/                what is told of commits (`announcements.py`)

Files are written whole and under one lock, and what git knows (where a branch is, whether it was merged) is
asked from git each time: a process killed between two writes leaves nothing that a second run misreads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.adapters import crash_points, git
from slipway.adapters.forge import EndedRun, Issue, Pull, PullState, WorkflowRun, object_store, people_of, refusals
from slipway.adapters.forge.local.announcements import LocalAnnouncements
from slipway.adapters.forge.local.documents import Document, IssueFields, PullFields
from slipway.adapters.forge.local.folder import Folder
from slipway.domain import commands
from slipway.errors import BranchMoved, ForgeRefused, GitRefused

_MERGE_TRIES = 20  # a push into the base can come between our merge and our write; twenty in a row cannot


class LocalForge(LocalAnnouncements):
    """`repository` is a bare git repository."""

    def __init__(self, repository: Path) -> None:
        """
        Raises:
            GitRefused: it is none; a folder inside of another repository would otherwise write into that one.
        """
        self.repository = repository.resolve()
        name = self.repository.name.removesuffix(".git")
        self.folder = Folder(self.repository.with_name(f"{name}.forge"))
        found = git.run("rev-parse", "--absolute-git-dir", cwd=self.repository).decode().removesuffix("\n")
        if Path(found).resolve() != self.repository:
            raise GitRefused(f"{repository} is no bare repository", mend=f"git init --bare {repository}")

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
        head = self._existing_head(branch)
        if git.is_ancestor(self.repository, head, self._existing_head(base)):
            raise ForgeRefused(f"`{branch}` has no commit that `{base}` lacks", mend="commit to it first")
        with self.folder.lock():
            self._refuse_second(branch, base)
            fields = PullFields(
                number=self.folder.next_number(),
                title=title,
                labels=tuple(labels),
                reviewers=tuple(dict.fromkeys(reviewers)),
                state=PullState.OPEN,
                draft=draft,
                branch=branch,
                base=base,
                head=head,
            )
            self.folder.create("pulls", Document(fields, body), named=branch, moment="open-pull")
        return self.pull(fields.number)

    def pull(self, number: int) -> Pull:
        return self._as_pull(self.folder.pull(number))

    def pull_for(self, branch: str) -> Pull | None:
        return next((pull for pull in self.open_pulls() if pull.branch == branch), None)

    def last_pull_for(self, branch: str) -> Pull | None:
        documents = [document for document in self.folder.pulls() if document.fields.branch == branch]
        return self._as_pull(documents[-1]) if documents else None

    def open_pulls(self) -> Sequence[Pull]:
        written_open = [document for document in self.folder.pulls() if document.fields.state is PullState.OPEN]
        return [pull for pull in map(self._as_pull, written_open) if pull.state is PullState.OPEN]

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
        with self.folder.lock():
            there = self.folder.pull(number)
            labelled = tuple(dict.fromkeys([*there.fields.labels, *labels]))
            asked = tuple(dict.fromkeys([*there.fields.reviewers, *reviewers]))
            document = there.changed(body=body, title=title, draft=draft, labels=labelled, reviewers=asked)
            self.folder.update("pulls", document, moment="update-pull")
        return self.pull(number)

    def close_pull(self, number: int, comment: str | None = None) -> None:
        refusals.refuse_long(comment)
        with self.folder.lock():
            pull = self.pull(number)
            if pull.state is PullState.OPEN:
                closed = self.folder.pull(number).commented(comment).changed(state=PullState.CLOSED, head=pull.head)
                self.folder.update("pulls", closed, moment="close-pull")

    def merge_pull(self, number: int) -> str:
        with self.folder.lock():
            pull = self.pull(number)
            merge_commit = pull.merge_commit or self._merge(pull)
            merged = self.folder.pull(number).changed(state=PullState.MERGED, head=pull.head, merge_commit=merge_commit)
            self.folder.update("pulls", merged, moment="record-merge")
        return merge_commit

    def open_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        refusals.refuse_long(body)
        with self.folder.lock():
            fields = IssueFields(number=self.folder.next_number(), title=title, labels=tuple(labels), open=True)
            self.folder.create("issues", Document(fields, body), named=title, moment="open-issue")
        return self.issue(fields.number)

    def issue(self, number: int) -> Issue:
        return self._as_issue(self.folder.issue(number))

    def open_issues(self, label: str | None = None) -> Sequence[Issue]:
        issues = [self._as_issue(document) for document in self.folder.issues() if document.fields.open]
        return [issue for issue in issues if label is None or label in issue.labels]

    def last_issue(self, label: str) -> Issue | None:
        labelled = [document for document in self.folder.issues() if label in document.fields.labels]
        return self._as_issue(labelled[-1]) if labelled else None

    def update_issue(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        refusals.refuse_long(body)
        with self.folder.lock():
            document = self.folder.issue(number).changed(title=title, body=body)
            self.folder.update("issues", document, moment="update-issue")
        return self.issue(number)

    def assign(self, number: int, people: Sequence[str]) -> None:
        with self.folder.lock():
            there = self.folder.issue(number)
            assigned = tuple(dict.fromkeys([*there.fields.assignees, *people_of(people)]))
            self.folder.update("issues", there.changed(assignees=assigned), moment="assign")

    def close_issue(self, number: int, comment: str | None = None) -> None:
        self._turn(number, comment, to_open=False, moment="close-issue")

    def reopen_issue(self, number: int, comment: str | None = None) -> None:
        self._turn(number, comment, to_open=True, moment="reopen-issue")

    def _turn(self, number: int, comment: str | None, *, to_open: bool, moment: str) -> None:
        refusals.refuse_long(comment)
        with self.folder.lock():
            document = self.folder.issue(number)
            if document.fields.open is not to_open:
                self.folder.update("issues", document.commented(comment).changed(open=to_open), moment=moment)

    def comment(self, number: int, body: str) -> None:
        refusals.refuse_long(body)
        with self.folder.lock():
            if self.folder.holds("pulls", number):
                self.folder.update("pulls", self.folder.pull(number).commented(body), moment="comment")
            else:
                self.folder.update("issues", self.folder.issue(number).commented(body), moment="comment")

    def comments(self, number: int) -> Sequence[str]:
        if self.folder.holds("pulls", number):
            return self.folder.pull(number).comments
        return self.folder.issue(number).comments

    def _refuse_second(self, branch: str, base: str) -> None:
        for pull in self.open_pulls():
            if (pull.branch, pull.base) == (branch, base):
                raise refusals.open_already(branch, pull.number)

    def _as_pull(self, document: Document[PullFields]) -> Pull:
        fields = document.fields
        state, head, merge_commit = fields.state, fields.head, fields.merge_commit
        if state is PullState.OPEN:
            state, head, merge_commit = self._now(fields)
        return Pull(
            **fields.model_dump(exclude={"state", "head", "merge_commit", "reviewers"}),
            body=document.body,
            head=head,
            state=state,
            merge_commit=merge_commit,
            url=str(self.folder.file("pulls", fields.number)),
        )

    def _as_issue(self, document: Document[IssueFields]) -> Issue:
        url = str(self.folder.file("issues", document.fields.number))
        return Issue(**document.fields.model_dump(), body=document.body, url=url)

    def _now(self, fields: PullFields) -> tuple[PullState, str, str | None]:
        """What became of a pull request that was open when its file was written: anybody may push."""
        live, base = self.head(fields.branch), self.head(fields.base)
        head = live or fields.head
        if base and git.is_ancestor(self.repository, head, base):
            return PullState.MERGED, head, object_store.merge_of(self.repository, head, base)
        return (PullState.OPEN if live and base else PullState.CLOSED), head, None

    def _merge(self, pull: Pull) -> str:
        refusals.refuse_unmergeable(pull)
        for _ in range(_MERGE_TRIES):
            base = self._existing_head(pull.base)
            if git.is_ancestor(self.repository, pull.head, base):  # by the git of a run of ours that was killed
                return object_store.merge_of(self.repository, pull.head, base)
            tree = object_store.merged_tree(self.repository, base, pull.head)
            message = f"Merge pull request #{pull.number} from {pull.branch}\n\n{pull.title}\n"
            commit = object_store.write_commit(self.repository, tree=tree, parents=[base, pull.head], message=message)
            try:
                with crash_points.external_write("merge-pull"):
                    object_store.move_branch(self.repository, pull.base, to=commit, expected=base)
            except BranchMoved:
                continue
            return commit
        raise refusals.moved_while_merged(pull.base, times=_MERGE_TRIES)

    def runs_under_way(self, workflow: str) -> Sequence[WorkflowRun]:  # noqa: ARG002  # nothing runs in a folder
        return ()

    def last_run(self, workflow: str, *, commit: str) -> EndedRun | None:  # noqa: ARG002  # as above
        return None

    def run_again(self, run: int) -> None:
        raise ForgeRefused(
            f"no run {run}: nothing runs by itself in a folder", mend="run it here: slipway check-manifests"
        )

    def dispatch_workflow(self, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> None:
        raise ForgeRefused(
            f"no workflow `{workflow}` on `{ref}`: nothing runs by itself in a folder",
            mend=f"run it here: {_by_hand(inputs)}",
        )


def _by_hand(inputs: Mapping[str, str]) -> str:
    """The command that does what the workflow would have done."""
    if "tag" in inputs or "model" not in inputs:
        return f"slipway release {inputs.get('tag', 'TAG')}"
    return commands.rollout(inputs["model"], environment=inputs["environment"])
