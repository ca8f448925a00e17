"""The script that speaks to a container engine, where there is none; the template's tests build with one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.actions.actions import ROOT


def test_without_an_engine_the_script_says_what_it_lacks_and_does_nothing(tmp_path: Path) -> None:
    """A runner of one's own often has no Docker; an error of its client names a socket, and no way out."""
    output = tmp_path / "output"
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/nobody", "GITHUB_OUTPUT": str(output)}
    done = subprocess.run(
        ["bash", "actions/propose-runtime/build.sh"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("::error::no container engine answers `docker info` here%0A  mend: ")
    assert not output.exists()
