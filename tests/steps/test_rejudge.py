"""A change of a policy, told by the versions that it would hit: what runs in production passed under another one."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from slipway.adapters import git
from slipway.domain.proposed import ChangedFinding, Rejudged, Rejudgement
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile
from slipway.reports.rejudgement import rejudgement_in_markdown, waivers_told
from slipway.steps import rejudge

from tests.team import ENVIRONMENT, MODEL, TODAY, Team

_METRICS = "policies/metrics.yaml"


def rejudged(team: Team, *, today: date = TODAY) -> Rejudgement:
    """Under the policies of the working tree."""
    place = team.workplace
    return rejudge.run(policies=place.repository.policies(), today=today, workplace=place)


def only(found: Rejudgement) -> Rejudged:
    assert found.unjudged == ()
    (one,) = found.judged
    return one


def told(changed: ChangedFinding) -> tuple[str, str, str]:
    assert changed.before is not None and changed.after is not None
    return changed.after.title, f"{changed.before.allowed} → {changed.after.allowed}", changed.after.verdict


def test_the_same_policies_say_the_same(live: Team) -> None:
    """A comment changes the files, and no verdict."""
    live.write(_METRICS, (live.root / _METRICS).read_text() + "# to be discussed\n")

    assert only(rejudged(live)) == Rejudged(
        environment=ENVIRONMENT, tag="tip@v1.0.0", before=Verdict.PASS, after=Verdict.PASS, changed=()
    )


def test_a_stricter_floor_tells_who_would_fail_and_by_which_finding(live: Team) -> None:
    """The reviewer of a policy must see whom it hits before it is merged, and not in the next release."""
    live.edit(_METRICS, "floor: 0.75", "floor: 0.99")

    one = only(rejudged(live))

    assert (one.before, one.after) == (Verdict.PASS, Verdict.FAIL)
    assert [told(changed) for changed in one.changed] == [("F1", "≥ 0.75 → ≥ 0.99", Verdict.FAIL)]


def test_a_limit_that_is_still_kept_is_told_as_a_change_and_no_failure(live: Team) -> None:
    """A margin that shrinks is worth a look."""
    live.edit(_METRICS, "floor: 0.75", "floor: 0.76")

    one = only(rejudged(live))

    assert (one.before, one.after) == (Verdict.PASS, Verdict.PASS)
    assert [told(changed) for changed in one.changed] == [("F1", "≥ 0.75 → ≥ 0.76", Verdict.PASS)]


def test_a_finding_that_only_one_side_asks_for_stands_alone(live: Team) -> None:
    """A metric is added to the policy, and taken out of it again."""
    live.edit(_METRICS, "positives: 100", "recall: {floor: 0.1}\n  positives: 100")
    (added,) = only(rejudged(live)).changed
    assert added.before is None and added.after is not None and added.after.title == "Recall"

    live.commit("Ask for recall")
    live.edit(_METRICS, "recall: {floor: 0.1}\n  ", "")
    (removed,) = only(rejudged(live)).changed
    assert removed.after is None and removed.before is not None and removed.before.title == "Recall"


def test_a_failure_that_the_change_does_not_touch_still_counts(live: Team) -> None:
    """Gates whose policy is the same are asked once: what they found holds under both."""
    live.edit(_METRICS, "floor: 0.75", "floor: 0.99")
    live.commit("Ask for more")
    live.edit("policies/budgets.yaml", "question: ", "question: Again, ")

    one = only(rejudged(live))

    assert (one.before, one.after, one.changed) == (Verdict.FAIL, Verdict.FAIL, ())


def test_an_override_for_another_model_changes_nothing(live: Team) -> None:
    """It is judged as a release is: by the limit of its own model."""
    override = "models:\n  {}: {{reason: it was measured, limit: {{f1: {{floor: 0.99}}}}}}\n"
    text = (live.root / _METRICS).read_text()
    live.write(_METRICS, text + override.format("bill"))
    assert only(rejudged(live)).changed == ()

    live.write(_METRICS, text + override.format(MODEL))
    assert only(rejudged(live)).after is Verdict.FAIL


def test_a_waiver_counts_until_its_day(live: Team) -> None:
    """Taken out of a policy, or run out, it leaves a deployed version without its excuse."""
    text = (live.root / _METRICS).read_text().replace("floor: 0.75", "floor: 0.99")
    waiver = "{model: tip, version: v1.0.0, reason: The floor is new, by: '@lead', until: 2026-06-01}"
    live.write(_METRICS, f"{text}\nwaivers: [{waiver}]\n")

    waived, over = only(rejudged(live)), only(rejudged(live, today=date(2026, 6, 2)))
    live.commit("Ask for more, but not of v1.0.0")
    live.write(_METRICS, text)
    taken_out = only(rejudged(live))

    assert (waived.before, waived.after) == (Verdict.PASS, Verdict.PASS)
    assert waived.changed[0].after is not None and "waived by @lead" in waived.changed[0].after.problem
    assert (over.before, over.after) == (Verdict.PASS, Verdict.FAIL)
    assert (taken_out.before, taken_out.after) == (Verdict.PASS, Verdict.FAIL)
    assert [one.why for one in over.void_waivers] == ["a waiver of @lead expired on 2026-06-01"]


@pytest.mark.parametrize(
    ("model", "version", "told"),
    [
        ("tipp", "v1.0.0", "policies/metrics.yaml: a waiver of tipp v1.0.0, and there is no model of that name"),
        ("tip", "v1.0.9", "policies/metrics.yaml: a waiver of tip v1.0.9, which was never released"),
    ],
)
def test_a_waiver_of_nobody_is_told(live: Team, model: str, version: str, told: str) -> None:
    """It lets nothing through, and its author would find out on the day of the release."""
    waiver = f"{{model: {model}, version: {version}, reason: The floor is new, by: '@lead', until: 2026-06-01}}"
    live.write(_METRICS, (live.root / _METRICS).read_text() + f"\nwaivers: [{waiver}]\n")

    assert waivers_told(rejudged(live)) == [told]
    assert f"- {told}" in rejudgement_in_markdown(rejudged(live)).replace("\\", "")


def test_every_environment_has_a_row(live: Team) -> None:
    """The version that is tried out in staging is hit as well, and may be another one."""
    manifest = (live.root / "deploy" / ENVIRONMENT / MODEL / "kustomization.yaml").relative_to(live.root)
    git.run("pull", "--quiet", "origin", "main", cwd=live.root)
    live.write(f"deploy/staging/{MODEL}/kustomization.yaml", (live.root / manifest).read_text())
    live.commit("Try it out")

    assert [one.environment for one in rejudged(live).judged] == [ENVIRONMENT, "staging"]


@pytest.mark.parametrize("kind", ["identity", "evidence", "rehearsal"])
def test_a_version_without_a_page_is_told_by_name_and_is_no_verdict(live: Team, kind: str) -> None:
    """An image by hand, or a ledger that was cut: nobody knows, and that must not read as a pass."""
    head = live.workplace.forge.head("ledger")
    live.workplace.forge.commit("ledger", onto=head, changes={f"tip/v1.0.0/{kind}.1.json": None}, message="Lose it\n")

    found = rejudged(live)

    (row,) = found.unjudged
    assert found.judged == ()
    assert (row.environment, row.model) == (ENVIRONMENT, MODEL)
    assert row.problem == f"the ledger has no page `{kind}` of tip@v1.0.0, so it cannot be judged again"
    assert "run the release of tip@v1.0.0 again" in row.mend


@pytest.mark.parametrize(
    ("folder", "content", "said"),
    [
        ("broken", f"images: [{{name: broken, newTag: latest, digest: sha256:{'0' * 64}}}]\n", "newTag"),
        ("Tip_2", f"images: [{{name: Tip_2, newTag: v1.0.0, digest: sha256:{'0' * 64}}}]\n", "Tip_2"),
    ],
)
def test_a_manifest_that_cannot_be_read_stops_no_other(live: Team, folder: str, content: str, said: str) -> None:
    """One team's slip must not hide whom a policy hits."""
    live.write(f"deploy/{ENVIRONMENT}/{folder}/kustomization.yaml", content)
    live.commit("By hand")

    found = rejudged(live)

    assert [one.tag for one in found.judged] == ["tip@v1.0.0"]
    (row,) = found.unjudged
    assert row.model == folder and said in row.problem


