"""No test in a room reads what an answer to the template's questions changes.

So a run of them in one repository is a run in all, and tests/e2e/test_generation_matrix.py need not repeat it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_ROOT = Path(__file__).parents[2]
_CHANGED_BY_ANSWERS = tuple(
    str(_ROOT / name) for name in ("slipway.yaml", "models", "deploy", "README.md", "CODEOWNERS")
)
_watched = False


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if not _watched or event != "open":
        return
    path = arguments[0]
    if isinstance(path, str) and path.startswith(_CHANGED_BY_ANSWERS):
        raise AssertionError(f"{path}: an answer of a team changes it; a test that reads it belongs in another folder")


sys.addaudithook(_refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    global _watched  # noqa: PLW0603  # an audit hook is for good, and is told of every file
    _watched = _HERE in item.path.parents and item.path.parent != _HERE  # xdist asks every conftest about every test
    try:
        return (yield)
    finally:
        _watched = False
