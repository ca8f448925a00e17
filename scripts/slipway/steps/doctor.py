"""Say what of a repository will silently fail, and mend what a person asked to have mended.

It looks at the settings on GitHub, at the files of the checkout and at what was recorded; each by itself, so that what
cannot be seen hides nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from slipway.adapters import (
    cluster_manifests,
    deploy_tree,
    runtime_image,
    shipped_rulesets,
    signatures,
    template_files,
    workflow_secrets,
)
from slipway.adapters.forge.settings import ForgeSettings
from slipway.adapters.rollout.kubernetes import reach
from slipway.adapters.workplace import Workplace
from slipway.domain import labels
from slipway.domain.checkup import Checkup, Finding, State, ok, problem
from slipway.domain.checkup.cluster import judge_cluster_files
from slipway.domain.checkup.forge import ENVIRONMENT, SCHEDULED, holds, judge, missing_labels, ruleset_named
from slipway.domain.checkup.secrets import judge_secrets
from slipway.domain.checkup.seen import Ruleset, SeenForge, SeenImage, Unseen
from slipway.domain.checkup.switched_on import judge_switched_on
from slipway.domain.checkup.work_tree import (
    judge_canaries,
    judge_cluster,
    judge_files,
    judge_freezes,
    judge_heartbeat,
    judge_images,
    judge_no_runtime,
)
from slipway.domain.source_address import SourceAddress
from slipway.errors import BadFile, SlipwayError, Unreachable


def run(*, today: date, workplace: Workplace) -> Checkup:
    """Look at everything, and change nothing."""
    seen = _seen_of_forge(workplace)
    findings = [
        *_of_settings(seen, workplace),
        *_of_secrets(seen, workplace),
        *_of_ledger(workplace, today),
        *_of_images(workplace),
        _of_runtime(workplace),
        *_of_clusters(workplace),
        *_of_cluster_files(workplace),
        _of_public_keys(workplace),
        *_of_rollouts(workplace),
        *judge_files(template_files.look(workplace.repository.root)),
    ]
    return Checkup.of(findings)


def fix(*, workplace: Workplace) -> None:
    """Make the labels that are missing, and the shipped rulesets what their files say; run again, it changes nothing.

    What cannot be seen or had here is left: it is told by `run`.
    """
    if workplace.switches is None:
        return
    seen = workplace.switches.look(ENVIRONMENT)
    if not isinstance(seen.labels, Unseen):
        for label in missing_labels(seen.labels, _labels(workplace)):
            workplace.switches.create_label(label)
    if not isinstance(seen.rulesets, Unseen):
        for shipped in shipped_rulesets.read_rulesets(workplace.repository.root):
            _install(shipped, ruleset_named(seen.rulesets, shipped["name"]), workplace.switches)


def _install(shipped: Mapping[str, Any], there: Ruleset | None, settings: ForgeSettings) -> None:
    """One of the organisation's is its own."""
    if there is None:
        settings.create_ruleset(shipped)
    elif there.id is not None and not holds(shipped, there.content):
        settings.update_ruleset(there.id, shipped)


def _labels(workplace: Workplace) -> tuple[labels.Label, ...]:
    environments = tuple(environment.name for environment in workplace.settings.environments)
    return labels.of_all(tuple(workplace.repository.model_names()), environments)


def _seen_of_forge(workplace: Workplace) -> SeenForge | Finding:
    """Its settings, or why they were not seen."""
    name = "GitHub"
    if workplace.switches is None:
        text = "`origin` is a repository on this machine: nothing of GitHub can be looked at from here"
        return Finding(name=name, state=State.UNAVAILABLE, text=text)
    try:
        return workplace.switches.look(ENVIRONMENT)
    except Unreachable as silent:
        return _not_seen(name, silent)
    except SlipwayError as refused:
        return problem(name, refused.problem, refused.mend)


def _of_settings(seen: SeenForge | Finding, workplace: Workplace) -> Iterator[Finding]:
    if isinstance(seen, Finding):
        yield seen
        return
    rulesets: tuple[Mapping[str, Any], ...] = ()
    try:
        rulesets = shipped_rulesets.read_rulesets(workplace.repository.root)
    except BadFile as bad:
        yield problem("rulesets", bad.problem, bad.mend)
    yield from judge(seen, labels=_labels(workplace), rulesets=rulesets, settings=workplace.settings)
    yield from judge_switched_on(seen)


def _of_secrets(seen: SeenForge | Finding, workplace: Workplace) -> Iterator[Finding]:
    """A folder has no secrets, and runs no workflow."""
    if workplace.switches is not None:
        yield from judge_secrets(
            workplace.settings,
            sources=dict(_sources(workplace)),
            seen=None if isinstance(seen, Finding) else seen,
            passed=workflow_secrets.passed(workplace.repository.root),
        )


