"""Write the image's bill of materials (CycloneDX 1.6) while serving/Dockerfile builds it: what it holds, by version.

Python packages are told by `cyclonedx-py`, CycloneDX's own tool for Python. What that cannot see stands beside them:
the interpreter, and the system's packages where dpkg keeps a list of them. Packages of Alpine or Red Hat are not told.
Nothing in it comes from a clock or a random number, so the same image has the same bill.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from debian.deb822 import Packages
from packageurl import PackageURL

_LISTS = ("var/lib/dpkg/status", "var/lib/dpkg/status.d/*")  # the latter in images that Google calls distroless
_TOOL = ("cyclonedx_py", "environment", "--output-reproducible", "--spec-version=1.6", "--no-validate")


def bill_of_materials(root: Path, *, python: Path, libraries: Path) -> dict[str, Any]:
    """Describe an image.

    Args:
        root: the image's root, for the packages of its system.
        python: its interpreter.
        libraries: what it adds to that interpreter's path.

    Raises:
        ValueError: what came out is no CycloneDX.
    """
    bill = python_packages(python, libraries)
    system = operating_system(root)
    found = [interpreter(python), *([] if system is None else [system]), *debian_packages(root, system)]
    bill["components"] = sorted([*bill.get("components", ()), *found], key=lambda one: str(one["bom-ref"]))
    bill["metadata"] |= {"component": {"bom-ref": "runtime", "type": "container", "name": "runtime"}}
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)):
        raise ValueError(f"this is no CycloneDX: {wrong}")
    return bill


def python_packages(python: Path, libraries: Path) -> dict[str, Any]:
    """What `cyclonedx-py` says of an interpreter with `libraries`, and without the tool's own path."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "python3"
        with_path = f"PYTHONPATH={shlex.quote(str(libraries))} exec {shlex.quote(str(python))}"
        there.write_text(f'#!/bin/sh\n{with_path} "$@"\n', encoding="utf-8")
        there.chmod(0o755)
        command = [sys.executable, "-m", *_TOOL, str(there)]
        bill: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return bill


def interpreter(python: Path) -> dict[str, Any]:
    """Python itself, which no list of packages holds where it was compiled into the image."""
    ask = [str(python), "-c", "import platform; print(platform.python_version())"]
    version = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    return {
        **_component("application", PackageURL("generic", name="python", version=version)),
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    }


def operating_system(root: Path) -> dict[str, Any] | None:
    """By its os-release(5); None where it says nothing."""
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        if path.is_file():
            lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if "=" in line]
            told = {name: "".join(shlex.split(value)) for name, _, value in lines if not name.startswith("#")}
            name, version = told.get("ID", "linux"), told.get("VERSION_ID")
            version_of = {"version": version} if version else {}
            return {"bom-ref": f"os:{name}", "type": "operating-system", "name": name, **version_of}
    return None


def debian_packages(root: Path, system: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Those that are installed, each with the source package that its security fixes are told of."""
    distro = "-".join(str(system[key]) for key in ("name", "version") if key in system) if system else "debian"
    for path in sorted(path for pattern in _LISTS for path in root.glob(pattern) if path.suffix != ".md5sums"):
        with path.open("rb") as file:
            for package in Packages.iter_paragraphs(file, use_apt_pkg=False):
                if package.get("Status", "install ok installed").endswith(" installed"):
                    yield _debian_package(package, distro)


def _debian_package(package: Packages, distro: str) -> dict[str, Any]:
    source = package.get("Source", "").replace(" (", "@").rstrip(")")
    known = {"arch": package.get("Architecture"), "distro": distro, "upstream": source}
    qualifiers = {name: value for name, value in known.items() if value}
    namespace = distro.partition("-")[0]
    purl = PackageURL("deb", namespace, package["Package"], package["Version"], qualifiers=qualifiers)
    supplier = {"supplier": {"name": package["Maintainer"]}} if "Maintainer" in package else {}
    return {**_component("library", purl), **supplier}


def _component(kind: str, purl: PackageURL) -> dict[str, Any]:
    written = purl.to_string()
    return {"bom-ref": written, "type": kind, "name": purl.name, "version": purl.version, "purl": written}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args()
    bill = bill_of_materials(asked.root, python=asked.python, libraries=asked.libraries)
    asked.into.parent.mkdir(parents=True, exist_ok=True)
    asked.into.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
