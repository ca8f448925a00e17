"""What rules of going back make of weeks of answers: ours as the watch asks it, and what else people do.

Ours is measured by `measures.previous_version`, judged by the gates and told by `steps.judge`; of the metrics there is
F1 alone, which is what the policy asks for. Inputs are not compared: drift has no part in going back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from slipway.adapters.repository import read_policies
from slipway.domain.decisions import scored
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import Outcome, PreviousEvidence, Window, WindowEvidence
from slipway.domain.limits import PreviousVersionLimit
from slipway.domain.model import Decision
from slipway.domain.policy import Policies, Policy
from slipway.domain.rows import LabelledRows
from slipway.domain.verdict import Estimate, Verdict, estimate_of, worst
from slipway.gates import findings_of_window
from slipway.maths.named_metrics import BY_NAME
from slipway.maths.scoring import estimate
from slipway.measures import previous_version
from slipway.steps.judge import may_decide, outcome_of

TRAILING = 4  # weeks: the policy's 28 days
BEFORE = TRAILING - 1  # weeks before the change, which the first trailing window holds, too
AFTER = 4  # weeks that are judged
OURS, ONE_WINDOW, ON_ALARM, MCNEMAR = "ours", "ours, one window", "on the alarm", "McNemar on the alarm"
RULES = (OURS, ONE_WINDOW, ON_ALARM, MCNEMAR)
DECISION = Decision(output="p", threshold=0.5)
_ANY_MODEL = "any-model"  # no policy has an entry for it
_SEED = 20130101
_FIRST = date(2013, 1, 7)
_POLICIES = Path(__file__).resolve().parents[2] / "policies"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """What came true, on which of the week's days, and what both versions said of the same rows; each of shape (N,)."""

    days: npt.NDArray[np.int64]
    labels: Bools
    deployed: Bools
    previous: Bools


@dataclass(frozen=True, slots=True)
class Judged:
    """A week after the change: which rules go back now, whether the metric alarms, and what going back would win."""

    reverts: frozenset[str]
    alarm: bool
    gain: Estimate | None
    deployed: Estimate | None

    def told(self) -> str:
        gain = "no gain" if self.gain is None else f"gain {self.gain}"
        return f"{gain}, F1 {self.deployed}{', alarm' if self.alarm else ''}"


@dataclass(frozen=True, slots=True)
class Rules:
    """`ours` is the repository's policy, and `once` the same without asking for a second window."""

    ours: Policies
    once: Policies

    @classmethod
    def of_repository(cls) -> Rules:
        """What holds for a model that no policy names."""
        policies = read_policies(_POLICIES)
        return cls(policies, _asking_once(policies))

    def judged(self, weeks: Sequence[Week], *, at_release: Estimate) -> tuple[Judged, ...]:
        """Each week after the first `BEFORE`, as the watch sees it: with those before, and the trailing four."""
        windows: tuple[Window, ...] = ()
        found = []
        for number in range(len(weeks)):
            trailing = weeks[number - BEFORE : number + 1] if number >= BEFORE else ()
            windows = (*windows, _window(number, weeks[number], trailing))
            if trailing:
                found.append(self._judge(windows, weeks[number], at_release))
        return tuple(found)

    def _judge(self, windows: tuple[Window, ...], week: Week, at_release: Estimate) -> Judged:
        evidence, replayed = _evidence(windows, at_release), windows[-1].previous
        told, once = (_told(evidence, policies) for policies in (self.ours, self.once))
        alarm = told["metrics"] is Verdict.FAIL
        asked = {
            OURS: outcome_of(told) is Outcome.REVERT,
            ONE_WINDOW: outcome_of(once) is Outcome.REVERT,
            ON_ALARM: alarm,
            MCNEMAR: alarm and _more_often_right(week),
        }
        return Judged(
            reverts=frozenset(rule for rule, reverts in asked.items() if reverts),
            alarm=alarm,
            gain=replayed.gain if replayed else None,
            deployed=replayed.deployed if replayed else None,
        )


def f1(weeks: Sequence[Week]) -> Estimate | None:
    """Of the deployed version on all rows of some weeks."""
    rows = _rows(weeks)
    found = scored(rows, {"p": _column(weeks, "deployed")}, DECISION, labelled_by=DECISION)
    assert found is not None  # one decision is of one kind
    return estimate_of(estimate(BY_NAME["f1"], found, seed=_SEED))


def _asking_once(policies: Policies) -> Policies:
    limit = policies.previous_version.limit
    once = limit.model_copy(update={"windows": 1})
    policy: Policy[PreviousVersionLimit] = policies.previous_version.model_copy(update={"limit": once})
    return policies.model_copy(update={"previous_version": policy})


def _told(evidence: WindowEvidence, policies: Policies) -> dict[str, Verdict]:
    found = findings_of_window(evidence, policies)
    return {name: worst(may_decide(finding) for finding in findings) for name, findings in found.items()}


def _window(number: int, week: Week, trailing: Sequence[Week]) -> Window:
    start = _FIRST + timedelta(weeks=number)
    return Window(
        start=start,
        end=start + timedelta(days=6),
        version="v1.1.0",
        rows=len(week.labels),
        labelled=len(week.labels),
        drift=(),
        schema_breaks=(),
        trailing=_metrics(trailing) if trailing else None,
        previous=_replayed(week),
    )


def _replayed(week: Week) -> PreviousEvidence:
    return previous_version.measure(
        _rows([week]),
        version="v1.0.0",
        deployed={"p": week.deployed.astype(np.float64)},
        previous={"p": week.previous.astype(np.float64)},
        decision=DECISION,
        previous_decision=DECISION,
    )


def _metrics(weeks: Sequence[Week]) -> MetricsEvidence:
    rows = _rows(weeks)
    return MetricsEvidence(
        rows=len(rows),
        positives=int(rows.labels.sum()),
        days=len(np.unique(rows.days)),
        metrics={"f1": f1(weeks)},
        always_positive_f1=0.0,
        auc=None,
    )


def _evidence(windows: tuple[Window, ...], at_release: Estimate) -> WindowEvidence:
    return WindowEvidence(
        model=_ANY_MODEL,
        environment="production",
        digest="sha256:" + "0" * 64,
        window=windows[-1],
        earlier=windows[:-1],
        at_release={"f1": at_release},
        back_to="v1.0.0",
        back_to_digest="sha256:" + "1" * 64,
        open_incident=None,
    )


def _rows(weeks: Sequence[Week]) -> LabelledRows:
    labels, days = np.concatenate([week.labels for week in weeks]), np.concatenate(list(_days(weeks)))
    return LabelledRows(batch={}, labels=labels, days=days, counts=np.ones(len(labels), np.bool_))


def _days(weeks: Sequence[Week]) -> Iterator[npt.NDArray[np.int64]]:
    """No two weeks share one, whatever each calls its days."""
    return (7 * number + week.days % 7 for number, week in enumerate(weeks))


def _column(weeks: Sequence[Week], name: str) -> npt.NDArray[Any]:
    return np.concatenate([getattr(week, name) for week in weeks]).astype(np.float64)


def _more_often_right(week: Week) -> bool:
    """McNemar's exact test of accuracy, p < 0.05, and the version before is ahead."""
    now, before = week.deployed == week.labels, week.previous == week.labels
    won, lost = int((before & ~now).sum()), int((now & ~before).sum())
    return won > lost and bool(binomtest(won, won + lost).pvalue < 0.05)
