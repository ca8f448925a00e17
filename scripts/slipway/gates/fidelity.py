"""Does the ONNX file give the answers of its source?"""

from __future__ import annotations

from slipway.domain.case import ReleaseCase
from slipway.domain.policy import FidelityLimit
from slipway.domain.release import FidelityEvidence
from slipway.domain.verdict import Finding, Verdict


def judge(case: ReleaseCase, limit: FidelityLimit) -> tuple[Finding, ...]:
    measured = case.evidence.fidelity
    allowed = tolerance(measured, limit)
    flips = sum(margin > allowed for margin in measured.flip_margins)
    verdict, problem, mend = _verdict(measured, limit, allowed=allowed, flips=flips)
    return (
        Finding(
            gate="fidelity",
            title="Same answers as source",
            verdict=verdict,
            measured=f"max {measured.largest_difference:.1e} on {measured.rows:,} rows, {flips:,} flips",
            allowed=f"{allowed:.1e}, {limit.flips} flips",
            margin=f"{allowed / measured.largest_difference:.1f}×" if measured.largest_difference else "exact",
            problem=problem,
            mend=mend,
        ),
    )


def tolerance(measured: FidelityEvidence, limit: FidelityLimit) -> float:
    """The largest difference that noise explains: a multiple of the source's difference to itself.

    Trees have a noise floor of exactly 0, hence the minimum, which scales with the outputs.
    """
    return max(
        limit.floor_multiple * measured.noise_floor,
        limit.minimum * max(1.0, measured.largest_output),
    )


def _verdict(
    measured: FidelityEvidence, limit: FidelityLimit, *, allowed: float, flips: int
) -> tuple[Verdict, str, str]:
    """A flip counts where the source was surer than its noise."""
    rows = ", ".join(str(row) for row in measured.worst_rows[:3])
    if measured.unlike_rows:
        return (
            Verdict.FAIL,
            (
                f"in {measured.unlike_rows:,} rows one of source and ONNX answers NaN or infinity, the other a number; "
                f"worst sample rows: {rows}"
            ),
            "handle missing and extreme inputs inside the model, in operations that convert",
        )
    if measured.largest_difference > allowed or flips > limit.flips:
        return (
            Verdict.FAIL,
            (
                f"the converted model differs from its source by {measured.largest_difference:.1e} "
                f"(noise explains {allowed:.1e}) and decides {flips:,} rows otherwise; worst sample rows: {rows}"
            ),
            "compare the two on these rows; a column order, a type or a scaler in float64 is the usual cause",
        )
    if measured.rows < limit.rows:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{measured.rows:,} sample rows cannot show that rare rows agree",
            f"add about {limit.rows - measured.rows:,} rows to the samples",
        )
    return Verdict.PASS, "", ""
