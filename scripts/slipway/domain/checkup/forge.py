"""Judge the settings of a repository on GitHub: what will silently fail there, and the mend of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.checkup.seen import Ruleset, SeenForge, Unseen, Why
from slipway.domain.labels import Label
from slipway.domain.settings import RolloutEngine, Settings

APP_CLIENT_ID, APP_KEY = "SLIPWAY_APP_CLIENT_ID", "SLIPWAY_APP_KEY"
RUNNER = "SLIPWAY_RUNNER"
REGISTRY_HOST, REGISTRY_PASSWORD = "SLIPWAY_REGISTRY_HOST", "SLIPWAY_REGISTRY_PASSWORD"  # their names
SIGNING_KEY = "SLIPWAY_SIGNING_KEY"  # its name
ATTESTATIONS = "SLIPWAY_ATTESTATIONS"
ENVIRONMENT = "slipway"
SCHEDULED = ("watch.yml", "reconcile.yml")
_GITHUBS_OWN = "github-actions[bot]"
_REGISTRY_OF_GITHUB = "ghcr.io"
_IMAGES = "image registry"
KUBECONFIG = "SLIPWAY_KUBECONFIG"  # its name
_NEEDS_A_KUBECONFIG = "is asked by kubectl with a kubeconfig, of which a hosted runner has none"
_WHY_NO_HOSTED_RUNNER = {
    RolloutEngine.PROCESS: "starts servers as processes of the runner, and on a hosted one they end with the job",
    RolloutEngine.DOCKER: "starts containers on the runner, and on a hosted one they end with the job",
    RolloutEngine.KUBERNETES: _NEEDS_A_KUBECONFIG,
    RolloutEngine.ARGO_CD: _NEEDS_A_KUBECONFIG,
    RolloutEngine.FLUX: _NEEDS_A_KUBECONFIG,
}
_NOT_SIGNED = "none: images are not signed, since slipway.yaml names no signing_keys"


def judge(
    seen: SeenForge, *, labels: Sequence[Label], rulesets: Sequence[Mapping[str, Any]], settings: Settings
) -> Iterator[Finding]:
    """Hold what was seen against the labels that Slipway gives, the shipped rulesets and slipway.yaml."""
    yield _token(seen)
    yield _app(seen)
    yield _pulls_by_actions(seen)
    yield _labels(seen, labels)
    for shipped in rulesets:
        yield _ruleset(seen, shipped)
    yield _environment(seen)
    for file in SCHEDULED:
        yield _schedule(seen, file)
    yield _runner(seen, settings)
    yield from _kubeconfig(seen, settings)
    yield _image_registry(seen, settings)
    yield _signing(seen, settings)
    yield _attestations(seen)


def missing_labels(found: frozenset[str], wanted: Sequence[Label]) -> list[Label]:
    """GitHub tells labels apart without regard to case."""
    return [label for label in wanted if label.name.lower() not in found]


def ruleset_named(found: Sequence[Ruleset], name: str) -> Ruleset | None:
    """The repository's own goes before one of its organisation: that one can be mended here."""
    named = [ruleset for ruleset in found if ruleset.name == name]
    return min(named, key=lambda ruleset: ruleset.id is None, default=None)