def test_nothing_deployed_is_no_error(team: Team) -> None:
    """The first policies are written before the first release."""
    assert rejudged(team) == Rejudgement(judged=(), unjudged=())


def test_the_newest_pages_count(live: Team) -> None:
    """A release that ran twice has two pages of a kind; judged is by what was measured last."""
    pages = live.history.pages_of(next(iter(live.history.passed_versions(MODEL))))
    better = pages["evidence.1.json"].replace(b'"number": 1', b'"number": 10').replace(b'"low": 0.', b'"low": 0.99')
    head = live.workplace.forge.head("ledger")
    changes = {"tip/v1.0.0/evidence.10.json": better, "tip/v1.0.0/evidence.2.json": pages["evidence.1.json"]}
    live.workplace.forge.commit("ledger", onto=head, changes=changes, message="Measure again\n")
    live.edit(_METRICS, "floor: 0.75", "floor: 0.98")

    assert only(rejudged(live)).after is Verdict.PASS


def test_policies_of_the_default_branch_that_cannot_be_read_are_named(live: Team) -> None:
    """They were merged past every check; nobody can say what is different from nothing."""
    live.edit(_METRICS, "positives:", "postives:")
    live.commit("Merge it anyway")
    live.edit(_METRICS, "postives:", "positives:")

    with pytest.raises(BadFile, match=r"main:policies/metrics\.yaml, line \d+: unknown key `limit\.postives`"):
        rejudged(live)


def test_no_framework_and_no_table_is_loaded_for_it(live: Team) -> None:
    """It runs on every change of a policy, over all that is deployed: seconds a model would be minutes."""
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from slipway.adapters.workplace import Workplace\nfrom slipway.steps import rejudge\n"
        "from datetime import date\n"
        "place = Workplace.around(Path.cwd())\n"
        "found = rejudge.run(policies=place.repository.policies(), today=date(2026, 6, 1), workplace=place)\n"
        "print(len(found.judged), *sorted({'onnxruntime', 'pyarrow', 'tensorflow', 'onnx'} & set(sys.modules)))\n"
    )
    paths = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=live.root,
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1\n"
