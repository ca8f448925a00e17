"""Where a web server may lead who fetches from it: who writes it must not send this machine to whom it likes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.errors import SourceRefused, Unreachable

from tests.sources.conftest import Fetch
from tests.sources.web import Doorkeeper, WebServer

CONTENT = b"numbers" * 100


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def other(web: WebServer, tmp_path: Path) -> Iterator[WebServer]:
    """Another place, as its port says: no name but `localhost` is there for a test."""
    server = WebServer(tmp_path, beside=web)
    server.files["/model.ubj"] = CONTENT
    server.start()
    yield server
    server.stop()


def _known(web: WebServer) -> dict[str, str]:
    return {"SSL_CERT_FILE": str(web.certificate)}


def _leading(web: WebServer, where: str) -> str:
    web.redirects["/model.ubj"] = where
    return web.address("/model.ubj", CONTENT)


def test_within_one_server_an_address_may_lead_on(web: WebServer, fetch: Fetch) -> None:
    """Servers do so for a name that stands for the newest file; the digest says which one is meant."""
    web.files["/v3/model.ubj"] = CONTENT
    _, files = fetch(_leading(web, "/v3/model.ubj"), _known(web))
    assert files == {"model.ubj": CONTENT}


def test_another_host_is_not_asked(web: WebServer, other: WebServer, fetch: Fetch) -> None:
    """It may be one that only this machine reaches."""
    address = _leading(web, f"https://localhost:{other.port}/model.ubj")
    with pytest.raises(SourceRefused, match=f"leads to https://localhost:{other.port}, which nobody allowed") as caught:
        fetch(address, _known(web))

    assert other.asked == []
    assert "`limit: fetched: redirects`" in caught.value.mend


def test_a_host_that_the_policy_names_is_asked(web: WebServer, other: WebServer, fetch: Fetch) -> None:
    """Releases of a forge lie on a host of another name."""
    address = _leading(web, f"https://localhost:{other.port}/model.ubj")
    _, files = fetch(address, _known(web), redirects=[f"localhost:{other.port}"])
    assert files == {"model.ubj": CONTENT}


def test_of_several_hosts_each_is_looked_at(web: WebServer, other: WebServer, fetch: Fetch) -> None:
    """The one that is allowed may lead on, too."""
    door = Doorkeeper()
    other.redirects["/model.ubj"] = f"http://127.0.0.1:{door.port}/latest/meta-data"
    address = _leading(web, f"https://localhost:{other.port}/model.ubj")
    with pytest.raises(SourceRefused, match="leads to http://"):
        fetch(address, _known(web), redirects=[f"localhost:{other.port}"])
    door.stop()
    assert door.asked == []


@pytest.mark.parametrize("allowed", [False, True])
def test_without_https_nobody_is_asked_also_where_the_host_is_allowed(
    allowed: bool, web: WebServer, fetch: Fetch
) -> None:
    """Clouds hand out the credentials of a machine to whoever asks from it, by http on an address of its network."""
    door = Doorkeeper()
    place = f"127.0.0.1:{door.port}"
    with pytest.raises(SourceRefused, match=f"leads to http://{place}"):
        fetch(_leading(web, f"http://{place}/"), _known(web), redirects=[place] if allowed else [])
    door.stop()
    assert door.asked == []


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/x", "https://169.254.169.254/latest", "//["])
def test_no_other_kind_of_address_is_followed(web: WebServer, fetch: Fetch, where: str) -> None:
    """What a library makes of them is not for a server to find out."""
    with pytest.raises((SourceRefused, Unreachable)):
        fetch(_leading(web, where), _known(web))


def test_a_login_of_the_machine_is_shown_to_no_web_server(web: WebServer, fetch: Fetch, tmp_path: Path) -> None:
    """An address has no credentials; what lies in ~/.netrc is for other programs."""
    (tmp_path / ".netrc").write_text("default login ada password swordfish\n")
    (tmp_path / ".netrc").chmod(0o600)
    web.files["/v3/model.ubj"] = CONTENT
    login = {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
    fetch(_leading(web, "/v3/model.ubj"), {**_known(web), **login})

    assert set(web.logins) == {"nobody"}
