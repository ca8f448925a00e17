"""A record: pages written once, found by what their step read, with the files that they name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from slipway.adapters import git
from slipway.adapters.records import Record, sha256_of
from slipway.domain.cost import Cost, ModelCost
from slipway.domain.pages import Body, File
from slipway.errors import BadFile, DigestMismatch, NewerSchema


class Count(Body):
    kind: ClassVar[str] = "count"

    number: int


class Kept(Body):
    kind: ClassVar[str] = "kept"

    by_name: dict[str, File | None]


class IncidentCount(Body):
    kind: ClassVar[str] = "incident-count"

    number: int


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "record", subject="tip@v1.0.0")


def counting() -> Callable[[], Count]:
    """Each call is another number: whoever sees 2 knows that it was made twice."""
    made = iter(range(1, 100))
    return lambda: Count(number=next(made))


def test_the_same_inputs_are_made_once(record: Record) -> None:
    """Nothing is measured twice, and a second run has the page of the first."""
    make = counting()

    first = record.once(Count, reads={"a": "1", "b": "2"}, make=make)
    again = record.once(Count, reads={"b": "2", "a": "1"}, make=make)

    assert again == first
    assert [path.name for path in record.folder.iterdir()] == ["count.1.json"]


def test_other_inputs_are_written_beside_the_old_page(record: Record) -> None:
    """What was found before was true, and stays readable."""
    make = counting()
    record.once(Count, reads={"a": "1"}, make=make)

    second = record.once(Count, reads={"a": "2"}, make=make)

    assert (second.number, second.body.number) == (2, 2)
    assert [page.body.number for page in record.pages(Count)] == [1, 2]


def test_inputs_that_change_back_are_the_newest_again_without_being_made(record: Record) -> None:
    """The newest page counts, so the old answer must become the newest."""
    make = counting()
    first = record.once(Count, reads={"a": "1"}, make=make)
    record.once(Count, reads={"a": "2"}, make=make)

    third = record.once(Count, reads={"a": "1"}, make=make)

    assert (third.number, third.body) == (3, first.body)
    assert record.page(Count, written_by="count") == third


def test_a_deed_is_done_again_when_its_inputs_change_back(record: Record) -> None:
    """An issue that was opened, then closed, must be opened again and not remembered."""
    make = counting()
    record.once(Count, reads={"a": "1"}, make=make, is_deed=True)
    record.once(Count, reads={"a": "2"}, make=make, is_deed=True)

    third = record.once(Count, reads={"a": "1"}, make=make, is_deed=True)
    again = record.once(Count, reads={"a": "1"}, make=make, is_deed=True)

    assert third.body.number == 3
    assert again == third


def test_pages_that_count_each_for_itself_are_never_written_again(record: Record) -> None:
    """The first environment, looked at again, must not become the newest of all."""
    make = counting()
    first = record.once_for_each(Count, reads={"environment": "staging"}, make=make)
    record.once_for_each(Count, reads={"environment": "production"}, make=make)

    assert record.once_for_each(Count, reads={"environment": "staging"}, make=make) == first
    assert record.written_for(Count, reads={"environment": "elsewhere"}) is None
    assert [page.body.number for page in record.pages(Count)] == [1, 2]


def test_what_fails_leaves_no_page(record: Record) -> None:
    """Or the next run would believe it."""

    def fail() -> Count:
        raise BadFile("nothing to count", mend="bring something")

    with pytest.raises(BadFile):
        record.once(Count, reads={"a": "1"}, make=fail)

    assert record.latest(Count) is None
    assert record.once(Count, reads={"a": "1"}, make=counting()).number == 1


def test_a_page_whose_file_is_gone_is_made_again(record: Record) -> None:
    """Wherever the page names it, also inside of a table."""

    def keep() -> Kept:
        return Kept(by_name={"a": record.keep_bytes(b"content", name="a.txt"), "b": None})

    page = record.once(Kept, reads={"x": "1"}, make=keep)
    file = page.body.by_name["a"]
    assert file is not None
    record.path(file).unlink()

    record.once(Kept, reads={"x": "1"}, make=keep)

    assert record.path(file).read_bytes() == b"content"


def test_kinds_whose_names_end_alike_are_told_apart(record: Record) -> None:
    """`incident-verdicts` are no `verdicts`."""
    record.once(IncidentCount, reads={}, make=lambda: IncidentCount(number=1))

    assert record.latest(Count) is None


def test_numbers_are_ordered_as_numbers(record: Record) -> None:
    """As text, 10 comes before 9."""
    make = counting()
    for number in range(11):
        record.once(Count, reads={"a": str(number)}, make=make)

    assert record.page(Count, written_by="count").number == 11


def test_a_page_that_is_not_there_names_the_step_that_writes_it(record: Record) -> None:
    """Whoever runs steps by hand forgets one."""
    with pytest.raises(BadFile) as caught:
        record.page(Count, written_by="count-all")

    assert caught.value.problem == f"{record.folder} has no page `count` for tip@v1.0.0"
    assert caught.value.mend == "run `slipway count-all` first"


def test_a_damaged_page_is_named_and_not_believed(record: Record) -> None:
    """A full disk, an editor, a merge."""
    record.once(Count, reads={}, make=counting())
    (record.folder / "count.1.json").write_text('{"kind": "cou')

    with pytest.raises(BadFile, match=r"count\.1\.json is no JSON"):
        record.once(Count, reads={}, make=counting())


def test_a_page_of_a_newer_slipway_is_not_written_over(record: Record) -> None:
    """An old checkout of the tooling must stop."""
    page = record.once(Count, reads={}, make=counting())
    newer = {**json.loads(page.to_json()), "schema_version": 99}
    (record.folder / "count.1.json").write_text(json.dumps(newer))

    with pytest.raises(NewerSchema):
        record.once(Count, reads={"a": "other"}, make=counting())


def test_pages_of_the_ledger_are_laid_down_but_not_over_our_own(record: Record) -> None:
    """What this run has found already is not lost to what another has recorded."""
    mine = record.once(Count, reads={}, make=counting()).to_json()

    record.seed({"count.1.json": b"theirs", "kept.1.json": b"theirs too"})

    assert record.contents() == {"count.1.json": mine, "kept.1.json": b"theirs too"}


def test_a_file_lies_under_its_digest_once(record: Record, tmp_path: Path) -> None:
    """Two pages that name the same model share it."""
    source = tmp_path / "model.onnx"
    source.write_bytes(b"model")

    first, again = record.keep(source, name="model.onnx"), record.keep(source, name="again.onnx")
    as_bytes = record.keep_bytes(b"model", name="model.onnx")

    assert first == as_bytes
    assert first.sha256 == again.sha256 == sha256_of(source)
    assert [path.name for path in (record.folder / "blobs").iterdir()] == [first.sha256]


def test_a_file_that_is_gone_or_changed_is_never_handed_out(record: Record) -> None:
    """A digest in a page is a promise about bytes."""
    file = record.keep_bytes(b"content", name="a.txt")
    path = record.path(file)

    path.write_bytes(b"CONTENT")
    with pytest.raises(DigestMismatch, match=r"does not hold the bytes of `a\.txt`") as changed:
        record.path(file)
    path.unlink()
    with pytest.raises(DigestMismatch, match=r"the file `a\.txt`, is missing"):
        record.path(file)

    assert changed.value.mend == f"delete {path}, then run the steps again"


def test_scratch_is_empty_each_time(record: Record) -> None:
    """Half of what a killed run wrote must not be read by the next."""
    (record.scratch("work") / "half").write_text("x")

    assert list(record.scratch("work").iterdir()) == []
    assert record.contents() == {}


def test_a_run_on_github_is_named_in_the_circumstances(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of the ledger wants the log; a comparison of pages does not."""
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "waiters/tip")

    page = record.once(Count, reads={}, make=counting())

    assert page.circumstances.run_url == "https://github.example/waiters/tip/actions/runs/7"


