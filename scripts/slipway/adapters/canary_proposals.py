"""How much of an environment's traffic a version is proposed for: a share of it, all of it, or nothing more yet."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.adapters import canaries, canary_shares, deploy_tree, failed_rollouts, git, manifests
from slipway.adapters.manifests import Deployed
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.release import Image
from slipway.domain.rollout_limit import CanaryLimit, canary_asked
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Course:
    """`trial` is what a canary would be held to, None where all of the traffic is proposed.

    `shown` is what it showed as one; `waits` says that it is one already, and has not shown enough.
    """

    trial: CanaryLimit | None = None
    shown: CanaryVerdicts | None = None
    waits: bool = False

    @property
    def is_beyond_a_share(self) -> bool:
        """Whether it is about more, or about what comes later, than a yes to a share was about."""
        return self.trial is None or self.waits

    @property
    def reads(self) -> dict[str, str]:
        """Of the page that tells what was proposed; none where no canary is asked for, as before there were any."""
        if self.trial is not None:
            return {"canary": f"{self.trial.share:g}"}
        return {"canary": canaries.passed_on(self.shown.since)} if self.shown is not None else {}


def course_of(
    tag: ReleaseTag, image: Image, environment: str, *, live: Deployed | None, workplace: Workplace
) -> Course:
    """What is to be proposed of a release next; `live` is what has the traffic now.

    The first version of an environment gets all of it: there is nothing that could answer the rest.

    Raises:
        BadFile: a canary is asked for, and the engine has no cluster.
    """
    limit = workplace.repository.policies().rollout.limit_for(tag.model)
    settings = workplace.settings
    asked = canary_asked(limit, environment=environment, engine=settings.rollout_engine, log_mode=settings.log_mode)
    if asked is None or live is None or live.digest == image.digest:
        return Course()
    there = deploy_tree.canary(workplace.forge, environment=environment, model=tag.model)
    if there is None or there.digest != image.digest:
        return Course(trial=asked)
    git.fetch(workplace.repository.root)
    trial = canaries.running(tag.model, environment=environment, workplace=workplace)
    told = None if trial is None else canaries.verdicts(trial, workplace)
    passed = told is not None and told.verdict is Verdict.PASS
    if trial is not None and passed and failed_rollouts.was_worse(trial.canary, workplace) is None:
        return Course(shown=told)
    return Course(trial=asked, waits=True)


def manifest_with(
    wanted: Deployed,
    before: bytes,
    *,
    limit: CanaryLimit | None,
    environment: str,
    base: str | None,
    workplace: Workplace,
) -> bytes:
    """The manifest that gives `wanted` all of the traffic, and no canary any; or, with a limit, its share.

    Args:
        wanted: the model's name, and what its image is to be.
        before: the manifest as it is on the default branch, or a new one.
        limit: what a canary is held to.
        environment: one of slipway.yaml.
        base: the newest commit of the default branch, of which all else of deploy/ is taken.
        workplace: where the repository is.

    Raises:
        BadFile: the manifest cannot be edited, or would give a canary more than its share.
    """
    path = deploy_tree.manifest_path(environment, wanted.name)
    image = {"new_name": wanted.new_name, "tag": wanted.tag, "digest": wanted.digest}
    if limit is None:
        alone = manifests.without_canary(before, name=wanted.name, where=path)
        return manifests.set_image(alone, name=wanted.name, where=path, **image)
    after = manifests.set_canary(before, name=wanted.name, where=path, **image)
    canary_shares.refuse_more_than(limit, after, wanted.name, environment, base=base, workplace=workplace)
    return after
