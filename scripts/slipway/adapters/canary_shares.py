"""Whether a canary can get no more than its share, by what kustomize makes of a manifest.

Whoever edits deploy/ may say in many places how many pods there are, so nothing less than what is rendered tells.
"""

from __future__ import annotations

import logging
import shutil

from slipway.adapters import cluster_manifests, deploy_tree, git
from slipway.adapters.workplace import Workplace
from slipway.domain.rollout_limit import CanaryLimit
from slipway.errors import BadFile

log = logging.getLogger(__name__)


def refuse_more_than(
    limit: CanaryLimit, manifest: bytes, model: str, environment: str, *, base: str | None, workplace: Workplace
) -> None:
    """Return where a manifest, beside all else of deploy/ at the commit `base`, holds its canary to `limit`.

    Raises:
        BadFile: it could get more, or nothing would run it.
        ClusterRefused: there is no kubectl.
    """
    from slipway.adapters.rollout.kubernetes import shares  # noqa: PLC0415 - few need a cluster's rooms
    from slipway.adapters.rollout.kubernetes.kubectl import Kubectl  # noqa: PLC0415
    from slipway.adapters.rollout.kubernetes.rendered import fetched, rendered_with  # noqa: PLC0415

    root = workplace.repository.root
    commit = fetched(root, base or "HEAD")
    if git.read_file(root, commit, cluster_manifests.CANARY) is None:
        problem = cluster_manifests.no_canary_component(deploy_tree.manifest_path(environment, model))
        raise BadFile(f"{problem.path}: {problem.problem}", mend=problem.mend)
    found = rendered_with(
        manifest, model, environment, repository=root, commit=commit, kubectl=Kubectl(environment=environment)
    )
    shares.refuse_more_than(limit, found, environment=environment)


def refuse_more_here(model: str, environment: str, *, workplace: Workplace) -> None:
    """The same of a canary that is in the working tree; where no kubectl is here, nobody looks, and that is told.

    Raises:
        BadFile: it could get more than the policy of the working tree allows, or kustomize cannot render it.
    """
    from slipway.adapters.rollout.kubernetes import shares  # noqa: PLC0415 - few need a cluster's rooms
    from slipway.adapters.rollout.kubernetes.kubectl import Kubectl  # noqa: PLC0415
    from slipway.adapters.rollout.kubernetes.rendered import rendered_here  # noqa: PLC0415

    limit = workplace.repository.policies().rollout.limit_for(model).canary_in(environment)
    if limit is None:
        return
    kubectl = Kubectl(environment=environment)
    if shutil.which(kubectl.program) is None:
        log.warning("no kubectl is here: nobody looked how many pods are beside the canary of %s", model)
        return
    found = rendered_here(model, environment, root=workplace.repository.root, kubectl=kubectl)
    shares.refuse_more_than(limit, found, environment=environment)
