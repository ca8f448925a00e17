"""What a person reads who recorded what runs; what to do next depends on what took its place since."""

from __future__ import annotations

from slipway.domain.baseline import Baseline
from slipway.domain.tag import ReleaseTag
from slipway.reports.adoption import adoption_text

_MANIFEST = "deploy/production/tip/kustomization.yaml"
_BASELINE = Baseline(
    model="tip",
    version="v1.2.3",
    environment="production",
    image=f"sha256:{'7' * 64}",
    onnx=f"{'8' * 64}",
    by="Ada",
    when="2026-02-01T12:00:00+00:00",
    note="it was asked nothing: there are no samples",
    commit="9" * 40,
)


def test_a_first_call_says_what_to_commit() -> None:
    """The manifest is in the working tree alone."""
    assert f"git add {_MANIFEST}" in adoption_text(_BASELINE, manifest=_MANIFEST, after=None)


def test_a_call_after_a_release_asks_for_no_commit() -> None:
    """What would be committed is nothing, and the manifest names what runs by now."""
    told = adoption_text(_BASELINE, manifest=_MANIFEST, after=ReleaseTag.parse("tip@v1.3.0"))

    assert told.splitlines()[-1] == (
        f"  {_MANIFEST} names tip@v1.3.0, which was released after it, and is left as it is"
    )
    assert "git add" not in told
