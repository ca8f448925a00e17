"""Are all answers finite, and of the declared shape?"""

from __future__ import annotations

from slipway.domain.case import ReleaseCase
from slipway.domain.limits import OutputsLimit
from slipway.domain.verdict import Finding, Verdict


def judge(case: ReleaseCase, limit: OutputsLimit) -> tuple[Finding, ...]:
    measured = case.evidence.outputs
    bad_rows = max(measured.not_finite.values(), default=0)
    allowed_rows = int(limit.not_finite * measured.rows)
    problems = [
        *(
            f"output `{name}` is NaN or infinite in {count:,} of {measured.rows:,} sample rows"
            for name, count in measured.not_finite.items()
            if count > allowed_rows
        ),
        *measured.wrong_shapes,
    ]
    return (
        Finding(
            gate="outputs",
            title="Outputs finite, of the declared shape",
            verdict=Verdict.FAIL if problems else Verdict.PASS,
            measured=f"{bad_rows:,} of {measured.rows:,} rows not finite",
            allowed=f"{allowed_rows:,} rows",
            problem="; ".join(problems),
            mend="find the sample rows with a missing or extreme input, and handle it inside the model"
            if problems
            else "",
        ),
    )
