"""Does the ONNX file ask and answer what model.yaml declares?"""

from __future__ import annotations

from slipway.domain.case import ReleaseCase
from slipway.domain.limits import SignatureLimit
from slipway.domain.verdict import Finding, Verdict


def judge(case: ReleaseCase, limit: SignatureLimit) -> tuple[Finding, ...]:  # noqa: ARG001  # the gates' shape
    declared, found = case.identity.declaration.signature, case.evidence.onnx_signature
    changes = declared.changes_to(found)
    return (
        Finding(
            gate="signature",
            title="Signature as declared",
            verdict=Verdict.FAIL if changes else Verdict.PASS,
            measured=f"{len(found.inputs)} inputs, {len(found.outputs)} outputs",
            allowed="as in model.yaml",
            problem=f"against model.yaml, {'; '.join(changes)}" if changes else "",
            mend=f"correct models/{case.identity.model}/model.yaml, or export the source with these names and types"
            if changes
            else "",
        ),
    )
