"""Did the inputs move away from what the model was trained on?

The limit is a *distance*: 0.15 means that for some cut-off, 15 of 100 rows lie elsewhere. A p-value would
fire when nothing changed. A feature that moves by more while nothing is wrong has a limit of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.domain.calibrated_limits import FeatureLimits, Null, limits_of
from slipway.domain.calibration import Calibration
from slipway.domain.incident import SELF_TEST, FeatureDrift, SelfTest, Window, WindowEvidence
from slipway.domain.limits import DriftLimit
from slipway.domain.verdict import Finding, Verdict
from slipway.maths.calibration import ENOUGH_BLOCKS

_MISTRUST = (
    "believe nothing that the watch says of drift before this passes: lower `distance` in policies/drift.yaml if it is "
    "a half or more, else update Slipway and tell its maintainers"
)
_LEAST_MISSING = 0.01  # a share that is noticed, where values are never missing in the reference


@dataclass(frozen=True, slots=True)
class _Compared:
    """A feature of a window, beside what it is held to."""

    drift: FeatureDrift
    limits: FeatureLimits

    @property
    def margin(self) -> float:
        return self.limits.distance.value - self.drift.low

    @property
    def exceeds(self) -> bool:
        return self.limits.exceeded_by(self.drift.low, null_rate_change=self.drift.null_rate_change)

    @property
    def is_unusual(self) -> bool:
        """Beyond what it does by itself; never where that is not known."""
        usual, missing = self.limits.distance.usual, self.limits.null_rate.usual
        far = usual is not None and self.drift.low > usual
        return far or (missing is not None and abs(self.drift.null_rate_change) > max(_LEAST_MISSING, missing))


@dataclass(frozen=True, slots=True)
class _Looked:
    """A window, its features held to what its season and its rows allow; nothing is held to too few rows."""

    window: Window
    features: tuple[_Compared, ...]
    enough: bool

    @property
    def exceeding(self) -> frozenset[str]:
        return frozenset(one.drift.feature for one in self.features if self.enough and one.exceeds)

    @property
    def unusual(self) -> frozenset[str]:
        return frozenset(one.drift.feature for one in self.features if self.enough and one.is_unusual)

    def moved_answers(self, limit: DriftLimit) -> frozenset[str]:
        """Outputs that lie elsewhere; none where only few rows tell what was answered."""
        plain = FeatureLimits.of_policy(limit)
        return frozenset(
            one.feature
            for one in self.window.outputs
            if self.window.rows - self.window.counted >= limit.rows
            and plain.exceeded_by(one.low, null_rate_change=one.null_rate_change)
        )

    @property
    def nearest(self) -> _Compared | None:
        """To its limit, or farthest beyond it."""
        return min(self.features, key=lambda one: (one.margin, one.drift.feature), default=None)

    def of(self, feature: str) -> _Compared:
        return next(one for one in self.features if one.drift.feature == feature)


def judge_window(evidence: WindowEvidence, limit: DriftLimit) -> tuple[Finding, ...]:
    """Fail when the same feature exceeds in `windows` of the last `of_last` windows; a schema break at once.

    What is as often beyond what it does by itself, and within its limit, is a notice and no incident; so are answers
    that moved, since they move with the world, too. A watch that answers wrongly about a copy that is known is an alarm
    itself.
    """
    recent = [_look(one, limit, evidence.calibration) for one in (*evidence.earlier, evidence.window)[-limit.of_last :]]
    nearest = recent[-1].nearest
    verdict, problem = _verdict(recent, limit)
    return (
        Finding(
            gate="drift",
            title="Did inputs drift?",
            verdict=verdict,
            measured=_measured(recent[-1]),
            allowed=_allowed(nearest, evidence.calibration, limit),
            margin=f"{nearest.margin:+.3f}" if nearest else "–",
            problem=problem,
            mend="look at the feature where it is made: a sensor, a join, a unit or a default" if problem else "",
            notice="; ".join(filter(None, [_notice(recent, limit), _answers_moved(recent, limit)])),
        ),
        *([_trust(evidence, evidence.self_test, limit)] if evidence.self_test else []),
    )


def _trust(evidence: WindowEvidence, tested: SelfTest, limit: DriftLimit) -> Finding:
    """The copies are judged by the rule, the policy and the limits that the window is judged by."""
    clean, drifted = (
        _look(_as_window(evidence.window, drift, tested, limit), limit, evidence.calibration)
        for drift in (tested.clean, tested.drifted)
    )
    wrong = [*tested.schema_breaks, *_cried_wolf(clean, limit), *_slept(drifted, tested, limit)]
    return Finding(
        gate="drift",
        title=SELF_TEST,
        verdict=Verdict.FAIL if wrong else Verdict.PASS,
        measured="not on copies that are known" if wrong else "clean copy quiet, drifted copy found",
        allowed="both",
        margin="–",
        problem="; ".join(wrong),
        mend=_MISTRUST if wrong else "",
    )


def _as_window(window: Window, drift: tuple[FeatureDrift, ...], tested: SelfTest, limit: DriftLimit) -> Window:
    return window.model_copy(
        update={"drift": drift, "rows": max(tested.rows, limit.rows), "schema_breaks": tested.schema_breaks}
    )


def _cried_wolf(clean: _Looked, limit: DriftLimit) -> list[str]:
    verdict, problem = _verdict([clean] * limit.of_last, limit)
    return [f"of a copy of the reference it says: {problem}"] if verdict is not Verdict.PASS else []


def _slept(drifted: _Looked, tested: SelfTest, limit: DriftLimit) -> list[str]:
    """A feature whose limit is as much as was moved is not asked, unless that is so of all."""
    verdict, _ = _verdict([drifted] * limit.of_last, limit)
    asked = [one for one in drifted.features if one.limits.distance.value < tested.moved]
    missed = [f"`{one.drift.feature}`" for one in asked if not one.exceeds]
    if verdict is Verdict.FAIL and not missed:
        return []
    return [f"of a copy with {tested.moved:.0%} of its rows elsewhere it does not find {', '.join(missed) or 'any'}"]


def _look(window: Window, limit: DriftLimit, calibration: Calibration | None) -> _Looked:
    limits = limits_of(calibration, limit, day=window.start, rows=window.rows)
    plain = FeatureLimits.of_policy(limit)
    features = tuple(_Compared(one, limits.get(one.feature, plain)) for one in window.drift)
    return _Looked(window, features, enough=window.rows >= limit.rows)


def _verdict(recent: Sequence[_Looked], limit: DriftLimit) -> tuple[Verdict, str]:
    newest = recent[-1]
    if newest.window.schema_breaks:
        return Verdict.FAIL, "; ".join(newest.window.schema_breaks)
    if not newest.enough:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{newest.window.rows:,} rows were served; the policy asks for {limit.rows:,}",
        )
    times = limit.times_exceeded([one.exceeding for one in recent])
    red = sorted(feature for feature, count in times.items() if count >= limit.windows)
    if red:
        return Verdict.FAIL, "; ".join(_sentence(newest.of(feature), times[feature], limit) for feature in red)
    if times:
        first = sorted(times)[0]
        return Verdict.NOT_ENOUGH_EVIDENCE, _sentence(newest.of(first), times[first], limit)
    return Verdict.PASS, ""


def _sentence(one: _Compared, times: int, limit: DriftLimit) -> str:
    return (
        f"`{one.drift.feature}` moved by {_distance(one.drift)}, beyond {_beyond(one)} in {times} of the last "
        f"{limit.of_last} windows ({limit.windows} make an incident)"
    )


def _beyond(one: _Compared) -> str:
    """The limit that it is beyond, of the two that it has."""
    if one.margin < 0:
        return f"{one.limits.distance.value:.2f}"
    return f"{one.limits.null_rate.value:.1%} missing more or less"


def _notice(recent: Sequence[_Looked], limit: DriftLimit) -> str:
    newest = recent[-1]
    times = limit.times_exceeded([one.unusual for one in recent])
    told = sorted(name for name, count in times.items() if count >= limit.windows and name not in newest.exceeding)
    return "; ".join(_noticed(newest.of(name), times[name], limit) for name in told)


def _noticed(one: _Compared, times: int, limit: DriftLimit) -> str:
    distance, missing = one.limits.distance, one.limits.null_rate
    return (
        f"`{one.drift.feature}` moved by {_distance(one.drift)} in {times} of the last {limit.of_last} windows, more "
        f"than by itself ({distance.usual or 0:.3f}, {missing.usual or 0:.1%} missing) and within its limit "
        f"({distance.value:.2f}, {missing.value:.1%})"
    )


def _answers_moved(recent: Sequence[_Looked], limit: DriftLimit) -> str:
    """By the policy's own limits: what answers do by themselves is not known."""
    newest = recent[-1].window
    times = limit.times_exceeded([one.moved_answers(limit) for one in recent])
    told = [one for one in newest.outputs if times.get(one.feature, 0) >= limit.windows]
    moved = [f"`{one.feature}` {_distance(one)} from what it answered at release" for one in told]
    counted = f" ({newest.counted:,} of {newest.rows:,} rows are counts of inputs: outputs not counted there)"
    return f"answers moved: {', '.join(moved)}{counted if newest.counted else ''}" if moved else ""


def _distance(one: FeatureDrift) -> str:
    nulls = f", {one.null_rate_change:+.1%} missing" if abs(one.null_rate_change) >= 0.001 else ""
    return f"{one.measure} {one.low:.3f}{nulls}"


def _measured(newest: _Looked) -> str:
    nearest = newest.nearest
    if nearest is None:
        return "nothing to compare"
    largest = max(one.drift.low for one in newest.features)
    rank = "the largest" if nearest.drift.low == largest else "the nearest to its limit"
    return f"{nearest.drift.feature} {_distance(nearest.drift)}, {rank}"


def _allowed(nearest: _Compared | None, calibration: Calibration | None, limit: DriftLimit) -> str:
    value = nearest.limits.distance.value if nearest else limit.distance
    if calibration is None:
        return f"≤ {value:.2f}"
    if nearest is None or not nearest.limits.distance.calibrated:
        blocks = Null(calibration, limit).blocks
        return f"≤ {value:.2f} (uncalibrated: {blocks} of {ENOUGH_BLOCKS} calendar blocks)"
    return f"≤ {value:.2f} (99 % of its own windows)" if value > limit.distance else f"≤ {value:.2f}"
