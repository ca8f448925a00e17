"""What of a team's `.dvc/config` says where its files lie, written anew: nothing else of it reaches DVC.

Whoever may push a branch may write that file, and DVC would for its sake run commands (`configpath`, a file of AWS's
that can name one), read files of the machine (`credentialpath`), and show credentials to a host (`endpointurl`). So
credentials, and the host that sees them, are named by the environment alone, as for every other kind of place.

Source of the keys: https://dvc.org/doc/user-guide/project-structure/configuration
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from slipway.adapters.sources.secrets import VARIABLE
from slipway.errors import BadFile

_FILE = ".dvc/config"
_REMOTE = re.compile(r"""'?remote\s+"(?P<name>[A-Za-z0-9_.-]+)"'?""")
_SCHEMES = ("s3", "gs", "gcs", "azure", "https", "http", "remote")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")  # which ends no name of a host that is made of it
_KEPT = {
    *("region", "account_name", "projectname", "version_aware", "worktree", "allow_anonymous_login"),
    *("read_timeout", "connect_timeout", "connection_timeout", "timeout"),
}
_OF_NO_DOWNLOAD = {  # or of none as it is made here
    *("jobs", "checksum_jobs", "no_traverse", "listobjects", "verify", "method", "acl", "sse", "sse_kms_key_id"),
    *("grant_read", "grant_read_acp", "grant_write_acp", "grant_full_control", "type", "shared", "protected"),
    *("slow_link_warning", "cache_regions"),
}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def written_anew(content: bytes, environment: Mapping[str, str]) -> str:
    """The configuration that DVC gets: the remotes, and what makes it write into its own folder and look at digests.

    `environment` holds the variables that are there for who fetches.

    Raises:
        BadFile: it is no such file, or a remote of it has what may not come from the repository.
    """
    told = _parsed(content)
    default = _unquoted(told.get("core", "remote", fallback="")).lower()
    if default and _PLAIN.fullmatch(default) is None:
        raise BadFile(f"{_FILE} names the remote `{default[:100]}`", mend="give it a name of letters and digits")
    lines = ["[core]", *([f"remote = {default}"] if default else []), "no_scm = true", "analytics = false"]
    lines += ["[cache]", "dir = cache", "type = copy"]  # the team's own may be shared by a machine, and hold links
    for section in told.sections():
        if section.lstrip("'").startswith("remote"):
            lines += _remote(section, told[section], environment)
    return "\n".join([*lines, ""])


def _parsed(content: bytes) -> configparser.ConfigParser:
    told = configparser.ConfigParser(interpolation=None, delimiters=("=",), default_section="*")
    try:
        told.read_string(content.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        words = str(error).splitlines()[0][:200]
        raise BadFile(
            f"{_FILE} cannot be read: {words}", mend="write it by `dvc remote add` and `dvc remote modify`"
        ) from None
    return told


def _remote(section: str, told: configparser.SectionProxy, environment: Mapping[str, str]) -> Iterator[str]:
    match = _REMOTE.fullmatch(section)
    if match is None:
        raise BadFile(
            f"{_FILE} has a remote whose name is no plain one: [{section[:100]}]",
            mend="dvc remote rename it to letters, digits, `.`, `_` and `-`",
        )
    name, options = match["name"], {key: _unquoted(value) for key, value in told.items()}
    url = options.pop("url", "")
    _refuse_address(name, url)
    yield f"['remote \"{name}\"']"
    yield f'url = "{url}"'
    yield "verify = true"  # DVC believes a remote else, whatever bytes it has under a digest
    for key, value in options.items():
        if key in _OF_NO_DOWNLOAD:
            continue
        _refuse_strange(name, key, value, is_named=url.startswith("s3://") and _is_named(value, environment))
        yield f'{key} = "{value}"'


def _refuse_address(name: str, url: str) -> None:
    if not _is_fetched_from(url):
        shown, known = url.rpartition("@")[2][:200], ", ".join(f"{one}://…" for one in _SCHEMES[:5])
        raise BadFile(
            f'{_FILE}: the `url` of remote "{name}", `{shown}`, is nothing that is fetched from',
            mend=f"write {known} or a whole path; credentials belong in {VARIABLE}",
        )


def _is_fetched_from(url: str) -> bool:
    try:
        scheme, host = urlsplit(url)[:2]
    except ValueError:  # half an address of IPv6
        return False
    is_whole = bool(host) if scheme in _SCHEMES else url.startswith("/") and not scheme
    return is_whole and "@" not in host and '"' not in url and url.isprintable()


def _is_named(value: str, environment: Mapping[str, str]) -> bool:
    return value.rstrip("/") in {environment.get(name, "").rstrip("/") for name in _ENDPOINTS} - {""}


def _refuse_strange(name: str, key: str, value: str, *, is_named: bool) -> None:
    if key == "endpointurl" and is_named:
        return
    if key == "endpointurl":
        raise BadFile(
            f'{_FILE}: `endpointurl` of remote "{name}" would be shown credentials, and who writes a branch writes it',
            mend=f"name the same address as AWS_ENDPOINT_URL in your environment, on GitHub in the secret {VARIABLE}",
        )
    if key not in _KEPT:
        raise BadFile(
            f'{_FILE}: `{key[:100]}` of remote "{name}" is not followed: a branch could make DVC run or read by it',
            mend=f"dvc remote modify --local it, which writes .dvc/config.local; credentials belong in {VARIABLE}",
        )
    if _PLAIN.fullmatch(value) is None:
        raise BadFile(
            f'{_FILE}: `{key}` of remote "{name}" is no plain word',
            mend="write letters, digits, `.`, `_` and `-` alone",
        )


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
