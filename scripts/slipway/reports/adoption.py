"""What a person is told who recorded what runs."""

from __future__ import annotations

from slipway.domain.baseline import Baseline
from slipway.domain.tag import ReleaseTag


def adoption_text(baseline: Baseline, *, manifest: str, after: ReleaseTag | None) -> str:
    """What was recorded, what can be compared with it, and what is next; `after` is the release that took its place."""
    lines = [f"{baseline.release} is the baseline in {baseline.environment}: image {baseline.image}"]
    if baseline.onnx is None:
        lines += [f"  {baseline.note}", "  so the next release cannot be compared with it, and needs one waiver"]
    elif baseline.measured is None:
        lines += [f"  model sha256:{baseline.onnx}; {baseline.note}"]
    else:
        golden, metrics = baseline.measured.golden, baseline.measured.metrics
        told = (f"{name} {one.value:.3f}" for name, one in sorted(metrics.metrics.items()) if one is not None)
        lines += [f"  model sha256:{baseline.onnx}, {golden.rows} golden answers, {', '.join(told)}"]
    if after is not None:
        return "\n".join([*lines, f"  {manifest} names {after}, which was released after it, and is left as it is"])
    return "\n".join([*lines, *_next(baseline, manifest)])


def _next(baseline: Baseline, manifest: str) -> tuple[str, ...]:
    message = f"Say that {baseline.environment} runs {baseline.release}"
    return (
        f"  {manifest} says so; have it reviewed and merged: it changes nothing that runs",
        f'  next: git add {manifest} && git commit -m "{message}" && git push, then slipway check {baseline.model}',
    )
