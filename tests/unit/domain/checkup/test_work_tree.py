"""What is said of images and of the runtime, for cases that no test of the step can make."""

from __future__ import annotations

from slipway.domain.checkup import Checkup, State
from slipway.domain.checkup.seen import SeenCluster, SeenImage
from slipway.domain.checkup.work_tree import judge_cluster, judge_images, judge_no_runtime
from slipway.domain.settings import RolloutEngine

REFUSED = SeenImage("tip@sha256:1", "ghcr.io answers 403 for tip", "give credentials")
SILENT = SeenImage("tip@sha256:2", "ghcr.io does not answer", "run again", answered=False)


def test_a_refused_package_of_github_names_the_page_that_gives_access() -> None:
    """A package belongs to its owner, not to the repository that pushed it: nothing else says so."""
    found = judge_images([REFUSED], registry="ghcr.io/acme")

    assert found.state is State.PROBLEM
    assert "give credentials" in found.mend and "Manage Actions access" in found.mend
    assert "Manage Actions access" not in judge_images([REFUSED], registry="registry.example.com/acme").mend


def test_a_registry_that_is_silent_refuses_nothing() -> None:
    """It may answer in a minute: exit code 12, and not 2."""
    found = judge_images([SILENT], registry="ghcr.io/acme")

    assert (found.state, Checkup.of([found]).exit_code) == (State.UNKNOWN, 12)
    both = judge_images([SILENT, REFUSED], registry="ghcr.io/acme")
    assert (both.state, Checkup.of([found, both]).exit_code) == (State.PROBLEM, 2)


def test_only_the_engine_process_does_without_a_runtime_image() -> None:
    """A cluster has nothing of this repository to serve with."""
    for engine in RolloutEngine:
        found = judge_no_runtime("runtime image", engine)
        needs_none = engine is RolloutEngine.PROCESS
        assert found.state is (State.OK if needs_none else State.PROBLEM)
        assert ("runtime-image.yml" in found.mend) is not needs_none


def test_a_cluster_that_is_not_reached_from_here_is_no_problem_of_the_repository() -> None:
    """A laptop seldom has the kubeconfig of production; one that is away may answer in a minute."""
    assert judge_cluster(SeenCluster("staging")).state is State.OK
    without = judge_cluster(SeenCluster("staging", "there is no kubeconfig here", "set KUBECONFIG"))
    away = judge_cluster(SeenCluster("staging", "it does not answer", "run again", answered=False))

    assert (without.state, without.text) == (State.UNKNOWN, "from here: there is no kubeconfig here")
    assert [Checkup.of([found]).exit_code for found in (without, away)] == [0, 12]
