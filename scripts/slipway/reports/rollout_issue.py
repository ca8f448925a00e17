"""The issue about a version that was merged and does not run: what it did, what was done, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.incident import IncidentVerdicts, Outcome, Reversion
from slipway.domain.release import Rollout
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.verdict import Finding, Verdict
from slipway.reports import rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown, called
from slipway.reports.marker import marker
from slipway.reports.rollout_words import in_words, printed, serves_in_words


def rollout_title(failure: RolloutFailure, verdicts: IncidentVerdicts, *, reversion: Reversion | None = None) -> str:
    """`reversion` as of `rollout_body`: a way back that there was not is told here, too."""
    if failure.canary:
        return f"{failure.model}, {failure.environment}: the canary {failure.version} {in_words(failure)}, withdraw it"
    gone = reversion is not None and reversion.no_way_back
    end = f"go back to {failure.back_to}" if _goes_back(verdicts) and not gone else "there is no way back"
    return f"{failure.model}, {failure.environment}: {failure.version} {in_words(failure)}, {end}"


def rollout_body(
    failure: RolloutFailure, verdicts: IncidentVerdicts, *, reversion: Reversion | None, owners: Sequence[str] = ()
) -> str:
    """The body in Markdown; `reversion` tells what was changed already, None that nothing was.

    Of the owners teams are called, since nobody can assign them; people are assigned, and GitHub tells them so.
    """
    text = rendering.markdown(
        "canary_issue" if failure.canary else "rollout_issue",
        failure=failure,
        goes_back=_goes_back(verdicts),
        in_words=in_words(failure),
        serves=Markdown(serves_in_words(failure)),
        reversion=reversion,
        answers=[(one, _answer_to(one)) for one in verdicts.findings],
        why_not=next((one for one in verdicts.findings[1:] if one.verdict is not Verdict.PASS), None),
        printed=printed(failure),
        teams=Markdown(" ".join(called(owner) for owner in owners if "/" in owner)),
        policies_digest=verdicts.policies_digest,
    )
    return cut_at_a_line(
        text,
        whole=f"branch `ledger`, folder `{failure.model}/{failure.environment}/incidents/{failure.incident}/`",
        ending=marker(
            kind="canary-failed" if failure.canary else "rollout-failed",
            model=failure.model,
            environment=failure.environment,
            incident=failure.incident,
            version=failure.version,
        ),
    )


def why_again(failure: RolloutFailure) -> str:
    """The comment on an issue that was closed already."""
    return f"It is back: {failure.version} {in_words(failure)} on {failure.seen}. Opened again by the rollout."


def not_over(failure: RolloutFailure) -> str:
    """The comment on an issue that a person closed while the manifest still names the version."""
    return (
        f"It is not over: {failure.environment} is to run {failure.version}, which {in_words(failure)}. Opened again "
        "by the rollout, which closes it when what the manifest names is verified."
    )


def why_closed(failure: RolloutFailure, verified: Rollout, reversion: Reversion | None) -> str:
    """The comment with which a rollout that was verified closes the issue."""
    if failure.canary and verified.version != failure.version:
        return (
            f"The canary {failure.version} is withdrawn from {failure.environment}, where {verified.version} answers "
            "all requests: closed by the rollout."
        )
    text = (
        f"{verified.version} is live in {verified.environment}, {verified.golden_equal} of {verified.golden_rows} "
        "golden answers: closed by the rollout."
    )
    if verified.version == failure.version and reversion is not None and reversion.pull is not None:
        return f"{text} Close pull request #{reversion.pull}, which goes back from it, unless it was merged."
    return text


def _goes_back(verdicts: IncidentVerdicts) -> bool:
    return verdicts.outcome is Outcome.REVERT


def _answer_to(finding: Finding) -> str:
    """What was judged as `fail` may also ask what is wrong; what a rollout asks is answered yes where all is well."""
    if finding.gate != "rollout":
        return finding.in_words
    answer = "yes" if finding.verdict is Verdict.PASS else "no"
    return f"{answer} (audit)" if finding.audit else answer
