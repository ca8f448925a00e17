"""Where credentials come from, and which registry may see them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from slipway.adapters.registry.credentials import Credentials, credentials_for
from slipway.errors import BadFile

VARIABLES = {"SLIPWAY_REGISTRY_USER": "robot", "SLIPWAY_REGISTRY_PASSWORD": "secret"}


def docker_config(folder: Path, entry: object, *, host: str = "registry.example.com") -> dict[str, str]:
    """Write the file of `docker login` and return the environment that names it."""
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))
    return {"DOCKER_CONFIG": str(folder)}


@pytest.mark.parametrize("host", ["registry.example.com", "https://registry.example.com"])
def test_a_docker_login_is_enough(tmp_path: Path, host: str) -> None:
    """Whoever can `docker push` should have nothing to set up; a password may hold colons."""
    entry = {"auth": base64.b64encode(b"robot:se:cret").decode()}
    found = credentials_for("registry.example.com", environment=docker_config(tmp_path, entry, host=host))
    assert found == Credentials("robot", "se:cret")


def test_a_login_is_for_its_own_registry_only(tmp_path: Path) -> None:
    """A name that merely looks alike must get nothing."""
    environment = docker_config(tmp_path, {"auth": base64.b64encode(b"a:b").decode()})
    for host in ("registry.example.com.evil.test", "example.com", "registry.example.com:444"):
        assert credentials_for(host, environment=environment) is None


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """CI sets variables; a file on the runner may be somebody else's."""
    environment = docker_config(tmp_path, {"username": "other", "password": "x"})
    assert credentials_for("registry.example.com", environment=environment) == Credentials("other", "x")
    assert credentials_for("registry.example.com", environment={**environment, **VARIABLES}) == Credentials(
        "robot", "secret"
    )


def test_the_environment_can_be_kept_for_one_registry(tmp_path: Path) -> None:
    """The base image may lie with somebody who must not learn our password."""
    environment = {**VARIABLES, "SLIPWAY_REGISTRY_HOST": "ours.example.com", "DOCKER_CONFIG": str(tmp_path)}
    assert credentials_for("ours.example.com", environment=environment) == Credentials("robot", "secret")
    assert credentials_for("theirs.example.com", environment=environment) is None


@pytest.mark.parametrize("entry", [{}, {"auth": ""}, {"identitytoken": "x"}])
def test_no_login_is_anonymous(tmp_path: Path, entry: object) -> None:
    """A public registry is read without one."""
    assert credentials_for("registry.example.com", environment=docker_config(tmp_path, entry)) is None


@pytest.mark.parametrize("entry", [{"auth": "%%%"}, {"auth": base64.b64encode(b"nocolon").decode()}, "text"])
def test_a_damaged_login_names_file_and_mend_and_not_its_content(tmp_path: Path, entry: object) -> None:
    """What is in that file is a secret, even when it is broken."""
    with pytest.raises(BadFile, match=r"config\.json.*\n.*docker login") as caught:
        credentials_for("registry.example.com", environment=docker_config(tmp_path, entry))
    assert "nocolon" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_is_not_printed() -> None:
    """A value that is printed by accident ends up in a log."""
    assert "secret" not in repr(Credentials("robot", "secret"))
