"""What the world reads of a version that went live: the notes of its release, and one line of its deployment.

What is told stays true: notes are read years later, when another version runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.release import Image, Proposal, Rollout, Verdicts, replaced_by
from slipway.domain.tag import ReleaseTag
from slipway.reports import rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.marker import marker
from slipway.reports.numbers import short_digest
from slipway.reports.release_words import audited_findings, bump_word, record_of, version_of, waived_findings


def release_title(identity: Identity) -> str:
    return f"{identity.model} {version_of(identity)}"


def deployment_description(release: ReleaseTag, rollout: Rollout) -> str:
    return f"{release}, image {short_digest(rollout.digest)}"


def release_notes(
    *,
    identity: Identity,
    evidence: Evidence,
    verdicts: Verdicts,
    image: Image,
    rollout: Rollout,
    proposals: Sequence[Proposal],
    web: str | None,
) -> str:
    """The body in Markdown, cut to what GitHub takes, with a marker at its end.

    `image` is the one that was rolled out, `proposals` are all of this version, oldest first, `web` is the
    repository's address on GitHub, None elsewhere.
    """
    environment, record = rollout.environment, record_of(identity, web=web)
    pulls = [one.pull for one in proposals if one.environment == environment and one.pull is not None]
    text = rendering.markdown(
        "release_notes",
        identity=identity,
        evidence=evidence,
        verdicts=verdicts,
        image=image,
        rollout=rollout,
        version=version_of(identity),
        bump=bump_word(identity.bump),
        waived=waived_findings(verdicts),
        in_audit=len(audited_findings(verdicts)),
        before=replaced_by(rollout.version, proposals, environment=environment),
        pull=pulls[-1] if pulls else None,
        record=record,
    )
    return cut_at_a_line(text, whole=record, ending=marker(kind="live", tag=identity.tag, environment=environment))
