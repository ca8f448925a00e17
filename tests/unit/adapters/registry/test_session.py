"""A registry that is slow, strict or hostile: what is waited for, what is refused, what is never told."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.manifests import Image
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import NoSuchImage, RegistryRefused, SlipwayError, Unreachable

from tests.unit.adapters.registry.gatekeeper import PASSWORD, USER, Gatekeeper, gatekeeper
from tests.unit.adapters.registry.releases import HASTY, LAYER, release, with_base

ROBOT = Credentials(USER, PASSWORD)


def behind(keeper: Gatekeeper, prefix: str, credentials: Credentials | None = ROBOT) -> Registry:
    """The registry as it looks from outside."""
    return RemoteRegistry(keeper.address, prefix, credentials=credentials, patience=HASTY)


@pytest.mark.parametrize("refusal", [401, 403])
def test_pull_then_push_goes_through_a_strict_token_service(registry_host: str, refusal: int) -> None:
    """A client that sends its pull token again with a push is refused; one token for both is asked for at once."""
    with gatekeeper(registry_host, refusal=refusal) as keeper:
        registry = behind(keeper, f"strict{refusal}")
        digest = release(registry, with_base(registry))
        assert Image.read(registry.repository("flight-delay"), "v1.0.0").digest == digest
    assert (f"repository:strict{refusal}/flight-delay:pull,push",) in keeper.token_requests
    assert len(set(keeper.token_requests)) == len(keeper.token_requests) == 3  # two repositories and one mount


def test_a_mount_asks_to_read_the_other_repository_too(registry_host: str) -> None:
    """Without that scope every mount is turned into an upload."""
    with gatekeeper(registry_host) as keeper:
        release(behind(keeper, "mounts"), with_base(behind(keeper, "mounts")))
    assert ("repository:mounts/flight-delay:pull,push", "repository:mounts/runtime:pull") in keeper.token_requests
    assert any("mount=" in request and "from=mounts%2Fruntime" in request for request in keeper.requests)


def test_anybody_reads_what_is_public(registry_host: str, remote: Registry) -> None:
    """A public runtime needs no account; a token service may refuse an anonymous wish to push outright."""
    name = remote.repository("runtime").name
    with_base(remote)
    with gatekeeper(registry_host, public_pull=True, over_asking=403) as keeper:
        image = Image.read(behind(keeper, name.removesuffix("/runtime"), None).repository("runtime"), "v1")
    assert image.layers
    assert keeper.token_requests == [(f"repository:{name}:pull",)]


def test_an_account_that_may_only_read_reads(registry_host: str, remote: Registry) -> None:
    """CI's `fetch` job has a read token; a service that grants all or nothing must not lock it out."""
    prefix = remote.repository("runtime").name.removesuffix("/runtime")
    with_base(remote)
    with gatekeeper(registry_host, may_push=False, over_asking=403) as keeper:
        registry = behind(keeper, prefix)
        assert Image.read(registry.repository("runtime"), "v1").layers
        with pytest.raises(RegistryRefused, match="docker login"):
            registry.repository("runtime").put_blob(digest_of(b"1"), size=1, chunks=lambda: iter([b"1"]))


@pytest.mark.parametrize("scheme", ["basic", ""])
def test_basic_credentials_and_an_open_door_work(registry_host: str, scheme: str) -> None:
    """A team's own registry often has a password file, or nothing."""
    with gatekeeper(registry_host, scheme=scheme) as keeper:
        registry = behind(keeper, f"scheme{scheme}")
        assert release(registry, with_base(registry)).startswith("sha256:")
    assert bool(keeper.received) == (scheme == "basic")


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
@pytest.mark.parametrize("credentials", [None, Credentials(USER, "wrong-secret")])
def test_refused_credentials_are_yours_to_mend(
    registry_host: str, scheme: str, credentials: Credentials | None
) -> None:
    """Waiting does not help: exit code 2 and the way to log in, without the password."""
    with gatekeeper(registry_host, scheme=scheme) as keeper, pytest.raises(RegistryRefused) as caught:
        behind(keeper, "x", credentials).repository("runtime").manifest("v1")
    assert caught.value.exit_code == 2
    assert "docker login" in caught.value.mend
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "realm",
    [
        "http://tokens.example.com/token",
        "http://127.0.0.1.example.com/token",
        "http://localhost@example.com/",
        "https://user:password@example.com/token",
        "ftp://127.0.0.1/token",
        "//example.com/token",
        "/token",
        "https://",
        "http://[",
    ],
)
def test_a_realm_that_is_not_https_never_sees_credentials(registry_host: str, realm: str) -> None:
    """A registry names the place where credentials go; one that was taken over names its own."""
    with gatekeeper(registry_host, realm=realm) as keeper, pytest.raises(RegistryRefused, match="not https"):
        behind(keeper, "x").repository("runtime").manifest("v1")
    assert keeper.received == []


