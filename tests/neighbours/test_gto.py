"""GTO reads what Slipway releases, and Slipway what GTO registers: a team need not choose on the first day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from slipway.adapters import git
from slipway.adapters.adopted import Adoption
from slipway.domain.tag import ReleaseTag
from slipway.steps import adopt, reconcile, record_pages

from tests.neighbours.conftest import Tool
from tests.team import ENVIRONMENT, MODEL, TODAY, Team, Tip

_OPAQUE = f"sha256:{'7' * 64}"


def _released(team: Team) -> list[str]:
    """Three versions by the local loop: the first goes live, the second is proposed, the third is refused."""
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201), message="Weigh bills anew"))
    worse = team.publish("tip@v1.2.0", Tip(bias=0.1), message="Hope for more")
    team.up_to_verdicts(worse)
    team.record_pages(worse)
    return ["tip@v1.0.0", "tip@v1.1.0", "tip@v1.2.0"]


def test_gto_reads_what_slipway_released(team: Team, gto: Tool) -> None:
    """Dashboards and scripts of years ask GTO; ledger, pull requests and deploy/ must not confuse it."""
    tags = _released(team)

    shown = json.loads(gto("show", "--json", cwd=team.root))
    assert (shown[MODEL]["version"], shown[MODEL]["registered"]) == ("v1.2.0", True)
    told = json.loads(gto("history", "--json", cwd=team.root))
    assert sorted((event["ref"], event["event"]) for event in told) == [(tag, "registration") for tag in tags]
    for tag, message in zip(tags, ("Begin", "Weigh bills anew", "Hope for more"), strict=True):
        found = json.loads(gto("check-ref", "--json", tag, cwd=team.root))
        assert (found["artifact"], f"{found['artifact']}@{found['version']}", found["message"]) == (MODEL, tag, message)
        assert found["commit_hexsha"] == git.resolve_tag(team.root, tag).commit


def test_slipway_releases_what_gto_registers(team: Team, gto: Tool) -> None:
    """`gto register` makes the tag that a release begins with; a stage of GTO's is none, and starts nothing."""
    gto("register", MODEL, "HEAD", "--version", "v1.0.0", "--message", "By GTO", cwd=team.root)
    gto("assign", MODEL, "--version", "v1.0.0", "--stage", "prod", cwd=team.root)
    git.run("push", "--quiet", "--tags", "origin", cwd=team.root)

    assert reconcile.run(today=TODAY, workplace=team.workplace).due == ("tip@v1.0.0",)
    assert team.release("tip@v1.0.0").body.pull is not None
    assert reconcile.run(today=TODAY, workplace=team.workplace).due == ()


def test_what_gto_registered_before_is_left_alone_after_the_adoption(team: Team, gto: Tool) -> None:
    """All versions of years are due to a reconciliation that knows of no baseline."""
    for minor in range(3):
        git.run("commit", "--quiet", "--allow-empty", "--message", f"Train {minor}", cwd=team.root)
        gto("register", MODEL, "HEAD", "--version", f"v1.{minor}.0", cwd=team.root)
    git.run("push", "--quiet", "origin", "HEAD:main", "--tags", cwd=team.root)
    assert reconcile.run(today=TODAY, workplace=team.workplace).due

    asked = Adoption(
        ReleaseTag.parse("tip@v1.1.0"),
        ENVIRONMENT,
        by="Ada",
        now=datetime(2026, 2, 1, tzinfo=UTC),
        image=_OPAQUE,
        image_name="registry.example.org/tips",
    )
    record_pages.run_on_baseline(adopt.run(asked, workplace=team.workplace), ledger=team.workplace.ledger)

    assert reconcile.run(today=TODAY, workplace=team.workplace).due == ()
    assert json.loads(gto("show", "--json", cwd=team.root))[MODEL]["version"] == "v1.2.0"
