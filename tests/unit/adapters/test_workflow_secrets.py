"""Secrets are found where jobs are given them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters.workflow_secrets import passed
from slipway.domain.checkup.secrets import LABELS, SERVED_LOG, WEBHOOK

from tests.team import ROOT


def test_the_workflows_of_the_template_pass_all_that_doctor_looks_for() -> None:
    """Else every new repository would be told of a defect of ours."""
    found = passed(ROOT)
    assert {WEBHOOK, SERVED_LOG, LABELS} <= found["watch.yml"]
    assert WEBHOOK in found["rollout.yml"]
    assert SERVED_LOG in found["release.yml"] & found["rebase.yml"]


def test_a_comment_passes_nothing(tmp_path: Path) -> None:
    """Who switches a line off means it; two names on one line are two."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text("a: ${{ secrets.ONE || secrets.TWO }} # secrets.THREE\n# b: ${{ secrets.FOUR }}\n")
    assert passed(tmp_path) == {"x.yml": {"ONE", "TWO"}}


def test_a_checkout_without_workflows_passes_nothing(tmp_path: Path) -> None:
    """On another forge there are none."""
    assert passed(tmp_path) == {}
