"""Let two folders take each other's place in one step: whoever looks sees the one or the other, and never none.

Linux can, on most of its file systems. Python has no name for it: it is renameat2(2) with RENAME_EXCHANGE.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_HERE = -100  # AT_FDCWD of fcntl.h
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h


def exchanged(one: Path, other: Path) -> bool:
    """Whether it was done; False where the system or the file system cannot, and nothing was changed then."""
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(call(_HERE, names[0], _HERE, names[1], _EXCHANGE) == 0)
