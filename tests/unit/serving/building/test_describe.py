"""The list of all that an image holds: what is in it, where it comes from, and that it is the same each time."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from serving.building import describe

_STATUS = """\
Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u14
Description: GNU C Library: Shared libraries
 Contains the standard libraries that are used by nearly all programs.

Package: libstdc++6
Status: install ok installed
Maintainer: Debian GCC Maintainers <debian-gcc@lists.debian.org>
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+deb12u1
Description: GNU Standard C++ Library v3

Package: vim
Status: deinstall ok config-files
Maintainer: Debian Vim Maintainers <team+vim@tracker.debian.org>
Architecture: amd64
Version: 2:9.0.1378-2
Description: Vi IMproved
"""
_METADATA = "Metadata-Version: 2.4\nName: small-thing\nVersion: 1.2.3\nLicense-Expression: MIT\nSummary: A thing.\n"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of an image that are read: a library, and what dpkg and the system say."""
    root = tmp_path_factory.mktemp("image")
    for name, text in {
        "var/lib/dpkg/status": _STATUS,
        "etc/os-release": '# of Debian\nPRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n',
        "libraries/small_thing-1.2.3.dist-info/METADATA": _METADATA,
        "libraries/small_thing.py": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def written(image: Path) -> bytes:
    """What the script writes, run as the Dockerfile runs it."""
    into = image / "described" / "sbom.cdx.json"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(image / "python")], check=True)
    places = {"root": image, "python": image / "python/bin/python3", "libraries": image / "libraries", "into": into}
    options = [f"--{name}={path}" for name, path in places.items()]
    subprocess.run([sys.executable, str(describe.__file__), *options], check=True, capture_output=True)
    return into.read_bytes()


def by_url(content: bytes) -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in json.loads(content)["components"] if "purl" in one}


def test_it_is_cyclonedx(written: bytes) -> None:
    """Scanners refuse, or worse, skip what is not of the form that they know."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written.decode()) is None
    assert json.loads(written)["specVersion"] == "1.6"


def test_nothing_in_it_is_of_this_moment(written: bytes) -> None:
    """The same files must give the same layer, or every build would be another runtime."""
    bill = json.loads(written)

    assert "serialNumber" not in bill and "timestamp" not in bill["metadata"]


def test_it_names_libraries_the_interpreter_and_the_system(written: bytes) -> None:
    """Most fixes that come with a newer base are of the system, and Python itself is in no list of packages."""
    found = by_url(written)

    assert found["pkg:pypi/small-thing@1.2.3"]["licenses"][0]["license"]["id"] == "MIT"
    assert f"pkg:generic/python@{platform.python_version()}" in found
    debian = {name: one for name, one in found.items() if name.startswith("pkg:deb/")}
    assert list(debian) == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12&upstream=glibc",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
    ]
    assert debian[next(iter(debian))]["supplier"]["name"].startswith("GNU Libc Maintainers")
    systems = [one for one in json.loads(written)["components"] if one["type"] == "operating-system"]
    assert [(one["name"], one["version"]) for one in systems] == [("debian", "12")]


def test_a_base_that_lists_its_packages_one_by_one_is_read(tmp_path: Path) -> None:
    """Images without a package manager have a file for each package, and none says that it is installed."""
    folder = tmp_path / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    (folder / "libc6").write_text("Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\n")
    (folder / "libc6.md5sums").write_text("d41d8cd98f00b204e9800998ecf8427e  usr/lib/libc.so.6\n")

    (package,) = describe.debian_packages(tmp_path, None)

    assert package["purl"] == "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian"


def test_a_system_without_dpkg_is_told_by_its_name_alone(tmp_path: Path) -> None:
    """Its packages are not known, which must not look like none of Debian's."""
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("NAME=Wolfi\nID=wolfi\n")

    system = describe.operating_system(tmp_path)

    assert system == {"bom-ref": "os:wolfi", "type": "operating-system", "name": "wolfi"}
    assert list(describe.debian_packages(tmp_path, system)) == []
