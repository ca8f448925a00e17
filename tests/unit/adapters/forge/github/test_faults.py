"""Every request of every call goes wrong once, in every way: the end is as if nothing had, at the latest when the
command is run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from slipway.adapters.forge import Deployment, Forge
from slipway.adapters.forge.github import Pace
from slipway.adapters.ledger import Ledger
from slipway.errors import SlipwayError, Unreachable

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.conftest import AT_ONCE, TOKEN
from tests.unit.adapters.forge.github.conftest import Bench, World

# Each finds what is there, else makes it, as the steps do.


def read_file(forge: Forge) -> object:
    head = forge.head(forge.default_branch)
    assert head is not None
    return forge.read(head, ".github/workflows/release.yml"), forge.read(head, "absent")


def read_folder(forge: Forge) -> object:
    head = forge.head("r/1")
    assert head is not None
    return forge.read_blobs(forge.list_files(head, "deploy").values())


def read_commits(forge: Forge) -> object:
    return [(commit.message, commit.ours) for commit in forge.commits("r/1", beyond="main")]


def read_tag(forge: Forge) -> object:
    return forge.tag("m@v1.0.0")


def read_pulls(forge: Forge) -> object:
    return forge.pull_for("r/1"), forge.pull_for("r/2"), forge.pull(1)


def read_issues(forge: Forge) -> object:
    return forge.open_issues("drift"), forge.last_issue("drift"), forge.issue(2), forge.comments(2)


def read_statuses(forge: Forge) -> object:
    head = forge.head("r/1")
    assert head is not None
    return forge.statuses(head)


def read_what_runs(forge: Forge) -> object:
    return forge.deployment("production"), forge.runs_under_way("release.yml"), forge.last_pull_for("r/1")


def commit(forge: Forge) -> None:
    head = forge.head("r/2")
    assert head is not None
    if forge.read(head, "new.txt") != b"new":
        forge.commit(
            "r/2", onto=head, changes={"new.txt": b"new", "bytes": b"\0\xff", "README.md": None}, message="Add"
        )


def begin_branch(forge: Forge) -> None:
    if forge.head("r/3") is None:
        forge.commit("r/3", onto=None, parent=forge.head("main"), changes={"a": b"1"}, message="Begin r/3")


def write_branch_anew(forge: Forge) -> None:
    head, main = forge.head("r/1"), forge.head("main")
    if forge.commits("main", beyond="r/1"):
        forge.commit("r/1", onto=head, parent=main, changes={"deploy/r/1.yaml": b"tag: v2\n"}, message="Anew")


def append_to_ledger(forge: Forge) -> None:
    Ledger(forge).append({"m/v1.0.0/image.1.json": b"{}"}, lines={"m/w.jsonl": ['{"key": "a"}']}, message="Record")


def open_pull(forge: Forge) -> None:
    there = forge.pull_for("r/2")
    if there is None:
        forge.open_pull(branch="r/2", base="main", title="Release 2", body="Wait.", draft=True, labels=["slipway"])
    else:
        forge.update_pull(there.number, title="Release 2", body="Wait.", draft=True, labels=["slipway"])


def update_pull(forge: Forge) -> None:
    forge.update_pull(1, title="Release 1, again", body="Not safe.", draft=True, labels=["slipway", "held"])


def mark_ready(forge: Forge) -> None:
    forge.update_pull(1, draft=True)
    forge.update_pull(1, draft=False)


def close_pull(forge: Forge) -> None:
    forge.close_pull(1, "Replaced.")


def merge_pull(forge: Forge) -> None:
    forge.merge_pull(1)


def open_issue(forge: Forge) -> None:
    if not forge.open_issues("refused"):
        forge.open_issue(title="Refused", body="F1 0.40", labels=["refused"])


def update_issue(forge: Forge) -> None:
    forge.update_issue(2, body="F1 0.50")


def close_issue(forge: Forge) -> None:
    forge.close_issue(2, "Recovered.")


def close_and_reopen_issue(forge: Forge) -> None:
    forge.close_issue(2)
    forge.reopen_issue(2, "It is back.")


def assign(forge: Forge) -> None:
    forge.assign(2, ["@ada", "@team/flights", "@bob"])


def comment(forge: Forge) -> None:
    forge.comment(2, "Still so.")


def set_status(forge: Forge) -> None:
    head = forge.head("r/1")
    assert head is not None
    forge.set_status(head, context="slipway/m", state="success", description="passed")


def ask_for_reviews(forge: Forge) -> None:
    forge.update_pull(1, reviewers=["@ada", "@bob", "@team/flights"])


def record_deployment(forge: Forge) -> None:
    forge.record_deployment(Deployment("production", str(forge.head("main")), "m@v1.1.0"))


def record_first_deployment(forge: Forge) -> None:
    forge.record_deployment(Deployment("staging", str(forge.head("main")), "m@v1.1.0"))


def publish_release(forge: Forge) -> object:
    return forge.publish_release("m@v1.1.0", title="m v1.1.0", body="Safer.")


def change_release(forge: Forge) -> object:
    return forge.publish_release("m@v1.0.0", title="m v1.0.0", body="It was not safe.")


CALLS: Mapping[str, Callable[[Forge], object]] = {
    call.__name__: call
    for call in (
        read_file,
        read_folder,
        read_commits,
        read_tag,
        read_pulls,
        read_issues,
        read_statuses,
        read_what_runs,
        commit,
        begin_branch,
        write_branch_anew,
        append_to_ledger,
        open_pull,
        update_pull,
        mark_ready,
        close_pull,
        merge_pull,
        open_issue,
        update_issue,
        close_issue,
        close_and_reopen_issue,
        assign,
        comment,
        set_status,
        ask_for_reviews,
        record_deployment,
        record_first_deployment,
        publish_release,
        change_release,
    )
}
FAULTS: Mapping[str, Fault] = {
    **{str(status): Fault(status) for status in (401, 403, 404, 409, 422, 500)},
    "502 after it was done": Fault(502, after=True),
    "reset": Fault(),
    "reset after it was done": Fault(after=True),
}


def call_until_it_works(world: World, call: Callable[[Forge], object], *, pace: Pace = AT_ONCE) -> object:
    try:
        return call(world.forge(pace=pace))
    except SlipwayError as error:
        assert error.mend
        assert TOKEN not in str(error)
        return call(world.forge(pace=pace))


def is_told(asked: str, *, call: str, fault: str) -> bool:
    """Reads fail in every way in the calls that only read; in the others they seem to find nothing, the one answer
    that could be taken for another. A 422 of a person is an answer: test_reviews.py, test_threads.py."""
    if fault == "422" and asked.endswith(("/requested_reviewers", "/assignees")):
        return False
    is_read = asked.startswith("GET")
    return not is_read or fault == "404" or (call.startswith("read") and "after" not in fault)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_a_fault_at_any_request_ends_as_if_there_was_none(bench: Bench, call: str, fault: str) -> None:
    """GitHub fails in the middle of releases; a second pull request or a lost page would outlive the bad minute."""
    expected = bench.undisturbed(call, CALLS[call])
    for number, asked in enumerate(expected.asked):
        if is_told(asked, call=call, fault=fault):
            world = bench.world()
            bench.github.faults.waiting[:] = [replace(FAULTS[fault], skip=number)]
            answer = call_until_it_works(world, CALLS[call])
            assert not bench.github.faults.waiting, "no request was disturbed"
            assert (world.comparable(answer), world.state()) == (expected.answer, expected.state), asked


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_that_never_comes_is_not_waited_for(bench: Bench, call: str) -> None:
    """The last request of each call was done, and GitHub says nothing: a runner must not hang for hours."""
    expected = bench.undisturbed(call, CALLS[call])
    world = bench.world()
    bench.github.faults.waiting[:] = [Fault(after=True, stall=1.5, skip=len(expected.asked) - 1)]
    call_until_it_works(world, CALLS[call], pace=replace(AT_ONCE, silence=1))
    assert world.state() == expected.state


def test_a_workflow_is_asked_for_once(world: World) -> None:
    """A run cannot be taken back: where the answer is lost, the caller looks for the run."""
    world.github.faults.waiting[:] = [Fault(after=True, verb="POST")]
    with pytest.raises(Unreachable):
        world.forge().dispatch_workflow("release.yml", ref="main", inputs={"tag": "m@v1.0.0"})
    assert [dispatch["inputs"] for dispatch in world.hosted.dispatches] == [{"tag": "m@v1.0.0"}]
