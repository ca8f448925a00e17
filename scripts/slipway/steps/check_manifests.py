"""See that everything in deploy/ was released, passed, and is wanted: what is merged is what was judged."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.adapters import canary_shares, cluster_manifests, deploy_tree, freezing, manifests
from slipway.adapters.manifests import Deployed
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import read_bounded
from slipway.domain.identity import Identity
from slipway.domain.policy import QuarantineEntry
from slipway.domain.promotion import freeze_of, goes_forward
from slipway.domain.rollout_limit import CANARY_MEND, canary_without_cluster
from slipway.domain.tag import ReleaseTag, release_named
from slipway.domain.upkeep import ManifestProblem, ManifestReport
from slipway.errors import BadFile, BadTag, SlipwayError
from slipway.reports import waiting


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A manifest of the working tree, and what it deploys."""

    path: str
    environment: str
    model: str
    deployed: Deployed
    content: bytes
    canary: Deployed | None


@dataclass(frozen=True, slots=True)
class _Now:
    """What every manifest is looked at with; `moment` is that of freezes."""

    moment: datetime
    held: tuple[QuarantineEntry, ...]
    workplace: Workplace


def run(*, workplace: Workplace, moment: datetime | None = None) -> ManifestReport:
    """Check the manifests of the working tree against the ledger and what is deployed now.

    Args:
        workplace: whose manifests.
        moment: that of freezes, which hold what goes forward; the present one by default.
    """
    problems: list[ManifestProblem] = []
    checked = 0
    now = _Now(moment or datetime.now(UTC), _quarantine(workplace), workplace)
    for path in sorted(workplace.repository.root.glob("deploy/*/*/kustomization.yaml")):
        name = path.relative_to(workplace.repository.root).as_posix()
        try:
            manifest = _read(name, workplace)
        except SlipwayError as error:
            problems.append(ManifestProblem(path=name, problem=error.problem, mend=error.mend))
            continue
        if manifest is not None:
            checked += 1
            problems += _problems(manifest, now)
            problems += _not_for_a_cluster(manifest, workplace)
    problems += _canaries_that_no_engine_runs(workplace)
    return ManifestReport(checked=checked, problems=tuple(problems))


def _read(path: str, workplace: Workplace) -> _Manifest | None:
    """None where the manifest deploys nothing yet."""
    _, environment, model, _ = path.split("/")
    content = read_bounded(workplace.repository.root / path)
    deployed = manifests.deployed(content, name=model, where=path)
    canary = manifests.canary_of(content, name=model, where=path)
    return None if deployed is None else _Manifest(path, environment, model, deployed, content, canary)


def _quarantine(workplace: Workplace) -> tuple[QuarantineEntry, ...]:
    """Of the working tree: a pull request may add the very entry that forbids its manifest."""
    path = workplace.repository.root / deploy_tree.QUARANTINE
    return manifests.entries(read_bounded(path)) if path.exists() else ()


def _problems(manifest: _Manifest, now: _Now) -> Iterator[ManifestProblem]:
    workplace = now.workplace
    if manifest.environment not in [environment.name for environment in workplace.settings.environments]:
        yield _problem(
            manifest, f"`{manifest.environment}` is no environment of slipway.yaml", "add it there, or move the folder"
        )
    tag = yield from _told_tag(manifest, manifest.deployed)
    if tag is not None:
        yield from _held(manifest, tag, now.held)
        yield from _unjudged(manifest, manifest.deployed, tag, workplace)
        yield from _stale(manifest, tag, workplace)
    yield from _of_canary(manifest, now)
    yield from _frozen(manifest, now)


