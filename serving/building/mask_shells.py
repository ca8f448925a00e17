"""Put an empty file that nobody can run in the place of every shell, while serving/Dockerfile builds the image.

Who gets a foothold in a server looks for a shell first; nothing here needs one. A file that is deleted leaves a mark
with the time of the deletion, so that no two builds would have the same layer; one that is put over it has no time.
Bytes are not saved: the layers of the base keep them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

SHELLS = ("ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "rbash", "sh", "tcsh", "zsh")
_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin")


def shells_in(root: Path) -> Iterator[Path]:
    """What has a shell's name, links too, where it really lies: `bin` is a link to `usr/bin` in most systems."""
    folders = {(root / name).resolve() for name in _FOLDERS if (root / name).is_dir()}
    for folder in sorted(folders):
        yield from (folder / name for name in SHELLS if os.path.lexists(folder / name))


def mask_shells(root: Path, *, into: Path) -> None:
    """Write beneath `into` what is to be copied over the image at `root`."""
    for shell in shells_in(root):
        mask = into / shell.relative_to(root.resolve())
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.touch(mode=0o444)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args()
    mask_shells(asked.root, into=asked.into)


if __name__ == "__main__":
    main()
