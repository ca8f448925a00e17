"""Whether the cluster of an environment is reached from here at all: for who asks before anything is rolled out."""

from __future__ import annotations

from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.domain.checkup.seen import SeenCluster
from slipway.errors import SlipwayError, Unreachable

_SECONDS = 5.0


def look(environment: str, context: str | None, *, program: str = "kubectl") -> SeenCluster:
    """Ask for the version of the apiserver, which whoever it knows may see."""
    kubectl = Kubectl(environment=environment, context=context, seconds=_SECONDS, program=program)
    try:
        kubectl.run("get", "--raw=/version")
    except SlipwayError as error:
        return SeenCluster(environment, error.problem, error.mend, answered=not isinstance(error, Unreachable))
    return SeenCluster(environment)