def _of_canary(manifest: _Manifest, now: _Now) -> Iterator[ManifestProblem]:
    """What gets a share of the traffic is judged before, as what gets all of it is; and the two lines go together."""
    if manifest.canary is None:
        if manifests.has_canary_component(manifest.content, where=manifest.path):
            yield _problem(
                manifest,
                f"it takes {manifests.CANARY_COMPONENT} in, and `images:` names no digest for it",
                "take the component out; `slipway bump-manifest` writes both",
            )
        return
    tag = yield from _told_tag(manifest, manifest.canary)
    if tag is not None:
        yield from _held(manifest, tag, now.held)
        yield from _unjudged(manifest, manifest.canary, tag, now.workplace)
    if manifest.canary.digest == manifest.deployed.digest:
        yield _problem(manifest, "its canary is what has the rest of the traffic, too", "take the canary out")
    yield from _nothing_runs_it(manifest, now.workplace)


def _nothing_runs_it(manifest: _Manifest, workplace: Workplace) -> Iterator[ManifestProblem]:
    if not workplace.settings.rollout_engine.is_cluster:
        yield _problem(
            manifest, f"the engine {workplace.settings.rollout_engine} runs no canary", "take the canary out"
        )
    elif not manifests.has_canary_component(manifest.content, where=manifest.path):
        line = f"components: [{manifests.CANARY_COMPONENT}]"
        yield _problem(manifest, "no Deployment has the image of its canary", f"add this line: {line}")
    elif not (workplace.repository.root / cluster_manifests.CANARY).is_file():
        yield cluster_manifests.no_canary_component(manifest.path)
    else:
        yield from _more_than_its_share(manifest, workplace)
        yield from _taken_by_others(manifest, workplace)


def _taken_by_others(manifest: _Manifest, workplace: Workplace) -> Iterator[ManifestProblem]:
    """What is left of a canary is known by its model: in one namespace, that of another environment is as well."""
    contexts = {one.name: one.context for one in workplace.settings.environments}
    root = workplace.repository.root
    for other in cluster_manifests.in_one_namespace(
        root, manifest.model, environment=manifest.environment, contexts=contexts
    ):
        yield _problem(
            manifest,
            f"{other} has {manifest.model} in the same namespace of the same cluster: a rollout there would take this "
            "canary away",
            f"write another `namespace:` into one of the two, or take the canary of {manifest.environment} out",
        )


def _more_than_its_share(manifest: _Manifest, workplace: Workplace) -> Iterator[ManifestProblem]:
    """Of a canary that runs, too: who takes pods away beside it changes what it gets."""
    try:
        canary_shares.refuse_more_here(manifest.model, manifest.environment, workplace=workplace)
    except SlipwayError as error:
        yield _problem(manifest, error.problem.removeprefix(f"{manifest.path}: "), error.mend)


def _canaries_that_no_engine_runs(workplace: Workplace) -> Iterator[ManifestProblem]:
    """A policy that asks for what a release would be refused for at its last step."""
    try:
        rollout = workplace.repository.policies().rollout
    except SlipwayError as error:
        yield ManifestProblem(path="policies", problem=error.problem, mend=error.mend)
        return
    engine = workplace.settings.rollout_engine
    limits = (rollout.limit, *(override.limit for override in rollout.models.values()))
    if not engine.is_cluster and any(limit.canary is not None for limit in limits):
        yield ManifestProblem(path=freezing.POLICY, problem=canary_without_cluster(engine), mend=CANARY_MEND)


def _told_tag(manifest: _Manifest, wanted: Deployed) -> Generator[ManifestProblem, None, ReleaseTag | None]:
    try:
        return ReleaseTag.parse(f"{manifest.model}@{wanted.tag}")
    except BadTag:
        yield _problem(
            manifest, f"newTag `{wanted.tag}` is no version", "write the version that the digest belongs to: v1.4.0"
        )
        return None


def _held(manifest: _Manifest, tag: ReleaseTag, held: tuple[QuarantineEntry, ...]) -> Iterator[ManifestProblem]:
    entry = next((one for one in held if one.holds(tag.model, tag.image_tag)), None)
    if entry is not None:
        yield _problem(
            manifest,
            entry.says_of(str(tag)),
            f"deploy another version, or let an owner take the entry out of {deploy_tree.QUARANTINE}",
        )


