"""A workplace whose writes are told instead of made."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from slipway.adapters.dry_run import DryForge, DryRegistry, dry
from slipway.adapters.forge import Deployment, Forge
from slipway.adapters.registry.base_image import write_base_image
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.trees import digest_of_tree
from slipway.errors import NoSuchImage

from tests.team import Team, new_team
from tests.unit.adapters.conftest import Rig


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().removeprefix("dry run: would ") for record in caplog.records]


def test_every_write_to_the_forge_is_told_and_none_is_made(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Each method that changes something, one after the other."""
    caplog.set_level(logging.WARNING)
    number = rig.propose()
    issue = rig.forge.open_issue(title="Late", body="It is late.", labels=("slipway",)).number
    before, main = digest_of_tree(rig.repository.parent), rig.forge.head("main") or ""
    dry_forge: Forge = DryForge(rig.forge)

    dry_forge.commit("main", onto=main, changes={"a.txt": b"a"}, message="Add a\n\nwhy")
    dry_forge.open_pull(branch="next", base="main", title="Next", body="")
    dry_forge.update_pull(number, title="Other")
    dry_forge.close_pull(number, comment="no")
    dry_forge.merge_pull(number)
    dry_forge.open_issue(title="New", body="")
    dry_forge.update_issue(issue, title="Later")
    dry_forge.close_issue(issue)
    dry_forge.comment(issue, "well")
    dry_forge.set_status(main, context="slipway", state="success", description="passed")
    dry_forge.record_deployment(Deployment("production", main, "m@v1.0.0"))
    dry_forge.publish_release("m@v1.0.0", title="m v1.0.0", body="Safe.")
    dry_forge.dispatch_workflow("release.yml", ref="main", inputs={"tag": "m@v1.0.0"})
    dry_forge.run_again(7)

    assert digest_of_tree(rig.repository.parent) == before
    assert told(caplog) == [
        "commit to `main`: a.txt (Add a)",
        "open a pull request of `next` into `main`: Next",
        f"update pull request #{number}",
        f"close pull request #{number}",
        f"merge pull request #{number}: Release deploy/a.yaml",
        "open an issue: New",
        f"update issue #{issue}: Later",
        f"close issue #{issue}",
        f"comment on #{issue}",
        f"mark commit {main[:12]} as success: passed",
        "note that production runs m@v1.0.0",
        "publish the notes of m@v1.0.0: m v1.0.0",
        "start release.yml with m@v1.0.0",
        "do run 7 again",
    ]


def test_what_is_read_is_the_truth(rig: Rig) -> None:
    """A dry run decides by what is there."""
    rig.propose()
    dry_forge = DryForge(rig.forge)
    main = rig.forge.head("main") or ""

    assert dry_forge.head("main") == main
    assert dry_forge.read(main, "README.md") == b"one\ntwo\nthree\n"
    assert dry_forge.open_pulls() == rig.forge.open_pulls()
    assert dry_forge.open_issues() == []
    assert dry_forge.last_pull_for("release/a") == rig.forge.pull_for("release/a")


def test_an_image_is_built_and_pushed_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its digest is the one that it would have."""
    real, dry_registry = LayoutRegistry(tmp_path / "images"), DryRegistry(LayoutRegistry(tmp_path / "images"))

    digest = write_base_image(dry_registry, "tip", "v1.0.0", {"a.txt": b"a"}, "linux/amd64")

    assert not (tmp_path / "images").exists()
    assert dry_registry.repository("tip").manifest("v1.0.0").digest == digest
    with pytest.raises(NoSuchImage):
        real.repository("tip").manifest("v1.0.0")
    assert any(line.startswith("push the image tip:v1.0.0 as sha256:") for line in told(caplog))
    assert write_base_image(real, "tip", "v1.0.0", {"a.txt": b"a"}, "linux/amd64") == digest


def test_the_state_is_a_copy(tmp_path: Path) -> None:
    """Steps read the pages of the steps before, and write theirs where nobody looks."""
    team: Team = new_team(tmp_path / "team")
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")
    before = digest_of_tree(team.root / ".slipway")

    place = dry(team.workplace)
    (place.state / "releases" / "tip" / "v1.0.0" / "verdicts.1.json").unlink()

    assert place.state != team.workplace.state
    assert digest_of_tree(team.root / ".slipway") == before
