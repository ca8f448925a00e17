"""What a tag releases, and which tags are refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from slipway.adapters import git, manifests
from slipway.domain.policy import QuarantineEntry
from slipway.domain.tag import Bump
from slipway.errors import BadFile, BadTag, NotReleasable, SlipwayError, UnknownModel
from slipway.steps import resolve_tag

from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from, samples_table

_PROMISES = (Bump.PATCH, Bump.MINOR, Bump.MAJOR)


def refused(team: Team, tag: str, error: type[SlipwayError] = NotReleasable) -> SlipwayError:
    with pytest.raises(error) as caught:
        resolve_tag.run(tag, workplace=team.workplace)
    return caught.value


def quarantine(team: Team, version: str) -> None:
    entry = QuarantineEntry(model=MODEL, version=version, reason="answers late", by="Ada")
    path = team.root / "deploy" / "quarantine.yaml"
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    team.commit("Hold it back")


def test_the_first_release_is_compared_with_nothing(team: Team) -> None:
    """All later promises are measured against what this page says."""
    team.tag("tip@v1.0.0", "Begin")

    page = resolve_tag.run("tip@v1.0.0", workplace=team.workplace)

    identity = page.body
    assert (identity.bump, identity.compared, identity.deployed) == (Bump.FIRST, None, {ENVIRONMENT: None})
    assert identity.message == "Begin"
    assert identity.tagger == "Ada <ada@example.org>"
    assert identity.commit == git.head_commit(team.root)
    assert identity.declaration.name == MODEL
    assert (team.record("tip@v1.0.0").folder / identity.model_folder / "source" / "weights.json").is_file()


def test_a_later_release_brings_what_it_is_compared_with(live: Team) -> None:
    """The steps after this one hold no token: what is not fetched here, they cannot fetch."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 3))

    identity = resolve_tag.run("tip@v1.1.0", workplace=live.workplace).body

    record = live.record("tip@v1.1.0")
    assert identity.bump is Bump.MINOR
    assert identity.compared is not None and identity.compared.version == "v1.0.0"
    assert identity.compared.onnx is not None and record.path(identity.compared.onnx).is_file()
    assert identity.compared.golden is not None and record.path(identity.compared.golden).is_file()
    assert identity.deployed[ENVIRONMENT] == identity.compared
    assert identity.served is not None
    assert (identity.served.since, identity.served.until, identity.served.rows) == ("2026-02-25", "2026-03-03", 360)


def test_the_same_tag_resolves_to_the_same_page(live: Team) -> None:
    """A run that is started again must not look like another release."""
    first = resolve_tag.run("tip@v1.0.0", workplace=live.workplace)
    again = resolve_tag.run("tip@v1.0.0", workplace=live.workplace)

    assert again == first


def test_a_tag_that_is_no_version_is_refused(team: Team) -> None:
    """The mend is pasted by somebody in a hurry, so it has to be a tag that is taken."""
    error = refused(team, "tip@v1", BadTag)

    assert error.problem == "`tip@v1` is no release tag: a release is called NAME@vMAJOR.MINOR.PATCH"
    assert error.mend == "git tag -d tip@v1, then for example git tag -a tip@v1.0.0"


def test_a_lightweight_tag_is_refused(team: Team) -> None:
    """A release says who made it and why; a lightweight tag holds neither."""
    tag = team.tag("tip@v1.0.0", annotated=False)

    error = refused(team, tag, BadTag)

    assert error.problem == "`tip@v1.0.0` is a lightweight tag: it says neither who released nor why"
    assert error.mend == f"git tag -d tip@v1.0.0 && git tag -a tip@v1.0.0 {git.head_commit(team.root)[:12]}"


def test_an_undeclared_model_is_refused(team: Team) -> None:
    """A misspelt name must not read as a release of nothing."""
    tag = team.tag("tipp@v1.0.0")

    error = refused(team, tag, UnknownModel)

    commit = git.head_commit(team.root)[:12]
    assert error.problem == f"`tipp@v1.0.0`: commit {commit} has no models/tipp/model.yaml"
    assert error.mend == "slipway new-model tipp, commit, merge, then tag; or correct the tag's name"


def test_a_commit_that_is_not_on_the_default_branch_is_refused(team: Team) -> None:
    """Nobody reviewed it."""
    team.write_model(Tip(weight=0.03))
    commit = team.commit("Try something", push=False)
    tag = team.tag("tip@v1.0.0")

    error = refused(team, tag)

    assert error.problem == (
        f"`tip@v1.0.0` names commit {commit[:12]}, which is not on the branch `main` of origin: "
        "what was not reviewed and merged is not released"
    )
    assert error.mend == "merge the commit into main and push it, then tag the merged commit"


def test_a_second_version_on_one_commit_is_refused(live: Team) -> None:
    """Two versions of one commit would promise different things about the same files."""
    commit = git.commit_of(live.root, "tip@v1.0.0")
    git.run("tag", "--annotate", "--message", "Again", "tip@v1.0.1", commit, cwd=live.root)
    git.run("push", "--quiet", "origin", "refs/tags/tip@v1.0.1", cwd=live.root)

    error = refused(live, "tip@v1.0.1")

    assert error.problem == (
        f"commit {commit[:12]} is released as `tip@v1.0.0` already: one commit is one version of a model"
    )
    assert error.mend == "git tag -d tip@v1.0.1; commit the change that makes it another version, then tag that commit"