def _not_for_a_cluster(manifest: _Manifest, workplace: Workplace) -> Iterator[ManifestProblem]:
    """Of an engine that applies what kustomize makes of it."""
    if workplace.settings.rollout_engine.is_cluster:
        yield from cluster_manifests.problems_of(
            manifest.path,
            manifest.content,
            root=workplace.repository.root,
            model=manifest.model,
            environment=manifest.environment,
        )


def _unjudged(
    manifest: _Manifest, wanted: Deployed, tag: ReleaseTag, workplace: Workplace
) -> Iterator[ManifestProblem]:
    digest = wanted.digest
    images = workplace.history.digests(tag)
    if not workplace.history.passed(tag):
        known = "failed" if workplace.history.page(tag, Identity) else "is not in the ledger"
        yield _problem(manifest, f"{tag} {known}: only what passed is deployed", f"release it by its tag: {tag}")
    elif digest not in images:
        known = ", ".join(image[:19] for image in images) or "none"
        yield _problem(
            manifest,
            f"{digest[:19]} is not the image of {tag}; the ledger knows {known}",
            "take digest and newTag from the release's own pull request",
        )


def _stale(manifest: _Manifest, tag: ReleaseTag, workplace: Workplace) -> Iterator[ManifestProblem]:
    """A verdict compared with what was deployed then; it says nothing about what is deployed now."""
    live = deploy_tree.deployed(workplace.forge, environment=manifest.environment, model=manifest.model)
    identity = workplace.history.page(tag, Identity)
    if identity is None or (live is not None and live.digest == manifest.deployed.digest):
        return
    if live is not None and ReleaseTag.parse(f"{tag.model}@{live.tag}").precedence >= tag.precedence:
        return  # on the way back; the version was judged when it went forward
    compared = identity.body.deployed.get(manifest.environment)
    before, now = (compared.version if compared else "nothing"), (live.tag if live else "nothing")
    if before != now:
        yield _problem(
            manifest, f"{tag} was compared with {before}; deployed is {now}", f"run the release again: {tag}"
        )


def _frozen(manifest: _Manifest, now: _Now) -> Iterator[ManifestProblem]:
    """A proposal that was open when a freeze began is merged after it; no freeze stands in the way back."""
    if not _goes_forward(manifest, now.workplace):
        return
    try:
        limit = freezing.merged_limit(manifest.model, now.workplace)
    except BadFile as wrong:
        yield ManifestProblem(path=freezing.POLICY, problem=wrong.problem, mend=wrong.mend)
        return
    freeze = freeze_of(manifest.environment, limit=limit, now=now.moment)
    if freeze is not None:
        end = f"until {waiting.moment(freeze.until)}" if freeze.until else "without an end"
        yield _problem(
            manifest,
            f"{'; '.join(freeze.reasons)}, {end}",
            "run this check again then (Re-run jobs), and merge; or end the freeze first, by a pull request of its own "
            f"that changes {freezing.POLICY}",
        )


def _goes_forward(manifest: _Manifest, workplace: Workplace) -> bool:
    """Compared with the head of the default branch: all that the merge would bring there."""
    place = {"environment": manifest.environment, "model": manifest.model}
    there = (deploy_tree.deployed(workplace.forge, **place), deploy_tree.canary(workplace.forge, **place))
    proposed = (manifest.deployed, manifest.canary)
    pairs = ((_tag(manifest, one), _tag(manifest, other)) for one, other in zip(proposed, there, strict=True))
    return any(goes_forward(one, other) for one, other in pairs)


def _tag(manifest: _Manifest, deployed: Deployed | None) -> ReleaseTag | None:
    return None if deployed is None else release_named(manifest.model, deployed.tag)


def _problem(manifest: _Manifest, problem: str, mend: str) -> ManifestProblem:
    return ManifestProblem(path=manifest.path, problem=problem, mend=mend)
