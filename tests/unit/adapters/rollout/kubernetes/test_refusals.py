"""kubectl's words, as versions 1.20 to 1.37 print them, and what they mean to who reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.rollout.kubernetes import refusals
from slipway.adapters.rollout.kubernetes.refusals import Asked
from slipway.errors import BadFile, ClusterRefused, SlipwayError, Unreachable

ASKED = Asked(environment="staging", context="stage", command="kubectl --context stage get pods")
_USER = 'User "ci" cannot list resource "pods" in API group "" in the namespace "staging"'


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout", Unreachable, "does not answer"),
        ("The connection to the server 10.0.0.1:6443 was refused - did you specify", Unreachable, "does not answer"),
        ("Error from server (ServiceUnavailable): the server is currently unable", Unreachable, "does not answer"),
        ("Error from server (Conflict): Operation cannot be fulfilled", Unreachable, "does not answer"),
        ("error: timed out waiting for the condition on deployments/tip-server", Unreachable, "timed out waiting"),
        ("Error from server: etcdserver: leader changed", Unreachable, "does not answer"),
        ("error: error upgrading connection: error dialing backend: dial tcp: lookup node-1", Unreachable, "node-1"),
        ('error: context "stage" does not exist', BadFile, "slipway.yaml: environments: staging: context: "),
        ("error: no context exists with the name: stage", BadFile, "has no context `stage`"),
        ("error: current-context is not set", ClusterRefused, "there is no kubeconfig here"),
        ("The connection to the server localhost:8080 was refused", ClusterRefused, "there is no kubeconfig here"),
        ('Error from server (NotFound): namespaces "staging" not found', ClusterRefused, "has no namespace `staging`"),
        ("error: You must be logged in to the server (Unauthorized)", ClusterRefused, "does not take who asks"),
        ("getting credentials: exec: executable aws not found", ClusterRefused, "does not take who asks"),
        (f"Error from server (Forbidden): pods is forbidden: {_USER}", ClusterRefused, "does not allow it"),
        ('The Deployment "tip" is invalid: spec.replicas: Invalid value: -1', ClusterRefused, "spec.replicas"),
        ("something that no version says yet", ClusterRefused, "something that no version says yet"),
    ],
)
def test_who_is_away_is_told_from_who_says_no(said: str, kind: type[SlipwayError], told: str) -> None:
    """The former is run again; the latter has a mend; neither is the version's fault."""
    found = refusals.sorted_out(said, ASKED)
    assert type(found) is kind
    assert told in found.problem


def test_a_namespace_that_is_missing_is_told_with_the_command_that_makes_it() -> None:
    """Slipway makes none: who may is the cluster's business."""
    found = refusals.sorted_out('namespaces "staging" not found', ASKED)
    assert found.mend.endswith("kubectl --context stage create namespace staging")


def test_in_a_cluster_that_is_named_by_nobody_the_commands_name_none() -> None:
    """The current context is what a person's kubectl takes, too."""
    asked = Asked(environment="staging", context=None, command="kubectl get pods")
    found = refusals.sorted_out('namespaces "staging" not found', asked)
    assert found.mend.endswith("kubectl create namespace staging")


@pytest.mark.parametrize(
    "said",
    [
        "Get https://ada:s3cret-word@10.0.0.1/api: refused",
        "Authorization: Bearer s3cret-word.x",
        "token=s3cret-word&x=1",
        "password=s3cret-word",
        "-----BEGIN RSA PRIVATE KEY-----\ns3cret-word\n-----END RSA PRIVATE KEY-----",
        "bad kubeconfig: -----BEGIN CERTIFICATE-----\ns3cret-word",
    ],
)
def test_no_credential_is_repeated(said: str) -> None:
    """What kubectl says ends up in the log of a workflow and in an issue."""
    assert "s3cret-word" not in refusals.bounded(said.encode())


def test_a_token_in_json_is_not_repeated() -> None:
    """A service account's begins so, wherever it stands."""
    assert refusals.bounded(b"unknown eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJl.c2ln!") == "unknown (hidden)!"


@given(st.binary(max_size=3000))
def test_words_of_any_program_are_bounded_and_move_no_cursor(said: bytes) -> None:
    """Pods print what they like; a terminal and a pull request show it."""
    text = refusals.bounded(said)
    assert len(text) <= 800
    assert not any(ord(one) < 32 and one != "\n" for one in text)
    assert not set(text) & set("\x1b\x7f\u202e\u2066\u200b")