def test_the_commit_that_was_checked_out_is_told_beside_what_was_found(tmp_path: Path) -> None:
    """Whose judgement it was is asked a year later; a folder in no repository has nothing to tell."""
    git.run("init", "--quiet", "--initial-branch=main", ".", cwd=tmp_path)
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git.run(*person, "commit", "--quiet", "--allow-empty", "--message", "Begin", cwd=tmp_path)
    inside = Record(tmp_path / ".slipway" / "releases" / "tip", subject="tip@v1.0.0")

    assert inside.once(Count, reads={}, make=counting()).circumstances.tooling == git.head_commit(tmp_path)
    assert git.commit_here(Path("/nowhere/at/all")) is None


def test_a_cost_is_measured_once_and_told_beside_what_was_found(record: Record) -> None:
    """It differs from run to run, so it is no part of what pages are compared by; nor is it measured for nothing."""
    asked: list[float] = []

    def cost() -> Cost:
        asked.append(1.0)
        unknown = ModelCost(size=1, memory=None, load=float(len(asked)), p50=None, p99=None, batch=None)
        return Cost(platform="linux/amd64", batch_rows=1, candidate=unknown, ratios=())

    first = record.once(Count, reads={"a": "1"}, make=lambda: Count(number=1), cost=cost)
    again = record.once(Count, reads={"a": "1"}, make=lambda: Count(number=1), cost=cost)
    other = record.once(Count, reads={"a": "2"}, make=lambda: Count(number=1), cost=cost)
    back = record.once(Count, reads={"a": "1"}, make=lambda: Count(number=1), cost=cost)

    assert again == first
    assert len(asked) == 2
    assert first.circumstances.cost != other.circumstances.cost
    assert back.circumstances.cost == first.circumstances.cost
    assert back.says_the_same_as(first)
    assert record.once(Count, reads={"a": "3"}, make=lambda: Count(number=1)).circumstances.cost is None
