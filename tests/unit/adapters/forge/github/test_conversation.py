"""Who GitHub is spoken to as, and what its refusals tell a person."""

from __future__ import annotations

import logging
import socket

import pytest
from slipway.adapters.forge.github import GitHubForge
from slipway.errors import ForgeRefused, Unreachable

from tests.github_stand_in.faults import Fault
from tests.unit.adapters.conftest import AT_ONCE, TOKEN
from tests.unit.adapters.forge.github.conftest import World


def test_a_token_that_expired_is_told_apart_from_a_missing_right(world: World) -> None:
    """The two are mended by different people."""
    with pytest.raises(ForgeRefused, match=r"401[\s\S]*expired"):
        world.forge(token="of-yesterday").head("main")
    world.github.faults.waiting[:] = [Fault(403, message="Resource not accessible by integration", retry_after="")]
    with pytest.raises(ForgeRefused, match=r"not accessible[\s\S]*permissions"):
        world.forge().head("main")


def test_without_a_token_the_mend_says_how_to_get_one(world: World) -> None:
    """The first thing that a laptop meets."""
    with pytest.raises(ForgeRefused, match="gh auth token"):
        world.forge(token=None).head("main")


def test_a_repository_that_the_token_does_not_see_is_never_an_empty_one(world: World) -> None:
    """GitHub answers 404 for what is hidden: taken for absence, a release would begin from nothing."""
    forge = GitHubForge("team/hidden", api=world.github.url, token=TOKEN, pace=AT_ONCE)
    with pytest.raises(ForgeRefused, match="404"):
        forge.head("main")


def test_a_wait_of_an_hour_is_left_to_the_next_run(world: World) -> None:
    """A runner that sleeps for an hour is paid for, and holds the queue of its model."""
    world.github.faults.waiting[:] = [Fault(403, retry_after="3600")]
    with pytest.raises(Unreachable, match="3,600 seconds"):
        world.forge().head("main")


def test_nobody_at_the_address_is_no_verdict() -> None:
    """A runner without a network must end with the code that says: run again."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unreachable) as caught:
        GitHubForge("team/flights", api=api, token=TOKEN, pace=AT_ONCE).head("main")
    assert caught.value.exit_code == 12


def test_the_token_is_in_no_log_and_no_error(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Logs of public repositories are public; a server may say back what it was told."""
    caplog.set_level(logging.DEBUG)
    world.forge().head("main")
    world.github.faults.waiting[:] = [Fault(422, message=f"token {TOKEN} is not enough")]
    with pytest.raises(ForgeRefused, match=r"token \*\*\* is not enough"):
        world.forge().set_status(str(world.hosted.head("main")), context="c", state="success", description="d")
    assert caplog.text
    assert TOKEN not in caplog.text


def test_a_dispatch_with_an_input_that_the_workflow_lacks_is_refused(world: World) -> None:
    """PyGithub's own method answers False and says nothing; the release would silently never run."""
    with pytest.raises(ForgeRefused, match="Unexpected inputs"):
        world.forge().dispatch_workflow("release.yml", ref="main", inputs={"tag": "m@v1.0.0", "tga": "x"})
    with pytest.raises(ForgeRefused, match="404"):
        world.forge().dispatch_workflow("relaese.yml", ref="main", inputs={})
    assert world.hosted.dispatches == []
