"""A version that gets a share of a cluster's traffic first: merged, verified, judged by what it answered, and then
proposed for all of it or withdrawn."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from slipway.adapters import manifests
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.ledger import BRANCH
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.domain.settings import RolloutEngine

from tests.e2e.kills import team

TAG = f"{team.MODEL}@v1.1.0"
DAY = date(2024, 1, 14)
_MANIFEST = f"deploy/production/{team.MODEL}/kustomization.yaml"
_LIMIT = {"share": 0.34, "hours": 1, "rows": 100}


def on_a_cluster(world: Path) -> None:
    """What has its image here goes on to a cluster, whose registry nobody asks: the layers lie here already."""
    flights = world / "flights"
    team.git(world, "pull", "--quiet", "--rebase", "origin", "main")
    before = (flights / _MANIFEST).read_bytes()
    there = manifests.deployed(before, name=team.MODEL)
    assert there is not None
    place = Workplace.around(flights)
    for version in ("v1.0.0", "v1.1.0"):
        digest = json.loads((flights / ".slipway" / "releases" / team.MODEL / version / "image.1.json").read_bytes())
        pull_model_layer(place.registry, team.MODEL, digest["body"]["digest"], place.layers)
    new = manifests.new_manifest(team.MODEL, environment="production", engine=RolloutEngine.KUBERNETES)
    image = {"name": team.MODEL, "new_name": "registry.invalid/late", "tag": there.tag, "digest": there.digest}
    (flights / _MANIFEST).write_bytes(manifests.set_image(new, **image))
    shutil.copytree(team.ROOT / "deploy" / "base", flights / "deploy" / "base", dirs_exist_ok=True)
    settings = (flights / "slipway.yaml").read_text()
    (flights / "slipway.yaml").write_text(_on_kubernetes(settings))
    team.edit_policy(world, "rollout", canary=_LIMIT, settle_seconds=0)
    team.commit(world, "Serve on a cluster, and try each version on a share of the traffic")


def _on_kubernetes(settings: str) -> str:
    kept = [line for line in settings.splitlines() if not line.startswith(("image_registry:", "rollout_engine:"))]
    return "\n".join([*kept, "image_registry: registry.invalid", "rollout_engine: kubernetes", ""])


def verified_a_week_ago(world: Path) -> None:
    """What has run for a week has the hours that its policy asks for."""
    forge = LocalForge(world / "flights.git")
    head = forge.head(BRANCH)
    assert head is not None
    found = forge.list_files(head, team.MODEL)
    paths = [path for path in found if path.rpartition("/")[2].startswith(("rollout.", "proposal."))]
    earlier = {path: _earlier(forge.read(head, path) or b"") for path in paths}
    forge.commit(BRANCH, onto=head, changes=earlier, message="A week goes by\n")
    for path in (world / "flights" / ".slipway" / "releases").rglob("*.json"):
        if path.name in {one.rpartition("/")[2] for one in paths}:
            path.unlink()  # it comes from the ledger


def _earlier(content: bytes) -> bytes:
    """A proposal is a day older than what became of it."""
    page: dict[str, Any] = json.loads(content)
    is_live = page["kind"] == "rollout"
    page["circumstances"]["written_at"] = f"2024-01-0{8 if is_live else 7}T00:00:00.000000+00:00"
    page["body"] |= {"live_since": "2024-01-08"} if is_live else {}
    return json.dumps(page).encode()


def answers_well(world: Path) -> None:
    """The stable version and its canary are asked for a day, each something else."""
    verified_a_week_ago(world)
    team.serve(world, "v1.0.0", first=DAY, days=1, weights="timetable", stuck=False)
    team.serve(world, "v1.1.0", first=DAY, days=1, weights="delay", stuck=False, named="canary")


def answers_no_numbers(world: Path) -> None:
    answers_well(world)
    team.serve(world, "v1.1.0", first=DAY, days=1, weights="delay", stuck=False, named="canary", nan=10)


def is_withdrawn_by_commit(world: Path) -> None:
    team.edit_policy(world, "rollout", revert="commit")
    team.commit(world, "Go back without asking")
    answers_no_numbers(world)