@pytest.mark.parametrize("fault", [(429, "0"), (429, ""), (500, ""), (503, "0"), (0, "")])
def test_a_busy_registry_is_waited_for(registry_host: str, fault: tuple[int, str]) -> None:
    """Rate limits and restarts are everyday; a release must not fail by them, at whichever request they come."""
    with gatekeeper(registry_host, scheme="") as keeper:
        registry = behind(keeper, f"busy{fault[0]}{fault[1]}")
        base = with_base(registry)
        keeper.faults = [fault, fault]
        assert release(registry, base).startswith("sha256:")


@pytest.mark.parametrize("fault", [(503, "0"), (0, "")])
def test_an_upload_that_breaks_off_is_sent_again_whole(
    registry_host: str, remote: Registry, fault: tuple[int, str]
) -> None:
    """The bytes are made anew for each attempt; half a stream must not be continued."""
    with gatekeeper(registry_host, scheme="") as keeper:
        repository = behind(keeper, remote.repository("x").name).repository("flight-delay")
        attempts: list[int] = []

        def chunks() -> Iterator[bytes]:
            keeper.faults = [] if attempts else [fault]
            attempts.append(1)
            return LAYER.open()

        repository.put_blob(LAYER.digest, size=LAYER.size, chunks=chunks)
        with repository.blob(LAYER.digest) as stream:
            assert sum(map(len, stream)) == LAYER.size
    assert len(attempts) == 2


def test_a_registry_that_stays_busy_is_an_error_of_its_own(registry_host: str) -> None:
    """`could not look` is never a verdict: exit code 12, run again."""
    with (
        gatekeeper(registry_host, scheme="", faults=[(503, "0")] * 50) as keeper,
        pytest.raises(Unreachable, match="HTTP 503") as caught,
    ):
        behind(keeper, "x").repository("runtime").manifest("v1")
    assert caught.value.exit_code == 12
    assert len(keeper.requests) == HASTY.attempts


def test_nobody_there_is_unreachable() -> None:
    """A connection that is refused may be a registry that restarts."""
    with gatekeeper("nowhere") as keeper:
        address = keeper.address
    with pytest.raises(Unreachable, match="run the same command again"):
        RemoteRegistry(address, "x", patience=HASTY).repository("runtime").has(digest_of(b""))


def test_an_upload_that_leads_out_of_encryption_is_refused(registry_host: str) -> None:
    """A registry behind a proxy often names a plain address; the model and the token would cross the net readable."""
    with gatekeeper(registry_host, uploads_at="http://uploads.example.com/here") as keeper:
        repository = behind(keeper, "leads-out").repository("runtime")
        with pytest.raises(RegistryRefused, match=r"uploads\.example\.com, which is not encrypted"):
            repository.put_blob(digest_of(b"1"), size=1, chunks=lambda: iter([b"1"]))


def test_an_upload_elsewhere_carries_no_token(registry_host: str) -> None:
    """Storage behind a registry is authorised by its address; a token there could be used by whoever runs it."""
    with (
        gatekeeper(registry_host, scheme="", faults=[(418, "")]) as elsewhere,
        gatekeeper(registry_host, uploads_at=f"http://{elsewhere.address}/here") as keeper,
        pytest.raises(RegistryRefused, match="418"),
    ):
        behind(keeper, "elsewhere").repository("runtime").put_blob(digest_of(b"1"), size=1, chunks=lambda: iter([b"1"]))
    assert [request.partition("?")[0] for request in elsewhere.requests] == ["PUT /here"]
    assert elsewhere.received == []


def test_no_log_and_no_error_holds_a_password(registry_host: str, caplog: pytest.LogCaptureFixture) -> None:
    """Logs are uploaded, pasted and searched."""
    caplog.set_level(logging.DEBUG)
    with gatekeeper(registry_host, scheme="basic", faults=[(503, "0"), (0, "")]) as keeper:
        registry = behind(keeper, "quiet")
        release(registry, with_base(registry))
        printed = caplog.text + repr(ROBOT) + ROBOT.basic[:5]
        keeper.scheme = "bearer"
        keeper.may_push = False
        try:
            registry.repository("other").put_blob(digest_of(b"1"), size=1, chunks=lambda: iter([b"1"]))
        except SlipwayError as refused:
            printed += "".join(traceback.format_exception(refused))
        else:
            pytest.fail("the push should have been refused")
        with pytest.raises(NoSuchImage):
            registry.repository("other").manifest("v1")
    assert PASSWORD not in printed + caplog.text
    assert ROBOT.basic.removeprefix("Basic ") not in printed + caplog.text
