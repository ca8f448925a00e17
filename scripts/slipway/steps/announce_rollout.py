"""Tell the world that a version runs: a deployment in each environment, and release notes where users are.

Both are told by the forge, where people look who never open the ledger.
"""

from __future__ import annotations

import logging

from slipway.adapters import deploy_tree, git, wanted_rollouts
from slipway.adapters.forge import Deployment
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain import commands
from slipway.domain.baseline import Baseline
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import Page
from slipway.domain.release import Announcement, Image, Proposal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, NotReleasable
from slipway.reports.release_notes import deployment_description, release_notes, release_title

log = logging.getLogger(__name__)


def run(model: str, *, environment: str, workplace: Workplace) -> Page[Announcement]:
    """Note the deployment of what was verified, publish its notes in the last environment, write `announcement`.

    A deployment is listed as `<environment>/<model>`: models of one environment are rolled out each for itself.

    Raises:
        NotReleasable: the manifest names nothing.
        BadFile: the rollout of what it names was not verified.
    """
    git.fetch(workplace.repository.root)
    found = wanted_rollouts.wanted(model, environment=environment, workplace=workplace)
    if found is None:
        raise NotReleasable(
            f"{deploy_tree.manifest_path(environment, model)} deploys nothing yet",
            mend="merge a release's pull request",
        )
    record = workplace.release(found.tag)
    record.seed(workplace.history.pages_of(found.tag))
    tried = record.written_for(Rollout, reads=found.reads(stays=False))
    rollout = record.written_for(Rollout, reads=found.reads(stays=True)) or tried
    if rollout is None:
        raise BadFile(
            f"{record.folder} has no page `rollout` of {found.tag} in {environment}",
            mend=commands.verify_rollout(model, environment=environment),
        )
    return record.once_for_each(
        Announcement, reads={"rollout": rollout.key}, make=lambda: _announce(record, rollout.body, workplace)
    )


def _announce(record: Record, rollout: Rollout, workplace: Workplace) -> Announcement:
    baseline = record.latest(Baseline)
    if baseline is not None:
        return _of_baseline(baseline.body, rollout, workplace)
    identity = record.page(Identity, written_by="resolve-tag").body
    log.info("announcing %s in %s", identity.release, rollout.environment)
    return Announcement(
        environment=rollout.environment,
        version=rollout.version,
        digest=rollout.digest,
        commit=rollout.commit,
        deployment=_note_deployment(identity.release, rollout, workplace) if rollout.stays else None,
        release=_publish(record, identity, rollout, workplace)
        if rollout.environment == workplace.settings.production and identity.rebase is None  # the tag has its notes
        else None,
    )


def _of_baseline(baseline: Baseline, rollout: Rollout, workplace: Workplace) -> Announcement:
    """It was no release, so it has no notes."""
    return Announcement(
        environment=rollout.environment,
        version=rollout.version,
        digest=rollout.digest,
        commit=rollout.commit,
        deployment=_note_deployment(baseline.release, rollout, workplace) if rollout.stays else None,
        release=None,
    )


def _note_deployment(release: ReleaseTag, rollout: Rollout, workplace: Workplace) -> str:
    name = f"{rollout.environment}/{release.model}"
    told = deployment_description(release, rollout)
    workplace.forge.record_deployment(Deployment(environment=name, commit=rollout.commit, description=told))
    return name


def _publish(record: Record, identity: Identity, rollout: Rollout, workplace: Workplace) -> str:
    image = next(page.body for page in record.pages(Image) if page.body.digest == rollout.digest)
    body = release_notes(
        identity=identity,
        evidence=record.page(Evidence, written_by="measure-consistency").body,
        verdicts=record.page(Verdicts, written_by="judge").body,
        image=image,
        rollout=rollout,
        proposals=[page.body for page in record.pages(Proposal)],
        web=workplace.web,
    )
    return workplace.forge.publish_release(identity.tag, title=release_title(identity), body=body)