def holds(shipped: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    """Whether a ruleset says at least what the shipped one says.

    GitHub fills in parameters that were left to it, and a team may add rules; but an exception more, in its
    conditions or among those who may bypass it, makes it another one. Bypasses are shown to those alone who may
    write them.
    """
    return (
        there.get("target") == shipped["target"]
        and there.get("enforcement") == shipped["enforcement"]
        and there.get("conditions") == shipped["conditions"]
        and all(any(_covers(rule, other) for other in there.get("rules", ())) for rule in shipped["rules"])
        and _same_items(shipped["bypass_actors"], there.get("bypass_actors", shipped["bypass_actors"]))
    )


def unseen(name: str, what: Unseen) -> Finding:
    """What could not be looked at is neither good nor bad."""
    if what.why is Why.PLAN:
        text = f"this plan has none for a private repository; GitHub says: {what.said}"
        return Finding(name=name, state=State.UNAVAILABLE, text=text)
    if what.why is Why.SILENCE:
        return Finding(name=name, state=State.UNKNOWN, text=what.said, mend="run again", unanswered=True)
    return Finding(
        name=name,
        state=State.UNKNOWN,
        text=f"not to be seen with this token: it lacks the right `{what.said}`",
        mend="let somebody with the role admin run this: export GITHUB_TOKEN=$(gh auth token) && slipway doctor",
    )


def _token(seen: SeenForge) -> Finding:
    name, login = "token", seen.login
    if isinstance(login, Unseen):
        return unseen(name, login)
    if login == _GITHUBS_OWN:
        return ok(name, "GITHUB_TOKEN of a workflow: its pull requests wait until somebody approves their checks")
    if login.endswith("[bot]"):
        return ok(
            name, f"of the GitHub App {login.removesuffix('[bot]')}: checks of its pull requests start by themselves"
        )
    return ok(name, f"of a person, {login}, with the role {seen.hosted.role} in {seen.hosted.name}")


def _app(seen: SeenForge) -> Finding:
    name = "GitHub App"
    client, key, exposed = _app_id(seen), seen.secrets.has(APP_KEY), seen.open_secrets.has(APP_KEY)
    to_environment = f"gh secret set {APP_KEY} --env {ENVIRONMENT} --repo {seen.hosted.name} < key.pem"
    if exposed is True:
        return problem(
            name,
            f"a workflow of any branch can read its key: {APP_KEY} is a secret of more than the environment",
            f"{to_environment}, then gh secret delete {APP_KEY} --repo {seen.hosted.name}",
        )
    for part in (client, key):
        if isinstance(part, Unseen):
            return unseen(name, part)
    if client and key:
        opens = "configured: it opens pull requests and writes the ledger"
        return unseen(name, exposed) if isinstance(exposed, Unseen) else ok(name, opens)
    if client:
        return problem(name, f"{APP_CLIENT_ID} is set, but the environment has no {APP_KEY}: jobs fail", to_environment)
    if key:
        mend = f"gh variable set {APP_CLIENT_ID} --repo {seen.hosted.name} --body CLIENT_ID"
        return problem(name, f"{APP_KEY} is there, but {APP_CLIENT_ID} is not: the App is never asked", mend)
    return ok(name, "none: GITHUB_TOKEN opens pull requests, and their checks wait until somebody approves them")


def _app_id(seen: SeenForge) -> bool | Unseen:
    return (seen.open_variables | seen.variables).has(APP_CLIENT_ID)


def _pulls_by_actions(seen: SeenForge) -> Finding:
    name, allowed = "pull requests by Actions", seen.actions_open_pulls
    if isinstance(allowed, Unseen):
        return unseen(name, allowed)
    if allowed:
        return ok(name, "allowed")
    app = _app_id(seen)
    if isinstance(app, Unseen):
        return unseen(name, app)
    if app:
        return ok(name, "not allowed, and not needed: the GitHub App opens them")
    return problem(
        name,
        "not allowed: every release ends without its pull request",
        "Settings → Actions → General → Allow GitHub Actions to create and approve pull requests; or: gh api -X PUT "
        f"repos/{seen.hosted.name}/actions/permissions/workflow -F can_approve_pull_request_reviews=true",
    )


def _labels(seen: SeenForge, wanted: Sequence[Label]) -> Finding:
    name, found = "labels", seen.labels
    if isinstance(found, Unseen):
        return unseen(name, found)
    missing = [label.name for label in missing_labels(found, wanted)]
    if not missing:
        return ok(name, f"all {len(wanted)} are there")
    return problem(
        name, f"{len(missing)} of {len(wanted)} are missing: {', '.join(missing)}", "slipway doctor --fix", fixable=True
    )


def _ruleset(seen: SeenForge, shipped: Mapping[str, Any]) -> Finding:
    name, found = f"ruleset `{shipped['name']}`", seen.rulesets
    if isinstance(found, Unseen):
        return unseen(name, found)
    there = ruleset_named(found, shipped["name"])
    if there is None:
        return problem(name, "missing: nothing keeps it", "slipway doctor --fix", fixable=True)
    if holds(shipped, there.content):
        return ok(name, "in force")
    if there.id is None:
        return problem(
            name,
            "the organisation has one of this name that says something else",
            "let an owner of the organisation mend it or rename it, then: slipway doctor --fix",
        )
    return problem(
        name, "says something else than its file under .github/rulesets", "slipway doctor --fix", fixable=True
    )


def _environment(seen: SeenForge) -> Finding:
    name, found, branch = f"environment `{ENVIRONMENT}`", seen.environment, seen.hosted.default_branch
    if isinstance(found, Unseen):
        return unseen(name, found)
    if found is not None and found.open_to == (f"branch {branch}",):
        return ok(name, f"open to {branch} alone")
    if found is None and isinstance(seen.rulesets, Unseen) and seen.rulesets.why is Why.PLAN:
        return unseen(name, seen.rulesets)  # the same plans have both
    is_so = "missing" if found is None else f"open to {', '.join(found.open_to or ('all branches',))}"
    return problem(
        name,
        f"{is_so}: the App's key is safe only where {branch} alone can use it",
        f"Settings → Environments → {ENVIRONMENT} → Deployment branches and tags → Selected → {branch}",
    )


def _schedule(seen: SeenForge, file: str) -> Finding:
    name = f"schedule of {file}"
    if isinstance(seen.workflows, Unseen):
        return unseen(name, seen.workflows)
    state = seen.workflows.get(file)
    if state == "active":
        return ok(name, "on")
    if state is None:
        branch = seen.hosted.default_branch
        return problem(name, f"there is no .github/workflows/{file} on {branch}", f"git push origin {branch}")
    why = {"disabled_inactivity": "GitHub switched it off after 60 days without activity"}.get(state, f"it is {state}")
    return problem(name, f"off: {why}", f"gh workflow enable {file} --repo {seen.hosted.name}")


def _runner(seen: SeenForge, settings: Settings) -> Finding:
    name, runner = "runner", seen.open_variables.has(RUNNER)
    if isinstance(runner, Unseen):
        return unseen(name, runner)
    if runner:
        return ok(name, f"jobs that look at production run where {RUNNER} says")
    variable = f"gh variable set {RUNNER} --repo {seen.hosted.name} --body LABEL"
    of_your_own = f"run one of your own, and name its label: {variable}"
    if settings.rollout_engine.is_cluster:
        return _hosted_with_a_kubeconfig(name, seen, settings, otherwise=of_your_own)
    return _no_hosted_runner(name, settings, of_your_own)


def _no_hosted_runner(name: str, settings: Settings, mend: str) -> Finding:
    engine = settings.rollout_engine
    return problem(name, f"the engine `{engine}` {_WHY_NO_HOSTED_RUNNER[engine]}", mend)


def _hosted_with_a_kubeconfig(name: str, seen: SeenForge, settings: Settings, *, otherwise: str) -> Finding:
    """Whether its apiserver is reached from GitHub's machines is seen by the first rollout alone."""
    there = seen.secrets.has(KUBECONFIG)
    if isinstance(there, Unseen):
        return unseen(name, there)
    if there:
        return ok(name, f"hosted: the engine `{settings.rollout_engine}` is asked with the secret {KUBECONFIG}")
    to_environment = f"gh secret set {KUBECONFIG} --env {ENVIRONMENT} --repo {seen.hosted.name} < KUBECONFIG"
    return _no_hosted_runner(
        name, settings, f"where the apiserver is reached from GitHub's machines: {to_environment}; else {otherwise}"
    )


def _kubeconfig(seen: SeenForge, settings: Settings) -> Iterator[Finding]:
    """Who holds it rolls out, past every review."""
    if settings.rollout_engine.is_cluster and seen.open_secrets.has(KUBECONFIG) is True:
        yield problem(
            "kubeconfig",
            f"a workflow of any branch can read it: {KUBECONFIG} is a secret of more than the environment",
            f"gh secret set {KUBECONFIG} --env {ENVIRONMENT} --repo {seen.hosted.name} < KUBECONFIG, "
            f"then gh secret delete {KUBECONFIG} --repo {seen.hosted.name}",
        )


def _image_registry(seen: SeenForge, settings: Settings) -> Finding:
    folder = settings.image_registry.startswith("layout:")
    return _image_folder(seen) if folder else _remote_registry(seen, settings.image_registry.partition("/")[0])


def _image_folder(seen: SeenForge) -> Finding:
    runner = seen.open_variables.has(RUNNER)
    if isinstance(runner, Unseen):
        return unseen(_IMAGES, runner)
    if runner:
        return ok(_IMAGES, "a folder, which has to outlive the jobs of your runner")
    mend = "write a registry into slipway.yaml, such as image_registry: ghcr.io/OWNER"
    return problem(_IMAGES, "a folder: on a hosted runner, images are gone when their job ends", mend)


def _remote_registry(seen: SeenForge, host: str) -> Finding:
    if host == _REGISTRY_OF_GITHUB:
        return ok(_IMAGES, f"{host}: workflows use their own token")
    parts = (seen.open_variables.has(REGISTRY_HOST), seen.open_secrets.has(REGISTRY_PASSWORD))
    for part in parts:
        if isinstance(part, Unseen):
            return unseen(_IMAGES, part)
    if all(parts):
        return ok(_IMAGES, f"{host}: workflows use {REGISTRY_PASSWORD}")
    lacks = [one for one, there in zip((REGISTRY_HOST, REGISTRY_PASSWORD), parts, strict=True) if not there]
    return problem(
        _IMAGES,
        f"workflows have nothing to show to {host}: {' and '.join(lacks)} not set",
        f"gh variable set {REGISTRY_HOST} --repo {seen.hosted.name} --body {host}; "
        f"gh secret set {REGISTRY_PASSWORD} --repo {seen.hosted.name}",
    )


def _signing(seen: SeenForge, settings: Settings) -> Finding:
    """A public key without the private one stops every release; a private one alone signs nothing."""
    name, secret, exposed = "signing key", seen.secrets.has(SIGNING_KEY), seen.open_secrets.has(SIGNING_KEY)
    to_environment = f"gh secret set {SIGNING_KEY} --env {ENVIRONMENT} --repo {seen.hosted.name} < cosign.key"
    if exposed is True:
        return problem(
            name,
            f"a workflow of any branch can read it: {SIGNING_KEY} is a secret of more than the environment",
            f"{to_environment}, then gh secret delete {SIGNING_KEY} --repo {seen.hosted.name}",
        )
    if isinstance(secret, Unseen):
        return unseen(name, secret) if settings.signing_keys else ok(name, _NOT_SIGNED)
    if settings.signing_keys and not secret:
        told = f"slipway.yaml names {', '.join(settings.signing_keys)}, but the environment has no {SIGNING_KEY}"
        return problem(name, f"{told}: releases stop before they push", to_environment)
    if secret and not settings.signing_keys:
        mend = "commit the public key, and name it in slipway.yaml: signing_keys: [cosign.pub]"
        return problem(name, f"{SIGNING_KEY} is there, but slipway.yaml names no signing_keys: nothing is signed", mend)
    if not secret:
        return ok(name, _NOT_SIGNED)
    return ok(name, f"there; a release sees whether it is the pair of {settings.signing_keys[0]}, before it pushes")


def _attestations(seen: SeenForge) -> Finding:
    """The plan of an owner is seen by its administrators alone, so a private repository is told what it takes."""
    name, there = "GitHub's attestations", seen.open_variables.has(ATTESTATIONS)
    if isinstance(there, Unseen):
        return unseen(name, there)
    if not there:
        return ok(name, f"none: the variable {ATTESTATIONS} is not set")
    if not seen.hosted.private:
        return ok(name, "asked for by each release")
    text = "asked for; for a private repository GitHub has them on Enterprise Cloud alone"
    mend = f"on another plan: gh variable delete {ATTESTATIONS} --repo {seen.hosted.name}; cosign works on each"
    return Finding(name=name, state=State.UNAVAILABLE, text=text, mend=mend)


def _covers(wanted: Any, there: Any) -> bool:
    """Whether `there` has all that is wanted; the items of a list in any order, and no other."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(key in there and _covers(wanted[key], there[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(there, list) and _same_items(wanted, there)
    return bool(wanted == there)


def _same_items(wanted: list[Any], there: list[Any]) -> bool:
    return len(wanted) == len(there) and all(any(_covers(one, other) for other in there) for one in wanted)
