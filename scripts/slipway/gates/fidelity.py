"""Does the ONNX file give the answers of its source?

On samples and edge rows the largest difference decides, for one rare row that went wrong is wrong. At the splits of
trees a share does: there a step of float32 may change the side for a good conversion, too, while one that compares
with `<` for `<=` does it nearly everywhere.
"""

from __future__ import annotations

import math

from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import FidelityEvidence, ProbesEvidence, RebaseEvidence, RefusedEvidence
from slipway.domain.identity import Rebase
from slipway.domain.limits import FidelityLimit, RefusedRows
from slipway.domain.verdict import Finding, Verdict


def judge(case: ReleaseCase, limit: FidelityLimit) -> tuple[Finding, ...]:
    measured = case.evidence.fidelity
    found = [_answers(measured, limit)]
    if measured.probes is not None and measured.probes.rows:
        found.append(_at_splits(measured.probes, limit, allowed=tolerance(measured, limit)))
    if measured.refused is not None and measured.refused.rows:
        found.append(_where_refused(measured.refused, limit))
    if case.identity.rebase is not None:
        found.append(_on_another_runtime(case, case.identity.rebase, allowed=tolerance(measured, limit)))
    return tuple(found)


def tolerance(measured: FidelityEvidence, limit: FidelityLimit) -> float:
    """The largest difference that noise explains: a multiple of the source's difference to itself.

    Trees have a noise floor of exactly 0, hence the minimum, which scales with the outputs.
    """
    return max(
        limit.floor_multiple * measured.noise_floor,
        limit.minimum * max(1.0, measured.largest_output),
    )


def _on_another_runtime(case: ReleaseCase, rebase: Rebase, *, allowed: float) -> Finding:
    """The recorded answers, and the metrics on all rows: nobody has all answers of the version that runs."""
    measured = case.evidence.rebase
    told = (
        "no golden answers"
        if measured is None
        else (
            f"max {measured.largest_difference:.1e} on {measured.rows:,} golden rows; "
            f"{len(measured.metrics_moved):,} metrics move by {_most_moved(measured):.1e} at most"
        )
    )
    verdict, problem, mend = _verdict_on_runtime(measured, rebase, allowed=allowed)
    return Finding(
        gate="fidelity",
        title="Same answers on the new runtime",
        verdict=verdict,
        measured=told,
        allowed=f"{allowed:.1e}",
        margin="exact" if verdict is Verdict.PASS and measured and not measured.largest_difference else "–",
        problem=problem,
        mend=mend,
    )


def _verdict_on_runtime(measured: RebaseEvidence | None, rebase: Rebase, *, allowed: float) -> tuple[Verdict, str, str]:
    if measured is None or not measured.rows:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{rebase.of} was released without golden answers, so nothing tells what it answers now",
            "release the model by a new tag instead: that stands on the new runtime image",
        )
    if measured.unlike_rows or measured.largest_difference > allowed or _most_moved(measured) > allowed:
        return (
            Verdict.FAIL,
            (
                f"on the new runtime image {rebase.of} answers otherwise: by {measured.largest_difference:.1e} (noise "
                f"explains {allowed:.1e}), in {measured.unlike_rows:,} rows a number where it was none or the reverse, "
                f"and a metric moves by {_most_moved(measured):.1e}"
            ),
            f"stay on {rebase.of}; then release the model by a new tag, which is judged as another model",
        )
    return Verdict.PASS, "", ""


def _most_moved(measured: RebaseEvidence) -> float:
    """A metric that is no longer defined moved without end."""
    return max((math.inf if one is None else one for one in measured.metrics_moved.values()), default=0.0)


def _answers(measured: FidelityEvidence, limit: FidelityLimit) -> Finding:
    allowed = tolerance(measured, limit)
    flips = sum(margin > allowed for margin in measured.flip_margins)
    verdict, problem, mend = _verdict(measured, limit, allowed=allowed, flips=flips)
    told = f"max {measured.largest_difference:.1e} on {measured.rows:,} rows, {flips:,} flips"
    return Finding(
        gate="fidelity",
        title="Same answers as source",
        verdict=verdict,
        measured=told + _not_probed(measured.probes),
        allowed=f"{allowed:.1e}, {limit.flips} flips",
        margin=f"{allowed / measured.largest_difference:.1f}×" if measured.largest_difference else "exact",
        problem=problem,
        mend=mend,
    )


def _not_probed(probes: ProbesEvidence | None) -> str:
    """Trees without a row at any split; what was not measured is no row of the table that could pass."""
    return f"; no rows at splits: {probes.problem}" if probes is not None and not probes.rows else ""


def _at_splits(probes: ProbesEvidence, limit: FidelityLimit, *, allowed: float) -> Finding:
    apart = _apart(probes, allowed=allowed)
    share = apart / probes.rows
    failed = share > limit.probes
    return Finding(
        gate="fidelity",
        title="Same answers at split thresholds",
        verdict=Verdict.FAIL if failed else Verdict.PASS,
        measured=f"{share:.1%} of {probes.rows:,} rows differ, at {probes.probed:,} of {probes.splits:,} splits",
        allowed=f"≤ {limit.probes:.1%} by more than {allowed:.1e}",
        margin=f"{limit.probes - share:+.1%}",
        problem=(
            f"{apart:,} of {probes.rows:,} rows at the splits of trees come out on another side than in the source"
            if failed
            else ""
        ),
        mend="compare how source and ONNX split: `<` or `<=`, and thresholds in float64 or float32" if failed else "",
    )


def _apart(probes: ProbesEvidence, *, allowed: float) -> int:
    """Rows that differ by more than is allowed; where all listed ones do, those beyond the list count as well."""
    listed = sum(difference > allowed for difference in probes.differences)
    return probes.different if listed == len(probes.differences) else listed


def _where_refused(refused: RefusedEvidence, limit: FidelityLimit) -> Finding:
    failed = limit.refused_rows is RefusedRows.FAIL and refused.answered > 0
    return Finding(
        gate="fidelity",
        title="Rows that the source refuses",
        verdict=Verdict.FAIL if failed else Verdict.PASS,
        measured=f"{refused.rows:,} edge rows; ONNX answers {refused.answered:,}, {refused.finite:,} with a number",
        allowed="any answer" if limit.refused_rows is RefusedRows.ALLOW else "no answer",
        problem=f"the ONNX file answers {refused.answered:,} edge rows that its source refuses" if failed else "",
        mend="handle missing values and unknown ids inside the model, so that both answer" if failed else "",
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
