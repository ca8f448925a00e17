"""A registry elsewhere: through TLS, through a proxy, and no step without knowing who answers."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from slipway.adapters.registry.address import Address
from slipway.adapters.registry.manifests import Image
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.proxies import proxy_for
from slipway.adapters.registry.remote import RemoteRegistry
from slipway.errors import RegistryRefused, Unreachable

from tests.unit.adapters.registry.certificates import write_certificate
from tests.unit.adapters.registry.releases import HASTY, release, with_base

HOST = "registry.example.com"
_PIECE = 1 << 16


@contextmanager
def tunnels(behind: str, certificate: tuple[Path, Path], *, status: str = "200 OK") -> Iterator[tuple[str, list[str]]]:
    """A proxy whose every tunnel ends at the registry, in TLS: its address, and the requests for tunnels."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    asked: list[str] = []
    threads: list[threading.Thread] = []

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            asked.append(_head(client))
            client.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
            if status.startswith("200"):
                _carry(context.wrap_socket(client, server_side=True), behind)

    def accept() -> None:
        with suppress(OSError):  # the block ended
            while True:
                threads.append(threading.Thread(target=serve, args=(server.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join()


def _head(client: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n") and (letter := client.recv(1)):
        head += letter
    return head.decode()


def _carry(client: ssl.SSLSocket, behind: str) -> None:
    """One request after the other, as the client sends them; the registry does not know that it is behind TLS."""
    host, _, port = behind.rpartition(":")
    with client, socket.create_connection((host, int(port))) as registry:

        def home() -> None:
            with suppress(OSError):
                while piece := registry.recv(_PIECE):
                    client.sendall(piece.replace(b"Location: http:", b"Location: https:"))

        answering = threading.Thread(target=home)
        answering.start()
        with suppress(OSError):
            while piece := client.recv(_PIECE):
                registry.sendall(piece)
        registry.shutdown(socket.SHUT_RDWR)
        answering.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of the registry that all these tests call by its name."""
    return write_certificate(tmp_path_factory.mktemp("certificate"), HOST)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of this process, without those that name a proxy or a certificate."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def opened(prefix: str) -> Registry:
    return RemoteRegistry(HOST, prefix, patience=HASTY)


def test_a_release_goes_through_a_proxy_and_stays_encrypted(
    registry_host: str, certificate: tuple[Path, Path], named: pytest.MonkeyPatch
) -> None:
    """Many runners reach the world by a proxy alone; it learns the host, and nothing of what is sent."""
    with tunnels(registry_host, certificate) as (address, asked):
        named.setenv("HTTPS_PROXY", f"http://robot:p%40ss@{address}")
        named.setenv("SSL_CERT_FILE", str(certificate[0]))
        registry = opened("encrypted")
        digest = release(registry, with_base(registry))
        assert Image.read(registry.repository("flight-delay"), "v1.0.0").digest == digest
        del registry
    assert asked[0].startswith(f"CONNECT {HOST}:443 ")
    assert base64.b64encode(b"robot:p@ss").decode() in asked[0]
    assert len(asked) == 1, "each request opened a connection of its own"


def test_a_stranger_under_the_registrys_name_is_refused_at_once(
    registry_host: str, certificate: tuple[Path, Path], named: pytest.MonkeyPatch
) -> None:
    """Waiting does not make a certificate better, and nothing may be sent to whoever answers instead."""
    with tunnels(registry_host, certificate) as (address, asked):
        named.setenv("ALL_PROXY", address)
        with pytest.raises(RegistryRefused, match=rf"{HOST}:443 cannot show who it is: self.signed") as caught:
            opened("stranger").repository("runtime").manifest("v1")
    assert "SSL_CERT_FILE" in caught.value.mend
    assert len(asked) == 1


def test_a_proxy_that_refuses_is_named_with_its_words(
    registry_host: str, certificate: tuple[Path, Path], named: pytest.MonkeyPatch
) -> None:
    """Who reads `did not answer` would look for the registry."""
    with tunnels(registry_host, certificate, status="407 Proxy Authentication Required") as (address, _):
        named.setenv("HTTPS_PROXY", f"http://{address}")
        with pytest.raises(Unreachable, match="Tunnel connection failed: 407"):
            opened("refused").repository("runtime").manifest("v1")


def test_a_host_that_needs_no_proxy_gets_none(named: pytest.MonkeyPatch) -> None:
    """A registry inside of a company is reached directly."""
    named.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    named.setenv("NO_PROXY", "example.org,.internal")
    found = proxy_for(Address.parse("https://registry.example.com/"))
    assert found is not None
    assert (found.host, found.port, found.headers) == ("proxy.example.com", 3128, {})
    assert proxy_for(Address.parse("https://registry.internal/")) is None


@pytest.mark.parametrize("text", ["socks5://a:1080", "https://a:3128", "http://", "http://a:port", "http://u:secret@["])
def test_a_proxy_of_another_kind_is_refused_without_its_password(text: str, named: pytest.MonkeyPatch) -> None:
    """Going without it would show an inner network's names to the outer one."""
    named.setenv("HTTPS_PROXY", text)
    with pytest.raises(RegistryRefused, match="HTTPS_PROXY") as caught:
        proxy_for(Address.parse("https://registry.example.com/"))
    assert "secret" not in str(caught.value)


def test_a_proxy_prints_without_its_password(named: pytest.MonkeyPatch) -> None:
    """A value that is printed by accident ends up in a log."""
    named.setenv("HTTPS_PROXY", "http://robot:secret@a:3128")
    assert "secret" not in repr(proxy_for(Address.parse("https://b/")))
