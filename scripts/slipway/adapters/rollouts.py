"""Which rollouts are due: what the manifests name, against what the ledger says of it. No event is asked."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.adapters import deploy_tree, git
from slipway.adapters.workplace import Workplace
from slipway.domain.pages import key_of
from slipway.domain.release import Announcement, Image, Proposal, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.errors import SlipwayError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a manifest of the default branch names, and the commit that brought it there."""

    tag: ReleaseTag
    environment: str
    digest: str
    commit: str

    def reads(self, *, stays: bool) -> dict[str, str]:
        """Of its rollout: an image that comes back after another one is verified again.

        So is one that was only tried, once there is a machine on which it stays.
        """
        what = {"environment": self.environment, "digest": self.digest, "commit": self.commit}
        return what if stays else {**what, "stays": "no"}


def wanted(model: str, *, environment: str, workplace: Workplace) -> Wanted | None:
    """None where the manifest deploys nothing yet.

    Raises:
        BadFile: the manifest cannot be read.
    """
    found = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if found is None:
        return None
    path = deploy_tree.manifest_path(environment, model)
    head = workplace.forge.head(workplace.forge.default_branch) or "HEAD"
    commit = git.last_change_of(workplace.repository.root, head, path, found.digest) or head
    return Wanted(ReleaseTag.parse(f"{model}@{found.tag}"), environment, found.digest, commit)


def due(workplace: Workplace, *, stays: bool = True) -> tuple[tuple[str, str], ...]:
    """The environments and models with a rollout that was not verified, not announced, or not proposed further.

    Where nothing `stays` when a run has ended, to have been tried is enough. One that cannot be looked at counts:
    whoever rolls it out says what is wrong.
    """
    git.fetch(workplace.repository.root)
    found = deploy_tree.everything_deployed(workplace.forge)
    return tuple((environment, model) for environment, model in found if _is_due(environment, model, stays, workplace))


def next_environment(rollout: Wanted, workplace: Workplace) -> str | None:
    """Where the version of a verified rollout is to be proposed now; None where it was, or where it is not wanted.

    It is not wanted where that version or a higher one runs already, nor while an image that was built for it later
    has not passed the environments before.
    """
    following = workplace.settings.after(rollout.environment)
    image = workplace.history.page(rollout.tag, Image)
    if following is None or image is None or image.body.digest != rollout.digest:
        return None
    live = deploy_tree.deployed(workplace.forge, environment=following, model=rollout.tag.model)
    if live is not None and ReleaseTag.parse(f"{rollout.tag.model}@{live.tag}").precedence >= rollout.tag.precedence:
        return None
    is_proposed = _is_proposed(rollout.tag, following, live.digest if live else "none", workplace)
    return None if is_proposed else following


def _is_due(environment: str, model: str, stays: bool, workplace: Workplace) -> bool:
    try:
        found = wanted(model, environment=environment, workplace=workplace)
        return found is not None and not _is_settled(found, stays, workplace)
    except SlipwayError:
        return True


def _is_settled(found: Wanted, stays: bool, workplace: Workplace) -> bool:
    enough = {key_of(found.reads(stays=staying)) for staying in {True, stays}}
    verified = {page.key for page in workplace.history.pages(found.tag, Rollout)}
    announced = {page.reads["rollout"] for page in workplace.history.pages(found.tag, Announcement)}
    return bool(enough & verified & announced) and next_environment(found, workplace) is None


def _is_proposed(tag: ReleaseTag, environment: str, deployed: str, workplace: Workplace) -> bool:
    """Whether it was with the present verdicts, against what the environment runs now."""
    verdicts = workplace.history.page(tag, Verdicts)
    told = {"verdicts": verdicts.key if verdicts else "", "environment": environment, "deployed": deployed}
    return any(told.items() <= page.reads.items() for page in workplace.history.pages(tag, Proposal))
