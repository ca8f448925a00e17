"""What was verified is told where people look: a deployment in each environment, notes where users are."""

from __future__ import annotations

from datetime import date

import pytest
from slipway.adapters import rollouts, wanted_rollouts
from slipway.adapters.wanted_rollouts import Wanted
from slipway.domain.evidence import Evidence
from slipway.domain.pages import Page
from slipway.domain.release import Announcement, Proposal, Rollout
from slipway.errors import BadFile, NotReleasable
from slipway.steps import announce_rollout, bump_manifest, check_manifests, rehearse_rollback

from tests.team import ENVIRONMENT, MODEL, Team, Tip

_ON = date(2026, 4, 1)


def merge(team: Team, proposal: Page[Proposal]) -> None:
    assert proposal.body.pull is not None
    team.workplace.forge.merge_pull(proposal.body.pull)


def wanted(team: Team, environment: str = ENVIRONMENT) -> Wanted:
    found = wanted_rollouts.wanted(MODEL, environment=environment, workplace=team.workplace)
    assert found is not None
    return found


def verified(team: Team, environment: str = ENVIRONMENT, *, stays: bool = True) -> Wanted:
    """The page that `verify-rollout` writes, which has tests of its own."""
    team.commit("Bring what was merged")
    found = wanted(team, environment)
    page = Rollout(
        environment=environment,
        version=found.tag.image_tag,
        digest=found.digest,
        commit=found.commit,
        live_since=_ON,
        golden_rows=50,
        golden_equal=50,
        stays=stays,
    )
    team.record(str(found.tag)).once_for_each(Rollout, reads=found.reads(stays=stays), make=lambda: page)
    return found


def announce(team: Team, environment: str = ENVIRONMENT) -> Page[Announcement]:
    page = announce_rollout.run(MODEL, environment=environment, workplace=team.workplace)
    team.record_pages(str(wanted(team, environment).tag))
    return page


def notes(team: Team, tag: str) -> str:
    """As the folder beside the repository keeps them."""
    return (team.bare.with_name("waiters.forge") / "releases" / f"{tag}.md").read_text()


def propose_next(team: Team, found: Wanted) -> Page[Proposal] | None:
    """What `slipway rollout` does last, with a record that holds pages alone."""
    following = rollouts.next_environment(found, team.workplace)
    if following is None:
        return None
    record = team.record(str(found.tag))
    rehearse_rollback.run_for_next(record, environment=following, workplace=team.workplace)
    proposal = bump_manifest.run(record, environment=following, workplace=team.workplace)
    team.record_pages(str(found.tag))
    return proposal


def test_users_read_what_changed_and_how_to_go_back(live: Team) -> None:
    """Release notes are what remains when pull requests are forgotten."""
    merge(live, live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201), message="Train on more tables")))
    found = verified(live)

    page = announce(live)

    text = notes(live, "tip@v1.1.0")
    assert text.startswith("# tip v1.1.0\n\n**Went live in production on 2026-04-01, in place of v1.0.0: ")
    assert "Train on more tables" in text
    assert "`slipway rollback tip --environment production --to v1.0.0`" in text
    assert f"@{found.digest}" in text
    proposal = live.record("tip@v1.1.0").page(Proposal, written_by="bump-manifest").body
    assert f"pull request #{proposal.pull}" in text
    assert page.body.release is not None and page.body.release.endswith("tip@v1.1.0.md")


def test_a_deployment_names_the_commit_and_the_release(live: Team) -> None:
    """Each model for itself: a forge takes the older deployments of one name for over."""
    found = verified(live)

    page = announce(live)

    assert page.body.deployment == "production/tip"
    noted = live.workplace.forge.deployment("production/tip")
    assert noted is not None
    assert noted.commit == found.commit
    assert noted.description == f"tip@v1.0.0, image {found.digest.removeprefix('sha256:')[:12]}"


def test_announced_twice_nothing_is_told_twice(live: Team) -> None:
    """A run that was cut off is started again."""
    verified(live)
    first = announce(live)
    before = sorted((path, path.read_bytes()) for path in live.bare.with_name("waiters.forge").rglob("*.*"))

    again = announce(live)

    assert again == first
    assert sorted((path, path.read_bytes()) for path in live.bare.with_name("waiters.forge").rglob("*.*")) == before
    assert len(live.record("tip@v1.0.0").pages(Announcement)) == 1


