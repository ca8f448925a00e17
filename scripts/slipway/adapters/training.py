"""Run the script by which a team trains a model, in the environment of its framework.

It is the team's own program on a machine of theirs: it reads their data, so it keeps network, variables and folders.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from slipway.errors import TrainingFailed


def run(python: Path, script: Path, arguments: Sequence[str], *, folder: Path) -> None:
    """Run it to its end in `folder`; what it prints goes where this process prints.

    Raises:
        TrainingFailed: it ended with another code than 0.
    """
    done = subprocess.run([str(python), str(script), *arguments], cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        shown = script.relative_to(folder)
        raise TrainingFailed(
            f"{shown} ended with {done.returncode}; what it said stands above",
            mend=f"mend {shown} or what it is given, then run it again; it runs by {python}",
        )
