"""Of `.dvc/config`, which a branch may write, DVC gets what says where files lie, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.sources.dvc_config import written_anew
from slipway.errors import BadFile


def _config(*lines: str, url: str = "s3://bucket/files") -> bytes:
    return "\n".join(["[core]", "    remote = store", "['remote \"store\"']", f"    url = {url}", *lines, ""]).encode()


@pytest.mark.parametrize(
    "url",
    ["s3://bucket/files", "gs://bucket/files", "azure://container/files", "https://files.example/models", "/mnt/files"],
)
def test_a_remote_is_kept_and_held_to_its_digests(url: str) -> None:
    """DVC believes else whatever bytes lie there under a digest."""
    told = written_anew(_config("    region = eu-central-1", "    jobs = 4", url=url), {})

    assert "remote = store" in told and f'url = "{url}"' in told and 'region = "eu-central-1"' in told
    assert "verify = true" in told and "dir = cache" in told
    assert "jobs" not in told


@pytest.mark.parametrize(
    "line",
    [
        "configpath = /srv/models/tip/aws",  # AWS's file, whose `credential_process` is a command
        "credentialpath = /home/ada/.config/login.json",
        "profile = production",
        "endpointurl = https://elsewhere.example",
        "ssl_verify = false",
        "use_ssl = false",
        "connection_string = BlobEndpoint=https://elsewhere.example;",
        "account_name = elsewhere.example/x?",  # the host that sees a token is made of it
        "region = elsewhere.example/x?",
        "password = swordfish",
        "custom_auth_header = X-Token",
        "ask_password = true",
        "bearer_token_command = cat /etc/passwd",
        "keyfile = /home/ada/.ssh/id_ed25519",
        "something_new = yes",
    ],
)
def test_what_could_run_read_or_send_is_refused_by_its_name(line: str) -> None:
    """Who may push a branch writes this file, and DVC runs beside the team's credentials."""
    with pytest.raises(BadFile) as caught:
        written_anew(_config(f"    {line}"), {})

    key, _, value = line.partition(" = ")
    assert f"`{key}`" in caught.value.problem and ".dvc/config" in caught.value.problem
    assert value not in str(caught.value) and caught.value.exit_code == 2


def test_an_endpoint_that_the_environment_names_is_kept() -> None:
    """A team with a store of its own says once, beside the credentials, who may see them."""
    line = "    endpointurl = https://store.example"
    told = written_anew(_config(line), {"AWS_ENDPOINT_URL": "https://store.example/"})

    assert 'endpointurl = "https://store.example"' in told
    with pytest.raises(BadFile, match="endpointurl"):
        written_anew(_config(line, url="gs://bucket"), {"AWS_ENDPOINT_URL": "https://store.example"})


@pytest.mark.parametrize(
    "url",
    ["ssh://host/files", "webdav://host/x", "../store", "https://ada:swordfish@files.example/x", "s3://", 'a"b', ""],
)
def test_an_address_of_another_kind_is_refused_without_its_password(url: str) -> None:
    """A path that begins in the repository is not there where DVC runs; and addresses end up in logs."""
    with pytest.raises(BadFile, match="`url` of remote") as caught:
        written_anew(_config(url=url), {})

    assert "swordfish" not in str(caught.value)


def test_sections_that_are_no_remotes_reach_nobody() -> None:
    """`core.site_cache_dir` and `hydra.plugins_path` write and run elsewhere."""
    more = "[hydra]\nplugins_path = /work\n[cache]\ndir = /tmp/elsewhere\n[studio]\nurl = https://elsewhere.example\n"
    told = written_anew(_config() + more.encode(), {})

    assert "hydra" not in told and "elsewhere" not in told


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
def test_whatever_is_written_there_adds_no_line_of_its_own(key: str, value: str, section: str) -> None:
    """A value that ended a line would write the next one, which nobody looked at."""
    content = f"['remote \"{section}\"']\nurl = s3://{value}\n{key} = {value}\n".encode(errors="replace")
    try:
        told = written_anew(content, {})
    except BadFile:
        return
    known = ("[", "remote = ", "no_scm", "analytics", "dir", "type", "url", "verify", "region", "account_name")
    more = ("projectname", "version_aware", "worktree", "allow_anonymous_login", "read_timeout", "connect", "timeout")
    assert all(line.startswith((*known, *more)) for line in told.splitlines())