def test_the_version_that_was_first_on_a_commit_can_be_run_again(live: Team) -> None:
    """Somebody else's wrong tag must not stop a release that was cut off."""
    git.run("tag", "--annotate", "--message", "Again", "tip@v0.9.0", "tip@v1.0.0^{commit}", cwd=live.root)

    assert resolve_tag.run("tip@v1.0.0", workplace=live.workplace).body.version == "v1.0.0"


def test_before_anything_is_recorded_the_lower_version_of_a_commit_is_the_first(team: Team) -> None:
    """Some rule has to say which of two is meant, and no clock is to be trusted."""
    team.tag("tip@v1.0.0")
    team.tag("tip@v1.0.1")

    assert "released as `tip@v1.0.0` already" in refused(team, "tip@v1.0.1").problem
    assert resolve_tag.run("tip@v1.0.0", workplace=team.workplace).body.version == "v1.0.0"


def test_tags_that_are_no_release_do_not_count_as_versions(team: Team) -> None:
    """Teams have tags of their own, and other tools tag stages."""
    team.tag("tip@latest")
    team.tag("tip@v1.0.0")

    assert resolve_tag.run("tip@v1.0.0", workplace=team.workplace).body.version == "v1.0.0"


@pytest.mark.parametrize("version", ["v1.0.0", "*"])
def test_a_quarantined_version_is_refused(team: Team, version: str) -> None:
    """What was taken back does not come back by itself."""
    quarantine(team, version)
    tag = team.tag("tip@v1.0.0")

    error = refused(team, tag)

    assert error.problem == "`tip@v1.0.0` is quarantined by Ada: answers late"
    assert error.mend == (
        "release the mended model as v1.0.1, or let an owner take the entry out of deploy/quarantine.yaml"
    )


def test_a_moved_tag_is_refused(live: Team) -> None:
    """Somebody who reads v1.0.0 in a manifest must find what was judged under that name."""
    recorded = resolve_tag.run("tip@v1.0.0", workplace=live.workplace).body.tag_object
    live.publish("tip@v1.0.0", Tip(weight=0.021))

    error = refused(live, "tip@v1.0.0")

    now = git.resolve_tag(live.root, "tip@v1.0.0").object_id
    assert error.problem == (
        f"`tip@v1.0.0` was moved: the ledger knows it as tag object {recorded[:12]}, now it is {now[:12]}"
    )
    assert error.mend == "git tag -a tip@v1.0.1 on the new commit; a version is never used twice"


def test_a_moved_tag_is_refused_in_another_checkout(live: Team) -> None:
    """The ledger knows, whichever machine runs."""
    live.publish("tip@v1.0.0", Tip(weight=0.021))

    assert "was moved" in refused(live.clone("elsewhere"), "tip@v1.0.0").problem


def test_a_version_below_what_is_deployed_is_refused(live: Team) -> None:
    """A release that goes backwards is a way back, and that has a command of its own."""
    live.publish("tip@v0.9.0", Tip(weight=0.021))

    error = refused(live, "tip@v0.9.0")

    assert error.problem == "`tip@v0.9.0` is lower than v1.0.0, which production runs"
    assert error.mend == "tag a version above v1.0.0; to go back, use slipway rollback tip"


def drop_source(team: Team) -> None:
    git.run("rm", "-r", "--quiet", f"models/{MODEL}/source", cwd=team.root)


def drop_label(team: Team) -> None:
    team.write_model(samples=samples_table().drop_columns(["tip"]))


def drop_input(team: Team) -> None:
    team.write_model(samples=samples_table().drop_columns(["bill"]))


def words_for_bills(team: Team) -> None:
    table = samples_table()
    place = table.column_names.index("bill")
    team.write_model(samples=table.set_column(place, "bill", table["bill"].cast(pa.string())))


def no_rows(team: Team) -> None:
    team.write_model(samples=samples_table().slice(0, 0))


def no_parquet(team: Team) -> None:
    (team.folder / "samples" / "tables.parquet").write_text("late,early\n")


_SAMPLES = f"models/{MODEL}/samples/tables.parquet"


@pytest.mark.parametrize(
    ("damage", "error", "problem", "mend"),
    [
        (
            drop_source,
            UnknownModel,
            "models/tip/model.yaml: source: models/tip/source does not exist",
            "commit models/tip/source, or correct `source`",
        ),
        (
            drop_label,
            BadFile,
            f"{_SAMPLES} has no column `tip`; it has bill, kitchen, guests, time",
            "add the column, or correct its name in model.yaml",
        ),
        (
            drop_input,
            BadFile,
            f"{_SAMPLES} has no column `bill`; it has kitchen, guests, tip, time",
            "add the column, or correct its name in model.yaml",
        ),
        (
            words_for_bills,
            BadFile,
            f"{_SAMPLES}: column `bill` is string; model.yaml declares float32",
            "correct one of the two",
        ),
        (no_rows, BadFile, f"{_SAMPLES} has no rows", "write labelled rows that stand for production"),
        (no_parquet, BadFile, f"{_SAMPLES} is no Parquet file: ", f"write {_SAMPLES} again"),
    ],
)
def test_what_is_missing_or_otherwise_than_declared_is_named_in_the_teams_own_files(
    team: Team, damage: Callable[[Team], None], error: type[SlipwayError], problem: str, mend: str
) -> None:
    """The developer has never heard of our record; the path to mend is the one in the repository."""
    damage(team)
    team.commit("Damage")
    tag = team.tag("tip@v1.0.0")

    caught = refused(team, tag, error)

    assert caught.problem.startswith(problem)
    assert caught.mend == mend


