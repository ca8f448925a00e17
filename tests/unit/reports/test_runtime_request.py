"""What a reviewer reads of a runtime image: what it replaces, what changed, and the line that takes it back."""

from __future__ import annotations

import pytest
from slipway.domain.runtime import Change, PackageChange, RuntimeImage
from slipway.reports.marker import read_marker
from slipway.reports.runtime_request import runtime_body, runtime_title
from syrupy.assertion import SnapshotAssertion

from tests.unit.reports.github import html_in, tables_of, text_outside_of_code

_BASE, _OLD_SERVER, _SERVER = (f"sha256:{digit * 64}" for digit in "567")


_PACKAGES = {"pypi/orjson": "3.13.0", "deb/debian/libc6": "2.36-9+deb12u14", "generic/python": "3.11.9"}


def image(
    digit: str,
    *,
    server: str = _SERVER,
    base_digest: str = "",
    revision: str = "c" * 40,
    packages: dict[str, str] | None = None,
) -> RuntimeImage:
    return RuntimeImage(
        reference=f"ghcr.io/acme/runtime@sha256:{digit * 64}",
        layers={_BASE: 48_200_000, server: 91_300_000},
        revision=revision,
        base_name="docker.io/library/python:3.11-slim-bookworm",
        base_digest=base_digest,
        packages=packages,
    )


NEW = image("1", base_digest=f"sha256:{'d' * 64}", packages=_PACKAGES)
OLD = image("0", server=_OLD_SERVER, revision="b" * 40)
CHANGES = (
    Change(commit="c" * 40, subject="Answer in the order of the request"),
    Change(commit="e" * 40, subject="Take a newer orjson"),
)
PACKAGES = (
    PackageChange(name="deb/debian/libc6", before="2.36-9+deb12u13", after="2.36-9+deb12u14"),
    PackageChange(name="pypi/orjson", before=None, after="3.13.0"),
    PackageChange(name="pypi/ujson", before="5.1.0", after=None),
)


def body(
    changes: tuple[Change, ...] | None = CHANGES,
    before: RuntimeImage | None = OLD,
    packages: tuple[PackageChange, ...] | None = PACKAGES,
) -> str:
    return runtime_body(
        NEW, named=OLD.reference, before=before, changes=changes, packages=packages, opened_by="the GitHub App"
    )


def test_another_runtime_image(markdown_file: SnapshotAssertion) -> None:
    """The whole text, as it is read."""
    assert body() == markdown_file


def test_the_first_runtime_image(markdown_file: SnapshotAssertion) -> None:
    """Nothing to compare with, and nothing to go back to but none."""
    text = runtime_body(NEW, named=None, before=None, changes=None, packages=None, opened_by="`GITHUB_TOKEN`")
    assert text == markdown_file


def test_a_newer_base_alone(markdown_file: SnapshotAssertion) -> None:
    """No commit changed anything; the fixes of the base did."""
    assert body(changes=(), packages=PACKAGES[:1]) == markdown_file


def test_an_old_image_that_is_lost(markdown_file: SnapshotAssertion) -> None:
    """The way back is not open, and the text says so before it is needed."""
    assert body(changes=None, before=None, packages=None) == markdown_file


def test_its_title_tells_images_apart() -> None:
    """As it is listed among the proposals of releases."""
    assert runtime_title(NEW) == "Runtime image 111111111111"


def test_a_program_finds_its_own() -> None:
    """A marker that people do not see says what is proposed."""
    assert read_marker(body()) == {"kind": "runtime", "reference": NEW.reference}


@pytest.mark.parametrize(
    "subject", ["@acme/everybody look", "Fixes #12", "a | b", "<img src=x>", "![x](http://x.example)"]
)
def test_the_subject_of_a_commit_changes_no_other_text(subject: str) -> None:
    """Whoever commits writes it."""
    text = body(changes=(Change(commit="c" * 40, subject=subject),))

    assert len(tables_of(text)) == 2
    assert "@acme" not in text_outside_of_code(text) and "<img" not in text and "](" not in text


def test_the_same_packages_are_told_as_such() -> None:
    """A reviewer must not take silence for it: it may also mean that nobody knows."""
    assert "**No package changes,** neither of Python nor of the system." in body(packages=())


def test_packages_that_nobody_listed_are_told_as_such() -> None:
    """An image that was built before there was a list."""
    assert "**Which packages change is not known:** the old image does not list its own." in body(packages=None)


@pytest.mark.parametrize("name", ["pypi/@acme/everybody", "pypi/a | b", "pypi/`a`", "pypi/<img src=x>"])
def test_the_name_of_a_package_changes_no_other_text(name: str) -> None:
    """The maker of the base image wrote it."""
    text = body(packages=(PackageChange(name=name, before="1", after="@acme/everybody"),))

    assert [len(row) for table in tables_of(text) for row in table] == [3] * 7
    assert "@acme" not in text_outside_of_code(text)
    assert {html for html in html_in(text) if not html.startswith("<!-- slipway ")} <= {"<code>", "</code>"}


def test_a_long_list_of_packages_is_cut() -> None:
    """Another release of Debian changes them all."""
    many = tuple(PackageChange(name=f"deb/debian/lib{n:04}", before="1", after="2") for n in range(900))

    assert "And 800 more." in body(packages=many)
    assert len(body(packages=many)) < 20_000


def test_a_long_history_is_cut() -> None:
    """GitHub refuses a text of more than 65,536 characters."""
    many = tuple(Change(commit=f"{number:040x}", subject="x" * 300) for number in range(2_000))

    assert "and 1950 older" in body(changes=many)
    assert len(body(changes=many)) < 30_000
