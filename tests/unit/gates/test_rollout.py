"""What is done about a version that does not run is decided from one page and one policy."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.repository import Repository
from slipway.domain.incident import Outcome
from slipway.domain.limits import Reversion
from slipway.domain.policy import Policies, Policy
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.verdict import Verdict
from slipway.gates import rollout, verdicts_of_rollout


def failure(**changes: Any) -> RolloutFailure:
    told = {
        "model": "tip",
        "environment": "production",
        "version": "v1.1.0",
        "digest": "sha256:" + "1" * 64,
        "commit": "c" * 40,
        "incident": "2026-04-01-rollout-failed-v1.1.0",
        "seen": date(2026, 4, 1),
        "problem": RolloutProblem.WRONG_ANSWERS,
        "said": "v1.1.0 answers otherwise",
        "log": (),
        "golden_rows": 50,
        "golden_equal": 7,
        "serves": "v1.1.0",
        "back_to": "v1.0.0",
        "back_to_digest": "sha256:" + "0" * 64,
        "put_back_after": None,
    }
    return RolloutFailure.model_validate({**told, **changes})


def policies(limit: dict[str, Any], *, enforce: str = "block") -> Policies:
    told = {"question": "Q?", "motivation": "M.", "remedy": "R.", "limit": limit, "enforce": enforce}
    policy = Policy[RolloutLimit].model_validate(told)
    return Repository.around(Path(__file__).parent).policies().model_copy(update={"rollout": policy})


@pytest.mark.parametrize(
    ("changes", "outcome", "why"),
    [
        ({}, Outcome.REVERT, ""),
        ({"back_to": None, "back_to_digest": None}, Outcome.UNCLEAR, "nothing that was verified ran in production"),
        ({"put_back_after": "v1.2.0"}, Outcome.UNCLEAR, "v1.1.0 was itself put back, after v1.2.0"),
    ],
)
def test_it_is_gone_back_where_a_version_is_there_to_go_back_to(
    changes: dict[str, Any], outcome: Outcome, why: str
) -> None:
    """And never twice: two versions would take turns, with nobody looking."""
    found = verdicts_of_rollout(failure(**changes), policies({}), policies_digest="sha256:p")

    assert (found.verdict, found.outcome) == (Verdict.FAIL, outcome)
    assert why in found.findings[1].problem
    assert bool(why) == bool(found.findings[1].mend)


@pytest.mark.parametrize("means", list(Reversion))
def test_how_is_the_policys(means: Reversion) -> None:
    """A team that wants to be asked first says so once."""
    found = verdicts_of_rollout(failure(), policies({"revert": means}), policies_digest="sha256:p")
    assert (found.outcome, found.means) == (Outcome.REVERT, means)


def test_in_audit_nothing_is_gone_back_from() -> None:
    """As of every policy: it tells, and nothing follows by itself."""
    found = verdicts_of_rollout(failure(), policies({"revert": "commit"}, enforce="audit"), policies_digest="sha256:p")
    assert found.means is Reversion.NEVER


@pytest.mark.parametrize(
    ("problem", "equal", "measured"),
    [
        (RolloutProblem.NEVER_READY, None, "never ready"),
        (RolloutProblem.WRONG_ANSWERS, 7, "7 of 50 golden answers"),
        (RolloutProblem.FELL_OVER, 50, "fell over"),
    ],
)
def test_what_was_measured_stands_beside_what_is_asked(
    problem: RolloutProblem, equal: int | None, measured: str
) -> None:
    """The issue shows both, so that a limit that is too short can be told from a model that is too slow."""
    limit = policies({"ready_seconds": 30, "settle_seconds": 5}).rollout.limit
    (finding, _) = rollout.judge_rollout(failure(problem=problem, golden_equal=equal), limit)

    assert finding.measured == measured
    assert finding.allowed == "ready within 30 s, all 50 golden answers, up for 5 s more"