def test_what_ended_with_its_run_is_no_deployment(live: Team) -> None:
    """Nothing serves it, so nothing says that something does; its notes say so too."""
    verified(live, stays=False)

    page = announce(live)

    assert page.body.deployment is None
    assert live.workplace.forge.deployment("production/tip") is None
    assert "Nothing serves it yet" in notes(live, "tip@v1.0.0")


def test_what_was_not_verified_is_not_announced(live: Team) -> None:
    """A manifest says what is wanted, not what runs."""
    with pytest.raises(BadFile) as caught:
        announce_rollout.run(MODEL, environment=ENVIRONMENT, workplace=live.workplace)

    assert caught.value.mend == "slipway verify-rollout tip --environment production"


def test_where_nothing_is_deployed_there_is_nothing_to_announce(team: Team) -> None:
    """Before the first merge."""
    with pytest.raises(NotReleasable, match="deploys nothing yet"):
        announce_rollout.run(MODEL, environment=ENVIRONMENT, workplace=team.workplace)


# --- through two environments -------------------------------------------------------------------------------


def through(team: Team, tag: str) -> Page[Proposal]:
    """A release, merged and verified in staging; returns the proposal for production."""
    merge(team, team.release(tag, environment="staging"))
    found = verified(team, "staging")
    announce(team, "staging")
    proposal = propose_next(team, found)
    assert proposal is not None
    return proposal


def test_a_version_passes_staging_before_it_is_proposed_for_production(staged: Team) -> None:
    """Tag, staging, production: two merges by people, and nothing else by hand."""
    first = staged.release(staged.tag("tip@v1.0.0"), environment="staging").body
    assert first.environment == "staging"
    merge(staged, staged.propose("tip@v1.0.0", environment="staging"))
    found = verified(staged, "staging")

    told = announce(staged, "staging")
    proposal = propose_next(staged, found)

    assert told.body.release is None  # users are not there
    assert staged.workplace.forge.deployment("staging/tip") is not None
    assert proposal is not None
    assert proposal.body.branch == "release/production/tip/v1.0.0"
    merge(staged, proposal)
    verified(staged)
    assert announce(staged).body.release is not None
    assert propose_next(staged, wanted(staged)) is None
    assert rollouts.due(staged.workplace) == ()


def test_the_proposal_for_production_compares_with_what_production_runs(staged: Team) -> None:
    """Its reviewer decides about production; that staging was ahead is no news to users."""
    merge(staged, through(staged, staged.tag("tip@v1.0.0")))
    verified(staged)
    announce(staged)

    proposal = through(staged, staged.publish("tip@v1.1.0", Tip(weight=0.0201)))

    assert proposal.body.replaces == "v1.0.0"
    assert proposal.body.pull is not None
    pull = staged.workplace.forge.pull(proposal.body.pull)
    assert pull.title == "tip: v1.0.0 → v1.1.0 (minor), production"
    assert "Compared with v1.0.0, deployed now." in pull.body
    assert "`slipway rollback tip --environment production --to v1.0.0`" in pull.body
    assert "Runs in staging since 2026-04-01" in pull.body and "carried over" in pull.body
    assert "| F1 |" in pull.body
    staged.commit("Bring what was merged")
    assert check_manifests.run(workplace=staged.workplace).problems == ()
    merge(staged, proposal)
    staged.commit("Bring what was merged")
    assert check_manifests.run(workplace=staged.workplace).problems == ()


def test_a_proposal_is_made_once_until_production_changes(staged: Team) -> None:
    """Whoever closed it decided; each push to deploy/ computes all of this again."""
    through(staged, staged.tag("tip@v1.0.0"))

    assert rollouts.next_environment(wanted(staged, "staging"), staged.workplace) is None
    assert rollouts.due(staged.workplace) == ()


def test_yesterdays_traffic_is_that_of_production_also_where_staging_is_ahead(staged: Team) -> None:
    """Replayed through a version that users never saw, it would tell nobody what they will notice."""
    merge(staged, through(staged, staged.tag("tip@v1.0.0")))
    staged.serve("v1.0.0", [_ON])
    through(staged, staged.publish("tip@v1.1.0", Tip(weight=0.0201)))

    record = staged.measure(staged.publish("tip@v1.2.0", Tip(weight=0.0202)), environment="staging")

    traffic = record.page(Evidence, written_by="measure-consistency").body.traffic
    assert traffic is not None
    assert traffic.version == "v1.0.0"


