"""What a person wants to have explained: a digest, a tag, a pull request, or an address that holds one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from slipway.domain.tag import ReleaseTag, is_model_name, release_named
from slipway.errors import BadTag, CannotExplain

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})", re.IGNORECASE)
_NUMBER = re.compile(r"#(\d{1,9})|(\d{1,7})", re.ASCII)  # eight digits are the beginning of a digest
_THREAD = re.compile(r"/?(?P<owner>[^/]+)/(?P<name>[^/]+)/(?:pull|pulls|issues)/(?P<number>\d{1,9})(?:/.*)?", re.ASCII)
_THREAD_HERE = re.compile(r".+\.forge/(?:pulls|issues)/(\d{4,9})-[^/]*\.md", re.ASCII)  # of a forge that is a folder
_TAG_PAGE = re.compile(r"/[^/]+/[^/]+/(?:releases/tag|tree)/(?P<tag>[^/]+)")
_IMAGE = re.compile(r"(?:.*/)?(?P<name>[^/:@]+)(?::(?P<tag>[^/:@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?")
_MEND = (
    "write a digest (sha256:… or its first 8 digits or more), a tag like flight-delay@v1.4.0, a pull request like #12, "
    "its address, or an image like HOST/NAME:v1.4.0"
)


class AskedFor(StrEnum):
    """What a text was taken for."""

    DIGEST = "digest"
    TAG = "tag"
    VERSION = "version"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` is a digest's hexadecimal digits, all or the first of them, a tag, a version or a number.

    `repository` is the `owner/name` that an address on GitHub speaks of, None where nothing says so.
    """

    text: str
    what: AskedFor
    name: str
    repository: str | None = None


def parse_asked(text: str) -> Asked:
    """Read what a person pasted.

    Raises:
        CannotExplain: it is none of these.
    """
    given = text.strip()
    found = _plain(given) or _address(given) or _image(given)
    if found is None:
        raise CannotExplain(f"`{text}` is nothing that Slipway could look up", mend=_MEND)
    return found


def _plain(text: str) -> Asked | None:
    if match := _NUMBER.fullmatch(text):
        return Asked(text, AskedFor.NUMBER, str(int(match[1] or match[2])))
    if match := _DIGEST.fullmatch(text):
        return Asked(text, AskedFor.DIGEST, match[1].lower())
    if (tag := _tag(text)) is not None:
        return Asked(text, AskedFor.TAG, str(tag))
    if release_named("any", text) is not None:
        return Asked(text, AskedFor.VERSION, text)
    return None


def _address(text: str) -> Asked | None:
    """Of a pull request, an issue or a tag: on GitHub, or a file beside a repository on this machine."""
    if here := _THREAD_HERE.fullmatch(text.removeprefix("file://")):
        return Asked(text, AskedFor.NUMBER, str(int(here[1])))
    if not text.startswith(("https://", "http://")):
        return None
    path = unquote(urlsplit(text).path) if "[" not in text else ""  # urlsplit takes a bracket for an address of IPv6
    if thread := _THREAD.fullmatch(path):
        repository = f"{thread['owner']}/{thread['name']}"
        return Asked(text, AskedFor.NUMBER, str(int(thread["number"])), repository)
    page = _TAG_PAGE.fullmatch(path)
    tag = _tag(page["tag"]) if page else None
    return Asked(text, AskedFor.TAG, str(tag)) if tag is not None else None


def _image(text: str) -> Asked | None:
    """Its digest, where it has one, says more than its tag."""
    match = _IMAGE.fullmatch(text.removeprefix("https://").removeprefix("docker://").removeprefix("oci://"))
    if match is None:
        return None
    if match["digest"]:
        return Asked(text, AskedFor.DIGEST, match["digest"].removeprefix("sha256:"))
    tag = release_named(match["name"], match["tag"]) if match["tag"] and is_model_name(match["name"]) else None
    return Asked(text, AskedFor.TAG, str(tag)) if tag is not None else None


def _tag(text: str) -> ReleaseTag | None:
    try:
        return ReleaseTag.parse(text)
    except BadTag:
        return None