def _sources(workplace: Workplace) -> Iterator[tuple[str, SourceAddress]]:
    """Of each model whose source lies elsewhere; one that cannot be read is told by who reads it."""
    for name in workplace.repository.model_names():
        try:
            address = workplace.repository.model(name).source_address
        except SlipwayError:
            continue
        if address is not None:
            yield name, address


def _of_ledger(workplace: Workplace, today: date) -> Iterator[Finding]:
    """A folder runs nothing by itself."""
    for workflow in [] if workplace.switches is None else map(_without_suffix, SCHEDULED):
        try:
            last = workplace.history.heartbeat(workflow)
            stopped = bool(workplace.history.stopped(workflow, today=today))
        except SlipwayError as error:
            yield _not_seen(f"heartbeat of {workflow}", error)
        else:
            yield judge_heartbeat(workflow, last, stopped=stopped)


def _of_images(workplace: Workplace) -> Iterator[Finding]:
    try:
        seen = [_fetched(model, digest, workplace) for model, digest in _deployed(workplace)]
    except SlipwayError as error:
        yield _not_seen("packages", error)
    else:
        yield judge_images(seen, registry=workplace.settings.image_registry)


def _of_runtime(workplace: Workplace) -> Finding:
    name, stated = "runtime image", workplace.settings.runtime_image
    if stated is None:
        return judge_no_runtime(name, workplace.settings.rollout_engine)
    try:
        runtime_image.runtime_of(workplace)
    except Unreachable as silent:
        return _not_seen(name, silent)
    except SlipwayError as missing:
        return problem(name, missing.problem, missing.mend)
    return ok(name, stated)


def _of_clusters(workplace: Workplace) -> Iterator[Finding]:
    if workplace.settings.rollout_engine.is_cluster:
        for environment in workplace.settings.environments:
            yield judge_cluster(reach.look(environment.name, environment.context))


def _of_cluster_files(workplace: Workplace) -> Iterator[Finding]:
    root, settings = workplace.repository.root, workplace.settings
    environments = [environment.name for environment in settings.environments]
    manifests = tuple(cluster_manifests.problems_in(root, environments=environments))
    yield from judge_cluster_files(settings, models=workplace.repository.model_names(), manifests=manifests)


def _of_public_keys(workplace: Workplace) -> Finding:
    name = "public keys"
    try:
        keys = signatures.public_keys(workplace)
    except Unreachable as silent:
        return _not_seen(name, silent)
    except SlipwayError as bad:
        return problem(name, bad.problem, bad.mend)
    if not keys and workplace.settings.signing_keys:
        main = workplace.forge.default_branch
        text = f"slipway.yaml names signing_keys here, and none on {main}: images are not signed"
        return problem(name, text, f"bring slipway.yaml to {main}, with the public keys that it names")
    if not keys:
        return ok(name, "none: images are not signed")
    return ok(name, f"{keys[0].path} signs; good is a signature by {', '.join(key.path for key in keys)}")


def _of_rollouts(workplace: Workplace) -> Iterator[Finding]:
    try:
        rollout = workplace.repository.policies().rollout
    except BadFile as bad:
        yield problem("policies", bad.problem, bad.mend)
        return
    environments = [environment.name for environment in workplace.settings.environments]
    limits = (rollout.limit, *(override.limit for override in rollout.models.values()))
    yield from judge_freezes(limits, environments=environments)
    yield from judge_canaries(limits, environments=environments, engine=workplace.settings.rollout_engine)


def _deployed(workplace: Workplace) -> Iterator[tuple[str, str]]:
    """Model and digest of all that is deployed."""
    for (_, model), live in deploy_tree.everything_deployed(workplace.forge).items():
        if isinstance(live, BadFile):
            raise live
        yield model, live.digest


def _fetched(model: str, digest: str, workplace: Workplace) -> SeenImage:
    reference = f"{model}@{digest[:19]}"
    try:
        workplace.registry.repository(model).manifest(digest)
    except SlipwayError as error:
        return SeenImage(reference, error.problem, error.mend, answered=not isinstance(error, Unreachable))
    return SeenImage(reference)


def _not_seen(name: str, error: SlipwayError) -> Finding:
    silent = isinstance(error, Unreachable)
    return Finding(name=name, state=State.UNKNOWN, text=error.problem, mend=error.mend, unanswered=silent)


def _without_suffix(file: str) -> str:
    return file.removesuffix(".yml")
