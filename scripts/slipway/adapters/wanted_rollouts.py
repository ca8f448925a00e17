"""What the manifests of the default branch want to run: the version of all traffic, and a canary beside it."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.adapters import deploy_tree, git
from slipway.adapters.manifests import Deployed
from slipway.adapters.workplace import Workplace
from slipway.domain.tag import ReleaseTag


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a manifest of the default branch names, and the commit that brought it there."""

    tag: ReleaseTag
    environment: str
    digest: str
    commit: str
    is_canary: bool = False

    def reads(self, *, stays: bool) -> dict[str, str]:
        """Of its rollout: an image that comes back after another one is verified again.

        So is one that was only tried, once there is a machine on which it stays, and one that was a canary before.
        """
        what = {"environment": self.environment, "digest": self.digest, "commit": self.commit}
        tracked = {**what, "track": "canary"} if self.is_canary else what
        return tracked if stays else {**tracked, "stays": "no"}


def wanted(model: str, *, environment: str, workplace: Workplace) -> Wanted | None:
    """None where the manifest deploys nothing yet.

    Raises:
        BadFile: the manifest cannot be read.
    """
    found = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    return None if found is None else _wanted(found, model, environment, workplace, is_canary=False)


def wanted_canary(model: str, *, environment: str, workplace: Workplace) -> Wanted | None:
    """None where no canary runs.

    Raises:
        BadFile: the manifest cannot be read.
    """
    found = deploy_tree.canary(workplace.forge, environment=environment, model=model)
    return None if found is None else _wanted(found, model, environment, workplace, is_canary=True)


def _wanted(found: Deployed, model: str, environment: str, workplace: Workplace, *, is_canary: bool) -> Wanted:
    path = deploy_tree.manifest_path(environment, model)
    head = workplace.forge.head(workplace.forge.default_branch) or "HEAD"
    commit = git.last_change_of(workplace.repository.root, head, path, found.digest) or head
    return Wanted(ReleaseTag.parse(f"{model}@{found.tag}"), environment, found.digest, commit, is_canary)
