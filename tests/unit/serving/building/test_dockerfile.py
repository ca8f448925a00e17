"""What serving/Dockerfile promises before any engine reads it; tests/workflows builds it."""

from __future__ import annotations

import re
from pathlib import Path

DOCKERFILE = Path(__file__).parents[4] / "serving" / "Dockerfile"


def instructions() -> list[str]:
    """One line each, without comments."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [" ".join(one.split()) for one in "\n".join(lines).replace("\\\n", " ").splitlines() if one.strip()]


def test_nothing_is_installed_without_its_hash() -> None:
    """What an index serves tomorrow under the same version must not get into an image."""
    installs = [one for one in instructions() if "pip install" in one]

    assert len(installs) == 2
    for one in installs:
        assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(one.split())
        assert re.findall(r"--requirement=\S+", one)


def test_nothing_of_the_last_stages_needs_a_shell() -> None:
    """The shells are masked by then: an instruction in the form of a shell would fail, or fall back to nothing."""
    text = instructions()
    last = text[text.index("FROM ${BASE_IMAGE} AS server") :]

    assert not [one for one in last if one.startswith("RUN ")]
    for name in ("HEALTHCHECK ", "ENTRYPOINT ", "CMD "):
        (one,) = [one for one in last if one.startswith(name)]
        assert re.search(r"(?:CMD|ENTRYPOINT) \[.*\]$", one), one


def test_the_only_user_is_nobody() -> None:
    """A number, for Kubernetes cannot tell of a name that it is not root's."""
    assert [one for one in instructions() if one.startswith("USER ")] == ["USER 65532:65532"]