def test_a_proposal_is_made_anew_when_production_changed(staged: Team) -> None:
    """What it was compared with runs no more, so its reviewer would be told something else than is."""
    merge(staged, through(staged, staged.tag("tip@v1.0.0")))
    before = staged.workplace.forge.read("main", "deploy/production/tip/kustomization.yaml")
    merge(staged, through(staged, staged.publish("tip@v1.1.0", Tip(weight=0.0201))))
    through(staged, staged.publish("tip@v1.2.0", Tip(weight=0.0202)))
    found = wanted(staged, "staging")
    assert rollouts.next_environment(found, staged.workplace) is None
    head = staged.workplace.forge.head("main")
    changes = {"deploy/production/tip/kustomization.yaml": before}
    staged.workplace.forge.commit("main", onto=head, changes=changes, message="Back")

    proposal = propose_next(staged, found)

    assert proposal is not None
    assert proposal.body.replaces == "v1.0.0"


def test_a_version_below_that_of_production_is_not_proposed_there(staged: Team) -> None:
    """Staging that goes back must not pull production along."""
    merge(staged, through(staged, staged.tag("tip@v1.0.0")))
    old = staged.workplace.forge.read("main", "deploy/staging/tip/kustomization.yaml")
    merge(staged, through(staged, staged.publish("tip@v1.1.0", Tip(weight=0.0201))))
    head = staged.workplace.forge.head("main")
    changes = {"deploy/staging/tip/kustomization.yaml": old}
    staged.workplace.forge.commit("main", onto=head, changes=changes, message="Back")

    found = verified(staged, "staging")

    assert str(found.tag) == "tip@v1.0.0"
    assert rollouts.next_environment(found, staged.workplace) is None


def test_another_machine_proposes_with_what_the_ledger_holds(staged: Team) -> None:
    """A runner begins with an empty folder: pages come from the ledger, images from the registry."""
    merge(staged, through(staged, staged.tag("tip@v1.0.0")))
    merge(staged, staged.release(staged.publish("tip@v1.1.0", Tip(weight=0.0201)), environment="staging"))
    other = staged.clone("elsewhere")
    other.workplace.state.mkdir(exist_ok=True)
    (other.workplace.state / "registry").symlink_to(staged.workplace.state / "registry")
    other.record("tip@v1.1.0").seed(other.history.pages_of(wanted(other, "staging").tag))
    found = verified(other, "staging")
    announce(other, "staging")

    proposal = propose_next(other, found)

    assert proposal is not None and proposal.body.pull is not None
    body = other.workplace.forge.pull(proposal.body.pull).body
    assert "50 of 50 golden answers" in body


# --- what is due ---------------------------------------------------------------------------------------------


def test_a_rollout_is_due_until_it_is_verified_and_announced(live: Team) -> None:
    """No event is asked, so none can be lost."""
    assert rollouts.due(live.workplace) == ((ENVIRONMENT, MODEL),)
    verified(live)
    live.record_pages("tip@v1.0.0")
    assert rollouts.due(live.workplace) == ((ENVIRONMENT, MODEL),)

    announce(live)

    assert rollouts.due(live.workplace) == ()


def test_what_was_only_tried_is_due_where_it_can_stay(live: Team) -> None:
    """A team that begins on hosted runners gets one of its own later: what it merged before is to serve there."""
    verified(live, stays=False)
    assert announce(live).body.deployment is None
    assert rollouts.due(live.workplace, stays=False) == ()
    assert rollouts.due(live.workplace) == ((ENVIRONMENT, MODEL),)

    verified(live)

    assert announce(live).body.deployment == "production/tip"
    assert rollouts.due(live.workplace) == ()


def test_a_manifest_that_cannot_be_read_is_due(live: Team) -> None:
    """Whoever rolls it out says what is wrong; left out, it would be silent for ever."""
    live.write("deploy/production/broken/kustomization.yaml", "images: {}\n")
    live.commit("Deploy by hand")

    assert (ENVIRONMENT, "broken") in rollouts.due(live.workplace)


def test_nothing_deployed_is_nothing_due(team: Team) -> None:
    """The first push of a new repository."""
    assert rollouts.due(team.workplace) == ()
