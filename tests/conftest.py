"""Property tests may take as long as a busy machine needs, and what a killed process left goes with the session."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A short path, since sockets lie there; cookiecutter leaves each hook that it runs, and PyTorch a cache."""
    tmp_path_factory.getbasetemp()  # pytest's own folder, which it keeps, stays where it is
    with (
        tempfile.TemporaryDirectory(prefix="slipway-tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        Path(folder).chmod(0o711)  # a process that runs as another user passes through to what is made for him
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield
