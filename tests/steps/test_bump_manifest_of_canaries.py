"""A version that a policy wants to see at work first is proposed twice: for a share of the traffic, then for all."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipway.adapters import canaries, deploy_tree, git, manifests
from slipway.adapters.history import canary_folder
from slipway.adapters.workplace import Workplace
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Image, Proposal
from slipway.domain.settings import RolloutEngine
from slipway.domain.verdict import Verdict
from slipway.errors import BadFile
from slipway.steps import build_image, bump_manifest, check_manifests

from tests.team import ENVIRONMENT, MODEL, TODAY, Team, Tip, copy_of

MANIFEST = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
POLICY = """\
question: Does it run?
motivation: Things break.
remedy: Mend it.
limit: {settle_seconds: 0, canary: {share: 0.25, hours: 12, rows: 300}}
"""
BASE = {
    "kustomization.yaml": """\
labels:
  - pairs: {app.kubernetes.io/component: model-server, app.kubernetes.io/part-of: slipway}
    includeTemplates: true
resources: [server.yaml]
""",
    "server.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  selector: {matchLabels: {app.kubernetes.io/component: model-server}}
  template: {spec: {containers: [{name: server, image: model}]}}
---
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app.kubernetes.io/part-of: slipway}, ports: [{port: 8080}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: server}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: server}, minReplicas: 3, maxReplicas: 5}
""",
    "canary/kustomization.yaml": """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [canary.yaml]
""",
    "canary/canary.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server-canary}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/component: model-canary}}
  template:
    metadata: {labels: {app.kubernetes.io/component: model-canary, app.kubernetes.io/part-of: slipway}}
    spec: {containers: [{name: server, image: model_canary}]}
""",
}


@pytest.fixture(scope="module")
def _careful(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    live = copy_of(_live, tmp_path_factory.mktemp("careful"))
    for name, text in BASE.items():
        live.write(f"deploy/base/{name}", text)
    live.write("policies/rollout.yaml", POLICY)
    git.run("pull", "--quiet", "--rebase", "--autostash", "origin", "main", cwd=live.root)
    there = manifests.deployed((live.root / MANIFEST).read_bytes(), name=MODEL)
    assert there is not None
    new = manifests.new_manifest(MODEL, environment=ENVIRONMENT, engine=RolloutEngine.KUBERNETES)
    wanted = {"name": MODEL, "new_name": there.new_name, "tag": there.tag, "digest": there.digest}
    live.write(MANIFEST, manifests.set_image(new, **wanted).decode())
    live.commit("Serve with a cluster")
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.up_to_verdicts("tip@v1.1.0")
    build_image.run(live.record("tip@v1.1.0"), workplace=live.workplace)
    return live


@pytest.fixture
def careful(_careful: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A team on a cluster, whose v1.0.0 runs and whose v1.1.0 passed; it asks for a canary."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    return copy_of(_careful, tmp_path)


def on_cluster(team: Team, engine: RolloutEngine = RolloutEngine.KUBERNETES) -> Workplace:
    place = team.workplace
    return replace(place, settings=place.settings.model_copy(update={"rollout_engine": engine}))


def bump(team: Team, engine: RolloutEngine = RolloutEngine.KUBERNETES) -> Proposal:
    return bump_manifest.run(
        team.record("tip@v1.1.0"), environment=ENVIRONMENT, workplace=on_cluster(team, engine)
    ).body


def on_branch(team: Team, proposal: Proposal) -> bytes:
    head = team.workplace.forge.head(proposal.branch)
    assert head is not None
    return team.workplace.forge.read(head, MANIFEST) or b""


def merge(team: Team, proposal: Proposal) -> None:
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)


def test_a_share_of_the_traffic_is_proposed_and_what_runs_stays(careful: Team) -> None:
    """A reviewer reads how much, how long, what decides, and how to go back."""
    proposal = bump(careful)

    content = on_branch(careful, proposal)
    image = careful.record("tip@v1.1.0").page(Image, written_by="build-image").body
    canary = manifests.canary_of(content, name=MODEL)
    assert canary is not None
    assert (canary.tag, canary.digest) == ("v1.1.0", image.digest)
    assert manifests.without_canary(content, name=MODEL) == (careful.root / MANIFEST).read_bytes()
    assert proposal.canary == 0.25
    assert proposal.pull is not None
    pull = careful.workplace.forge.pull(proposal.pull)
    assert pull.title.endswith("as a canary, 25 % of production")
    assert "at most 25 % of what production is asked" in pull.body
    assert "it ran for 12 hours and answered 300 rows" in pull.body
    assert "The way back until then" in pull.body


def test_run_again_it_proposes_nothing_else(careful: Team) -> None:
    """Neither beside its own open pull request, nor once that was merged and the canary has to show itself."""
    first = bump(careful)
    assert bump(careful) == first

    merge(careful, first)

    assert bump(careful) == first
    assert list(careful.workplace.forge.open_pulls()) == []


@pytest.mark.parametrize("verdict", Verdict)
def test_all_of_the_traffic_is_proposed_once_it_has_shown_itself(verdict: Verdict, careful: Team) -> None:
    """And not before, nor where it failed."""
    share = bump(careful)
    merge(careful, share)
    judge_canary(careful, verdict)

    proposal = bump(careful)

    if verdict is not Verdict.PASS:
        assert proposal == share
        return
    content = on_branch(careful, proposal)
    live = manifests.deployed(content, name=MODEL)
    assert live is not None
    assert (live.tag, manifests.canary_of(content, name=MODEL)) == ("v1.1.0", None)
    assert proposal.pull not in (None, share.pull)
    pull = careful.workplace.forge.pull(proposal.pull or 0)
    assert pull.title == share.title.replace("as a canary, 25 % of ", "")
    assert "it answered 411 rows in 13.5 hours and passed; 300 rows and 12 hours were asked for" in pull.body
    assert bump(careful) == proposal


def judge_canary(team: Team, verdict: Verdict) -> None:
    """What `watch` writes into the ledger of the canary that runs."""
    place = on_cluster(team)
    git.fetch(team.root)
    trial = canaries.running(MODEL, environment=ENVIRONMENT, workplace=place)
    assert trial is not None
    judged = CanaryVerdicts(
        model=MODEL,
        environment=ENVIRONMENT,
        version=trial.tag.image_tag,
        digest=trial.canary.digest,
        commit=trial.canary.commit,
        stable=trial.stable.tag.image_tag,
        stable_digest=trial.stable.digest,
        seen=TODAY,
        since=datetime(2026, 5, 31, tzinfo=UTC),
        verdict=verdict,
        findings=(),
        rows=411,
        rows_needed=300,
        hours=13.5,
        hours_needed=12,
        policies_digest=place.repository.policies_digest(),
    )
    record = place.window(MODEL, ENVIRONMENT, TODAY.isoformat())
    record.once(CanaryVerdicts, reads={"seen": str(TODAY)}, make=lambda: judged)
    folder = canary_folder(MODEL, ENVIRONMENT, judged.version)
    files = {f"{folder}/{name}": content for name, content in record.contents().items()}
    place.ledger.append(files, message="Record the canary")


def test_without_a_policy_that_asks_all_of_the_traffic_is_proposed(careful: Team) -> None:
    """Also where a canary of it runs: whoever takes the policy out does not want to wait for it."""
    merge(careful, bump(careful))
    careful.write("policies/rollout.yaml", POLICY.replace(", canary: {share: 0.25, hours: 12, rows: 300}", ""))

    proposal = bump(careful)

    assert proposal.canary is None
    assert proposal.pull is not None
    content = on_branch(careful, proposal)
    assert manifests.canary_of(content, name=MODEL) is None
    assert not manifests.has_canary_component(content)
    live = manifests.deployed(content, name=MODEL)
    assert live is not None
    assert live.tag == "v1.1.0"


def test_the_first_version_of_an_environment_gets_all_of_it(team: Team) -> None:
    """There is nothing that could answer the rest."""
    team.write("policies/rollout.yaml", POLICY)
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")
    build_image.run(team.record("tip@v1.0.0"), workplace=team.workplace)

    proposal = bump_manifest.run(team.record("tip@v1.0.0"), environment=ENVIRONMENT, workplace=on_cluster(team)).body

    assert proposal.canary is None
    assert manifests.canary_of(on_branch(team, proposal), name=MODEL) is None


def test_too_few_pods_beside_it_are_refused_with_the_number_that_is_needed(careful: Team) -> None:
    """By night, when the autoscaler goes down, a quarter would become a third."""
    careful.edit("deploy/base/server.yaml", "minReplicas: 3", "minReplicas: 2")
    careful.commit("Save a pod")

    with pytest.raises(BadFile, match="`minReplicas: 3`"):
        bump(careful)
    assert list(careful.workplace.forge.open_pulls()) == []


def test_a_base_without_a_canary_is_told(careful: Team) -> None:
    """An older repository has none, and no update brings it."""
    git.run("rm", "-r", "--quiet", "deploy/base/canary", cwd=careful.root)
    careful.commit("Tidy up")

    with pytest.raises(BadFile, match=r"deploy/base/canary/kustomization.yaml, which is not there"):
        bump(careful)


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if not engine.is_cluster])
def test_an_engine_that_shares_nothing_refuses_the_policy(engine: RolloutEngine, careful: Team) -> None:
    """All of the traffic at once is what the team wanted not to happen."""
    with pytest.raises(BadFile, match=rf"policies/rollout.yaml: limit: canary: the engine {engine}") as caught:
        bump(careful, engine)
    assert "take `canary` out of policies/rollout.yaml" in str(caught.value)
    found = check_manifests.run(workplace=on_cluster(careful, engine)).problems
    assert [one.path for one in found if "canary" in one.problem] == ["policies/rollout.yaml"]


def test_the_pull_request_of_a_canary_is_in_order(careful: Team) -> None:
    """It is the very thing that `check-manifests` must let through, and an unjudged canary what it must not."""
    proposal = bump(careful)
    careful.record_pages("tip@v1.1.0")
    content = on_branch(careful, proposal)
    careful.write(MANIFEST, content.decode())
    assert check_manifests.run(workplace=on_cluster(careful)).problems == ()

    canary = manifests.canary_of(content, name=MODEL)
    assert canary is not None
    careful.edit(MANIFEST, canary.digest, f"sha256:{'0' * 64}")
    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems
    assert "is not the image of tip@v1.1.0" in found.problem

    careful.write(MANIFEST, content.decode().replace("components: [../../base/canary]\n", ""))
    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems
    assert found.mend == "add this line: components: [../../base/canary]"


def test_pods_that_are_taken_away_beside_a_canary_are_told(careful: Team) -> None:
    """It was held to a quarter when it was proposed; whoever saves a pod while it runs gives it a third."""
    content = on_branch(careful, bump(careful))
    careful.record_pages("tip@v1.1.0")
    careful.write(MANIFEST, content.decode())
    careful.edit("deploy/base/server.yaml", "minReplicas: 3", "minReplicas: 2")

    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems
    assert found.path == MANIFEST
    assert found.problem.startswith("1 of a canary beside 2 of tip-server would get up to 33 % of production")
    assert "`minReplicas: 3`" in found.mend

    careful.edit("deploy/base/kustomization.yaml", "resources: [server.yaml]", "resources: [gone.yaml]")
    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems
    assert found.problem.startswith("kustomize cannot render it: ")


def test_a_canary_beside_another_environment_of_its_namespace_is_refused(careful: Team) -> None:
    """A rollout there would delete it as one that no manifest names."""
    content = on_branch(careful, bump(careful)).decode()
    careful.record_pages("tip@v1.1.0")
    careful.write(MANIFEST, content)
    careful.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    beside = manifests.new_manifest(MODEL, environment=ENVIRONMENT, engine=RolloutEngine.KUBERNETES).decode()
    careful.write(f"deploy/staging/{MODEL}/kustomization.yaml", beside)

    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems
    assert found.path == MANIFEST
    assert found.problem.startswith("staging has tip in the same namespace of the same cluster")

    careful.edit(f"deploy/staging/{MODEL}/kustomization.yaml", "namespace: production", "namespace: staging")
    assert check_manifests.run(workplace=on_cluster(careful)).problems == ()


def test_without_kubectl_nobody_looks_how_many_pods_there_are_and_that_is_told(
    careful: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A laptop has none, and what a release asks for is refused by the release as before."""
    content = on_branch(careful, bump(careful))
    careful.record_pages("tip@v1.1.0")
    careful.write(MANIFEST, content.decode())
    careful.edit("deploy/base/server.yaml", "minReplicas: 3", "minReplicas: 2")
    git_alone = careful.root.parent / "bin"
    git_alone.mkdir()
    (git_alone / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(git_alone))

    assert check_manifests.run(workplace=on_cluster(careful)).problems == ()
    assert "no kubectl is here" in caplog.text


def test_half_a_canary_is_told_with_what_it_lacks(careful: Team) -> None:
    """People edit manifests at night, and kustomize renders each half without a word."""
    stable = (careful.root / MANIFEST).read_bytes()
    live = manifests.deployed(stable, name=MODEL)
    assert live is not None

    def told(content: bytes) -> list[tuple[str, str]]:
        careful.write(MANIFEST, content.decode())
        return [(one.problem, one.mend) for one in check_manifests.run(workplace=on_cluster(careful)).problems]

    def tried(tag: str) -> bytes:
        return manifests.set_canary(stable, name=MODEL, new_name=live.new_name, tag=tag, digest=live.digest)

    ((problem, mend),) = told(stable.replace(b"namespace:", b"components: [../../base/canary]\nnamespace:"))
    assert problem.startswith("it takes ../../base/canary in, and `images:` names no digest")
    assert mend.startswith("take the component out")
    ((problem, _),) = told(tried(live.tag))
    assert problem == "its canary is what has the rest of the traffic, too"
    assert ("newTag `latest` is no version", "write the version that the digest belongs to: v1.4.0") in told(
        tried("latest")
    )
    shutil.rmtree(careful.root / "deploy" / "base" / "canary")
    another = manifests.set_canary(
        stable, name=MODEL, new_name=live.new_name, tag="v1.0.0", digest=f"sha256:{'0' * 64}"
    )
    assert "deploy/base/canary/kustomization.yaml, which is not there" in told(another)[-1][0]


def test_a_canary_that_is_held_is_told(careful: Team) -> None:
    """Quarantine is about what answers, and a share of the traffic is answered by it."""
    content = on_branch(careful, bump(careful))
    careful.record_pages("tip@v1.1.0")
    careful.write(MANIFEST, content.decode())
    entry = QuarantineEntry(model=MODEL, version="v1.1.0", reason="It is too generous", by="Ada")
    careful.write("deploy/quarantine.yaml", manifests.add_entry(manifests.EMPTY_QUARANTINE, entry).decode())

    (found,) = check_manifests.run(workplace=on_cluster(careful)).problems

    assert found.problem == "tip@v1.1.0 is quarantined by Ada: It is too generous"
