"""Property tests may take as long as a busy machine needs, and what a killed process left goes with the session.

No test of a step, or in a room of tests/unit, reads what an answer to the template's questions changes. So a run of
them in one repository is a run in all, and tests/e2e/test_generation_matrix.py need not repeat it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from multiprocessing.util import Finalize
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

_AFTER_ALL_OTHERS = -200  # -100 is the folder of a process itself


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A short path, since sockets lie there; cookiecutter leaves each hook that it runs, and PyTorch a cache."""
    tmp_path_factory.getbasetemp()  # pytest's own folder, which it keeps, stays where it is
    folder = tempfile.mkdtemp(prefix="slipway-tests-")
    # A server that forks takes its folder away when the process ends, and would complain that it is gone: so after it.
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=_AFTER_ALL_OTHERS)
    Path(folder).chmod(0o711)  # a process that runs as another user passes through to what is made for him
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


_HERE = Path(__file__).parent
_CHANGED_BY_ANSWERS = tuple(
    str(_HERE.parent / name) for name in ("slipway.yaml", "models", "deploy", "README.md", "CODEOWNERS")
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
    _watched = _is_the_same_anywhere(item.path)
    try:
        return (yield)
    finally:
        _watched = False


def _is_the_same_anywhere(test: Path) -> bool:
    """In a room of tests/unit, or of steps: a step that read this repository's own settings would not be one."""
    folder, *rooms = test.relative_to(_HERE).parent.parts or [""]
    return folder == "steps" or (folder == "unit" and bool(rooms))