def test_an_unknown_key_of_the_declaration_is_named_with_its_line(team: Team) -> None:
    """A misspelt key must not pass as no key."""
    team.edit(f"models/{MODEL}/model.yaml", "owners:", "owner:")
    team.commit("Misspell")
    tag = team.tag("tip@v1.0.0")

    error = refused(team, tag, BadFile)

    assert "model.yaml, line" in error.problem
    assert "owners" in error.problem + error.mend


# --- the working tree ---------------------------------------------------------------------------------------


def test_the_working_tree_gets_the_number_that_its_promise_has(live: Team) -> None:
    """`slipway check` judges what would be tagged, before anything is committed."""
    live.write_model(Tip(weight=0.0201))

    first = resolve_tag.run_on_working_tree(MODEL, workplace=live.workplace).body
    record = live.workplace.check(MODEL)
    found = {bump: resolve_tag.promise(bump, record, root=live.root).body for bump in _PROMISES}

    assert [one.tag for one in found.values()] == ["tip@v1.0.1", "tip@v1.1.0", "tip@v2.0.0"]
    assert [one.bump for one in found.values()] == list(_PROMISES)
    assert {one.tag_object for one in found.values()} == {""}
    assert first == found[Bump.PATCH]


def test_a_number_that_is_tagged_already_is_not_offered_again(live: Team) -> None:
    """A version that failed keeps its number; `git tag` would refuse it, after the developer had pasted it."""
    live.publish("tip@v1.1.0", Tip(weight=0.05))

    resolve_tag.run_on_working_tree(MODEL, workplace=live.workplace)
    identity = resolve_tag.promise(Bump.MINOR, live.workplace.check(MODEL), root=live.root).body

    assert (identity.tag, identity.bump) == ("tip@v1.2.0", Bump.MINOR)


def test_a_first_version_is_1_0_0_whatever_it_promises(team: Team) -> None:
    """There is nobody yet to promise anything to."""
    resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace)
    record = team.workplace.check(MODEL)
    found = [resolve_tag.promise(bump, record, root=team.root).body for bump in _PROMISES]

    assert {(one.tag, one.bump) for one in found} == {("tip@v1.0.0", Bump.FIRST)}


def test_another_number_changes_nothing_else(live: Team) -> None:
    """What was fetched for one number is what the other is measured with, where nothing can be fetched any more."""
    patch = resolve_tag.run_on_working_tree(MODEL, workplace=live.workplace).body
    live.lose_images()
    major = resolve_tag.promise(Bump.MAJOR, live.workplace.check(MODEL), root=live.root).body

    named = {"tag": patch.tag, "version": patch.version, "bump": patch.bump}
    assert major.model_copy(update=named) == patch


@pytest.mark.parametrize("name", ["README.md", "source/secret"])
def test_a_link_out_of_a_model_of_the_working_tree_is_refused(team: Team, tmp_path: Path, name: str) -> None:
    """The job that fetches has a token in its environment; a link of a stranger's would bring it into the record."""
    (tmp_path / "secret").write_text("token")
    (team.folder / name).unlink(missing_ok=True)
    (team.folder / name).symlink_to(tmp_path / "secret")

    with pytest.raises(BadFile, match=f"models/{MODEL}/{name} is a link to"):
        resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace)
    assert not (team.workplace.check(MODEL).folder / "blobs").exists()


def test_a_source_of_one_file_has_a_digest_of_its_own(team: Team) -> None:
    """Equal digests would bring back the conversion of another source."""
    team.edit(f"models/{MODEL}/model.yaml", "source: source", "source: source/weights.json")
    before = resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace).body.source_digest
    team.edit(f"models/{MODEL}/source/weights.json", "0.02", "0.03")
    after = resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace).body.source_digest

    assert before != after


def test_a_version_in_quarantine_is_no_base_for_the_next(newer: Team) -> None:
    """To answer as the version that production was sent back from is no merit: the promise is to those before it."""
    entry = "entries:\n  - {model: tip, version: v1.1.0, reason: it hurts, by: grace}\n"
    newer.write("deploy/quarantine.yaml", entry)
    newer.commit("Hold v1.1.0")
    tag = newer.publish("tip@v1.2.0", Tip(weight=0.0203))
    compared = resolve_tag.run(tag, workplace=newer.workplace).body.compared
    assert compared is not None
    assert compared.version == "v1.0.0"
