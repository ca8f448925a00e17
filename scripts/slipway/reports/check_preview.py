"""What a pull request's run shows of a model that it changes: which version would pass, and what would be proposed."""

from __future__ import annotations

from slipway.domain.identity import Identity
from slipway.domain.release import Verdicts
from slipway.reports import rendering
from slipway.reports.markdown import Markdown
from slipway.reports.release_summary import how_to_release
from slipway.reports.release_words import audited_findings, by_mend, change, open_findings, verdict_cell


def check_preview(identity: Identity, verdicts: Verdicts, *, pull_request: str) -> str:
    """Markdown; `pull_request` is the body that the release's own pull request would have."""
    return rendering.markdown(
        "check_preview",
        model=identity.model,
        change=change(identity, identity.compared),
        verdicts=verdicts,
        verdict_cell=verdict_cell,
        lead="Mend",
        still_open=by_mend(open_findings(verdicts)),
        in_audit=by_mend(audited_findings(verdicts)),
        how_to_release="\n".join(how_to_release(identity, verdicts)),
        pull_request=Markdown(pull_request),
    )
