"""Whom a change of the policies hits, as its reviewer reads it."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.proposed import ChangedFinding, Rejudged, Rejudgement, Unjudged
from slipway.domain.verdict import Finding, Verdict
from slipway.reports.rejudgement import headline, rejudgement, rejudgement_in_markdown
from syrupy.assertion import SnapshotAssertion

from tests.unit.reports.github import elements, html_in, tables_of, text_outside_of_code

HOSTILE = "|<img src=x onerror=alert(1)>\n| `a` @team fixes #1 ](http://evil) \N{RIGHT-TO-LEFT OVERRIDE}::error::no"


def finding(verdict: Verdict, floor: str, **changes: str) -> Finding:
    told: dict[str, Any] = {"gate": "metrics", "title": "F1", "measured": "0.647 [0.631, 0.662]", **changes}
    return Finding(verdict=verdict, allowed=f"≥ {floor}", **told)


def version(tag: str, before: Verdict, after: Verdict, *changed: ChangedFinding) -> Rejudged:
    return Rejudged(environment="production", tag=tag, before=before, after=after, changed=changed)


STRICTER = ChangedFinding(
    before=finding(Verdict.PASS, "0.60"),
    after=finding(Verdict.FAIL, "0.70", problem="F1 is 0.647 [0.631, 0.662] on held-out rows, below its floor 0.70"),
)
NEW = ChangedFinding(before=None, after=finding(Verdict.NOT_ENOUGH_EVIDENCE, "100 positives", title="Recall"))
FAILS = version("flight-delay@v1.4.0", Verdict.PASS, Verdict.FAIL, STRICTER, NEW)
STAYS = version("churn@v2.0.1", Verdict.PASS, Verdict.PASS)
LOST = Unjudged(
    environment="staging",
    model="late-fee",
    problem="the ledger has no page `evidence` of late-fee@v1.0.0, so it cannot be judged again",
    mend="run the release of late-fee@v1.0.0 again: it records what is missing",
)
SOME = Rejudgement(judged=(STAYS, FAILS), unjudged=(LOST,))


def test_who_would_fail_in_markdown(markdown_file: SnapshotAssertion) -> None:
    """The verdict first, then each version, then why: folded, for there may be forty."""
    assert rejudgement_in_markdown(SOME) == markdown_file


def test_who_would_fail_in_the_terminal(text_file: SnapshotAssertion) -> None:
    """On a laptop, before anything is pushed."""
    assert rejudgement(SOME) == text_file


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Rejudgement(judged=(), unjudged=()), "Nothing is deployed."),
        (Rejudgement(judged=(STAYS,), unjudged=()), "No verdict changes: 1 deployed."),
        (Rejudgement(judged=(), unjudged=(LOST,)), "Of what is deployed, 1 could not be judged again."),
        (Rejudgement(judged=(STAYS, FAILS), unjudged=()), "Of what is deployed, 1 of 2 would fail."),
        (
            Rejudgement(
                judged=(
                    version("a@v1.0.0", Verdict.PASS, Verdict.NOT_ENOUGH_EVIDENCE),
                    version("b@v1.0.0", Verdict.FAIL, Verdict.PASS),
                    version("c@v1.0.0", Verdict.FAIL, Verdict.FAIL),
                ),
                unjudged=(),
            ),
            "Of what is deployed, 1 of 3 would lack evidence. 1 of 3 would pass, and does not today.",
        ),
    ],
)
def test_the_first_sentence_says_what_it_comes_to(found: Rejudgement, said: str) -> None:
    """Most readers stop there; a version that fails already is no news."""
    assert headline(found) == said
    assert said in rejudgement_in_markdown(found)
    assert rejudgement(found).startswith(said)


def test_a_hostile_text_changes_its_own_cell_alone() -> None:
    """Titles hold names that users chose, and a folder under deploy/ may be called anything."""
    changed = ChangedFinding(before=None, after=finding(Verdict.FAIL, "1", title=HOSTILE, problem=HOSTILE))
    row = Unjudged(environment=HOSTILE, model=HOSTILE, problem=HOSTILE, mend=HOSTILE)
    tame, hostile = (
        rejudgement_in_markdown(
            Rejudgement(
                judged=(version("a@v1.0.0", Verdict.PASS, Verdict.FAIL, found),),
                unjudged=(row.model_copy(update=dict.fromkeys(("environment", "model", "problem", "mend"), text)),),
            )
        )
        for found, text in (
            (changed.model_copy(update={"after": finding(Verdict.FAIL, "1", problem="b")}), "b"),
            (changed, HOSTILE),
        )
    )

    assert [[len(line) for line in table] for table in tables_of(hostile)] == [
        [len(line) for line in table] for table in tables_of(tame)
    ]
    assert html_in(hostile) - {"<code>", "</code>"} == html_in(tame)
    assert elements(hostile).count("list_item_open") == elements(tame).count("list_item_open")
    assert "@team" not in text_outside_of_code(hostile) and "\n::error::" not in hostile
