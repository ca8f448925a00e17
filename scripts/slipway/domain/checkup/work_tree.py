"""Judge what lies in the checkout and what was recorded: edits of ours, leftovers of an update, heartbeats, images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.checkup.seen import SeenCluster, SeenFiles, SeenImage
from slipway.domain.rollout_limit import CANARY_MEND, RolloutLimit, canary_without_cluster
from slipway.domain.settings import RolloutEngine

LISTED = ".slipway-files.sha256"
_MOST_NAMES = 10
_ACCESS = (
    "; where a workflow is refused: on the package's page, Package settings → Manage Actions access → "
    "add this repository with the role Write"
)


def judge_files(seen: SeenFiles) -> Iterator[Finding]:
    yield _edits(seen)
    yield _leftovers(seen)


def judge_heartbeat(workflow: str, last: date | None, *, stopped: bool) -> Finding:
    name = f"heartbeat of {workflow}"
    if last is None:
        return ok(name, "none yet: it has not run by itself so far")
    if not stopped:
        return ok(name, f"ran on {last}")
    return problem(
        name,
        f"ran last on {last}: what it looks for has been looked for by nobody since",
        f"look why: gh run list --workflow {workflow}.yml; then gh workflow run {workflow}.yml",
    )


def judge_images(seen: Sequence[SeenImage], *, registry: str) -> Finding:
    name = "packages"
    silent = [image for image in seen if not image.answered]
    refused = [image for image in seen if image.answered and image.problem]
    if refused:
        of_github = _ACCESS if registry.startswith("ghcr.io/") else ""
        return problem(name, "; ".join(image.problem for image in refused), f"{refused[0].mend}{of_github}")
    if silent:
        return Finding(name=name, state=State.UNKNOWN, text=silent[0].problem, mend=silent[0].mend, unanswered=True)
    if not seen:
        return ok(name, "nothing is deployed yet, so there is nothing to fetch")
    return ok(name, f"fetched with the credentials given here: {', '.join(image.reference for image in seen)}")


def judge_no_runtime(name: str, engine: RolloutEngine) -> Finding:
    if not engine.pulls_images:
        return ok(name, "none, and the engine `process` needs none: it serves with the code of this repository")
    return problem(
        name,
        f"none: the engine {engine} has nothing to run a model in",
        "start runtime-image.yml and merge the pull request that it opens: gh workflow run runtime-image.yml",
    )


def judge_freezes(limits: Iterable[RolloutLimit], *, environments: Collection[str]) -> Iterator[Finding]:
    """Nothing where nothing is frozen at all; one that names no environment of slipway.yaml would freeze nothing."""
    freezes = [freeze for limit in limits for freeze in limit.every_freeze]
    named = dict.fromkeys(name for freeze in freezes for name in freeze.environments)
    unknown = [f"`{name}`" for name in named if name not in environments]
    if unknown:
        told = f"policies/rollout.yaml names {', '.join(unknown)}, and slipway.yaml has {', '.join(environments)}"
        yield problem("freezes", f"{told}: there, nothing is frozen", "write names of slipway.yaml, or leave them out")
    elif freezes:
        yield ok("freezes", "all of environments that slipway.yaml has")


def judge_canaries(
    limits: Iterable[RolloutLimit], *, environments: Collection[str], engine: RolloutEngine
) -> Iterator[Finding]:
    """Nothing where no canary is asked for; one that no engine can run would stop a release at its last step."""
    asked = [limit.canary for limit in limits if limit.canary is not None]
    named = dict.fromkeys(name for canary in asked for name in canary.environments)
    unknown = [f"`{name}`" for name in named if name not in environments]
    if asked and not engine.is_cluster:
        yield problem("canaries", canary_without_cluster(engine), CANARY_MEND)
    elif unknown:
        told = f"policies/rollout.yaml names {', '.join(unknown)}, and slipway.yaml has {', '.join(environments)}"
        yield problem("canaries", f"{told}: there, none is tried", "write names of slipway.yaml, or leave them out")
    elif asked:
        yield ok("canaries", "of environments that slipway.yaml has, on an engine with a cluster")


def judge_cluster(seen: SeenCluster) -> Finding:
    """What a laptop does not reach may be reached from where rollouts run: it is no problem of the repository."""
    name = f"cluster of {seen.environment}"
    if not seen.problem:
        return ok(name, "answers from here")
    text = f"from here: {seen.problem}"
    return Finding(name=name, state=State.UNKNOWN, text=text, mend=seen.mend, unanswered=not seen.answered)


def _edits(seen: SeenFiles) -> Finding:
    name = "files of the template"
    since = f", against {seen.template[:12]}" if seen.template else ""
    if seen.changed is None:
        return Finding(
            name=name,
            state=State.UNKNOWN,
            text=f"nothing says how they came: there is no {LISTED}",
            mend="generate with hooks, as cookiecutter and cruft do unless told otherwise",
        )
    if not seen.changed:
        return ok(name, f"as they came{since}")
    told = [f"{path} {how}" for path, how in seen.changed.items()]
    return problem(
        name,
        f"{len(told)} are not as they came{since}: {_listed(told)}; updates may conflict there",
        f"`cruft diff` shows the edits, `cruft diff | git apply -R` takes them back; to keep a file as your own, "
        f"delete its line in {LISTED}",
    )


def _leftovers(seen: SeenFiles) -> Finding:
    name = "leftovers of an update"
    found = (
        *(f"{path} is not merged" for path in seen.unmerged),
        *(f"{path} has a conflict's marks" for path in seen.marked if path not in seen.unmerged),
        *(f"{path} was not applied" for path in seen.rejected),
    )
    if not found:
        return ok(name, "none")
    return problem(
        name,
        _listed(found),
        "solve each conflict in the file itself, apply by hand what a .rej holds and delete it, then commit",
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join([*names[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])])
