"""What a repository answers once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from slipway.domain.settings import Environment, RolloutEngine, Settings


def test_a_release_begins_in_the_first_environment_and_users_are_in_the_last() -> None:
    """A version that is proposed where users are has passed nothing before."""
    names = ("staging", "canary", "production")
    settings = Settings(image_registry="layout:images", environments=tuple(Environment(name=name) for name in names))

    assert (settings.first, settings.production) == ("staging", "production")
    assert [settings.after(name) for name in (*names, "elsewhere")] == ["canary", "production", None, None]


@pytest.mark.parametrize("name", ["Production", "v1", "v2-canary", "a/b", "", "a_b"])
def test_an_environment_can_be_told_from_a_version(name: str) -> None:
    """Both are folders below the model in the ledger."""
    with pytest.raises(ValidationError, match="must not look like a version"):
        Environment(name=name)


@pytest.mark.parametrize("context", ["gke_acme_west1-a_models", "arn:aws:eks:west-1:1:cluster/models", "me@there"])
def test_an_environment_names_the_context_of_its_cluster(context: str) -> None:
    """Staging and production are seldom one cluster."""
    there = Environment(name="staging", context=context)
    settings = Settings(image_registry="ghcr.io/acme", rollout_engine=RolloutEngine.FLUX, environments=(there,))
    assert settings.environments[0].context == context


@pytest.mark.parametrize("context", ["", " ", "-", "--kubeconfig=other", "a b"])
def test_a_context_is_no_option_of_kubectl(context: str) -> None:
    """It becomes a word of a command."""
    with pytest.raises(ValidationError, match="kubectl config get-contexts"):
        Environment(name="staging", context=context)


def test_a_context_without_a_cluster_is_a_mistake() -> None:
    """Whoever wrote it believes that the engine looks there."""
    there = Environment(name="staging", context="staging")
    with pytest.raises(ValidationError, match="environments: staging: context: the engine process asks no cluster"):
        Settings(image_registry="ghcr.io/acme", environments=(there,))


def test_environments_differ() -> None:
    """Two of one name would be one folder."""
    with pytest.raises(ValidationError, match="each once"):
        Settings(image_registry="layout:images", environments=(Environment(name="a"), Environment(name="a")))
    with pytest.raises(ValidationError, match="at least one"):
        Settings(image_registry="layout:images", environments=())


@pytest.mark.parametrize("engine", RolloutEngine)
def test_an_engine_that_pulls_needs_a_registry(engine: RolloutEngine) -> None:
    """No node of a cluster sees a folder of a laptop: found out at the first rollout, a release was in vain."""
    assert Settings(image_registry="ghcr.io/acme", rollout_engine=engine).rollout_engine is engine
    if engine is RolloutEngine.PROCESS:
        assert Settings(image_registry="layout:images", rollout_engine=engine).rollout_engine is engine
        return
    with pytest.raises(ValidationError, match=rf"{engine} pulls images from a registry.*name a registry"):
        Settings(image_registry="layout:images", rollout_engine=engine)


_DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize("reference", [f"ghcr.io/acme/runtime@{_DIGEST}", f"127.0.0.1:5000/runtime@{_DIGEST}"])
def test_a_runtime_image_is_named_by_its_digest(reference: str) -> None:
    """What releases are appended to must be the same image tomorrow."""
    assert Settings(image_registry="ghcr.io/acme", runtime_image=reference).runtime_image == reference


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "runtime",
        f"runtime@{_DIGEST}",
        "ghcr.io/acme/runtime:v1",
        f"ghcr.io/acme/runtime@{_DIGEST}0",
        "x/y@sha256:0",
    ],
)
def test_anything_else_is_no_runtime_image(reference: str) -> None:
    """A tag that somebody moved would change releases without a line in git."""
    with pytest.raises(ValidationError, match="a tag may be another image tomorrow"):
        Settings(image_registry="ghcr.io/acme", runtime_image=reference)


@pytest.mark.parametrize("address", [".slipway/served", "/var/log/served", "s3://bucket/served", "gs://bucket"])
def test_a_log_lies_in_a_folder_or_in_a_bucket(address: str) -> None:
    """Those that the server can write to and the watch can read."""
    assert Settings(image_registry="ghcr.io/acme", served_log=address, labels=address).served_log == address


@pytest.mark.parametrize("address", ["ftp://host/served", "s3://", "s3://key:secret@bucket/served", "s3://bucket?a=b"])
def test_an_address_that_is_no_place_is_refused(address: str) -> None:
    """Credentials above all: this file is in git."""
    with pytest.raises(ValidationError, match="credentials come from the environment"):
        Settings(image_registry="ghcr.io/acme", served_log=address)


@pytest.mark.parametrize("url", ["https://pager.example.org/slipway", "http://127.0.0.1:8080/", "http://[::1]/hook"])
def test_a_webhook_goes_to_an_address_of_https_or_to_this_machine(url: str) -> None:
    """Between machines, plain HTTP shows what was found to everybody on the way."""
    assert Settings(image_registry="ghcr.io/acme", incident_webhook=url).incident_webhook == url


@pytest.mark.parametrize(
    "url",
    [
        "http://pager.example.org/slipway",
        "http://127.0.0.1.example.org/",
        "https://user:word@pager.example.org",
        "https://",
        "ftp://127.0.0.1/",
        "pager.example.org",
        "",
    ],
)
def test_any_other_address_of_a_webhook_is_refused(url: str) -> None:
    """A password in an address would be one in a committed file."""
    with pytest.raises(ValidationError, match="incident_webhook"):
        Settings(image_registry="ghcr.io/acme", incident_webhook=url)
