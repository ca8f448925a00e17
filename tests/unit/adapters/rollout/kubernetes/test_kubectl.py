"""One run of kubectl: bounded, without our secrets, and with nothing left behind. The scripts do what no kubectl can be
made to do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.errors import BadFile, ClusterRefused, Unreachable

from tests.unit.adapters.rollout.kubernetes.conftest import KUBECTL, ends

Script = Callable[[str], str]
_OTHERS = """
apiVersion: v1
kind: Config
clusters: [{name: there, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: there, context: {cluster: there, user: me}}]
users: [{name: me, user: {token: s3cret-word}}]
current-context: there
"""


def asking(program: str, *, context: str | None = None, seconds: float = 5.0, **variables: str) -> Kubectl:
    told: Mapping[str, str] = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    return Kubectl(environment="staging", context=context, seconds=seconds, program=program, variables=told)


def test_a_program_that_hangs_is_ended_with_all_that_it_started(script: Script, tmp_path: Path) -> None:
    """A plug-in that waits for a login at a prompt would hold a workflow for hours."""
    pid = tmp_path / "pid"
    hanging = replace(asking(script(f"sleep 60 & echo $! > {pid}; wait"), seconds=0.2), last_seconds=0.3)
    begin = time.monotonic()

    with pytest.raises(Unreachable, match=r"kubectl did not end within 0\.5 s"):
        hanging.objects("pods")

    assert time.monotonic() - begin < 5
    assert ends(int(pid.read_text()))


@pytest.mark.parametrize("printed", ["<html>please log in</html>", '{"kind": "Lis', "\\377\\376"])
def test_what_is_no_json_is_an_outage(script: Script, printed: str) -> None:
    """A proxy answers with a page, a connection breaks in the middle."""
    with pytest.raises(Unreachable, match=r"bytes that are no JSON, for staging"):
        asking(script(f"printf '{printed}'")).objects("pods")


def test_nothing_found_is_an_answer(script: Script) -> None:
    """kubectl prints nothing about what is not there."""
    assert asking(script("true")).objects("deployment.apps", "tip") is None


def test_a_missing_kubectl_is_told_with_its_mend() -> None:
    """Not as a file that was not found."""
    with pytest.raises(ClusterRefused) as caught:
        asking("/nonexistent/kubectl").run("version")
    assert caught.value.problem.startswith("kubectl cannot be started")
    assert "install kubectl" in caught.value.mend


def test_it_sees_no_secret_of_ours(script: Script) -> None:
    """Plug-ins that fetch credentials run below it, and are of anybody."""
    ours = {"GITHUB_TOKEN": "x", "SLIPWAY_SIGNING_KEY": "x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x", "GH_TOKEN": "x"}
    seen_by_us = {"PATH": os.environ["PATH"], **ours, "AWS_PROFILE": "models"}
    seen = replace(asking("kubectl"), program=script("env"), variables=seen_by_us).run("version").decode()
    assert "AWS_PROFILE=models" in seen
    assert not [name for name in ours if name in seen]


def test_a_kubeconfig_of_a_secret_is_a_file_that_its_owner_alone_reads_as_long_as_it_is_needed(script: Script) -> None:
    """A workflow has its content, kubectl wants a file, and the runner may be shared."""
    program = script(
        'stat -c %a "$KUBECONFIG" "${KUBECONFIG%/*}"; echo "$KUBECONFIG"; grep -c s3cret-word "$KUBECONFIG"'
    )
    mode, folder, path, found = asking(program, SLIPWAY_KUBECONFIG=_OTHERS).run("version").decode().split()
    assert (mode, folder, found) == ("600", "700", "1")
    assert not Path(path).parent.exists()


def test_a_real_kubectl_uses_that_kubeconfig(tmp_path: Path) -> None:
    """And asks the server that it names: nobody, at port 1."""
    with pytest.raises(Unreachable, match=r"the cluster of staging does not answer: .*127\.0\.0\.1:1"):
        asking(KUBECTL, SLIPWAY_KUBECONFIG=_OTHERS, HOME=str(tmp_path)).objects("pods")


def test_a_context_that_is_not_there_is_a_mistake_in_slipway_yaml(tmp_path: Path) -> None:
    """With the field that it stands in."""
    with pytest.raises(
        BadFile, match=r"slipway\.yaml: environments: staging: context: the kubeconfig has no context `x`"
    ):
        asking(KUBECTL, context="x", SLIPWAY_KUBECONFIG=_OTHERS, HOME=str(tmp_path)).objects("pods")


def test_without_any_kubeconfig_it_is_told_where_one_is_looked_for(tmp_path: Path) -> None:
    """kubectl itself asks for a server at port 8080, which nobody ever started."""
    with pytest.raises(ClusterRefused, match="there is no kubeconfig here") as caught:
        asking(KUBECTL, HOME=str(tmp_path), KUBECONFIG=str(tmp_path / "none")).objects("pods")
    assert "SLIPWAY_KUBECONFIG" in caught.value.mend


def test_a_command_is_shown_as_a_person_types_it() -> None:
    """Whoever reads an error tries it."""
    assert asking("kubectl", context="stage").shown("get", "pods") == "kubectl --context stage get pods"


def test_the_secret_is_in_no_representation() -> None:
    """Values are printed in tracebacks."""
    assert "s3cret-word" not in repr(asking("kubectl", SLIPWAY_KUBECONFIG=_OTHERS))
