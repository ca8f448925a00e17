"""Judge what variables of a repository on GitHub switch on: an MLflow that is told, and pages that anybody may read."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.domain.checkup import Finding, State, ok, problem
from slipway.domain.checkup.forge import ENVIRONMENT, unseen
from slipway.domain.checkup.seen import SeenForge, Unseen

MLFLOW = "MLFLOW_TRACKING_URI"
TOKEN, USER, PASSWORD = "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"  # names
PAGES = "SLIPWAY_PAGES"


def judge_switched_on(seen: SeenForge) -> Iterator[Finding]:
    """Nothing of what is off."""
    yield from _mlflow(seen)
    yield from _pages(seen)


def _mlflow(seen: SeenForge) -> Iterator[Finding]:
    name, told = "MLflow", seen.open_variables.has(MLFLOW)
    if isinstance(told, Unseen):
        yield unseen(name, told)
    elif told:
        yield _credentials_of_mlflow(name, seen)
    elif seen.variables.has(MLFLOW) is True:
        yield problem(
            name,
            f"{MLFLOW} is a variable of the environment alone, which no job sees before it starts: none tells it",
            f"gh variable set {MLFLOW} --repo {seen.hosted.name} --body ADDRESS",
        )


def _credentials_of_mlflow(name: str, seen: SeenForge) -> Finding:
    secrets = seen.open_secrets | seen.secrets
    token, user, password = (secrets.has(one) for one in (TOKEN, USER, PASSWORD))
    for there in (token, user, password):
        if isinstance(there, Unseen):
            return unseen(name, there)
    if token or (user and password):
        return ok(name, f"told of each rollout: there is {MLFLOW}, with credentials")
    if user or password:
        lacks = PASSWORD if user else USER
        half = f"{USER if user else PASSWORD} is there without {lacks}: MLflow lets nobody in"
        return problem(name, half, f"gh secret set {lacks} --env {ENVIRONMENT} --repo {seen.hosted.name}")
    return Finding(
        name=name,
        state=State.UNKNOWN,
        text=f"{MLFLOW} is set, and no secret beside it: a server that asks who comes is not told",
        mend=f"gh secret set {TOKEN} --env {ENVIRONMENT} --repo {seen.hosted.name}",
    )


def _pages(seen: SeenForge) -> Iterator[Finding]:
    """Whether the plan of an owner has access control is seen by its administrators alone."""
    name, there = "status page", seen.open_variables.has(PAGES)
    if isinstance(there, Unseen):
        yield unseen(name, there)
    elif there and seen.hosted.private:
        yield Finding(
            name=name,
            state=State.UNKNOWN,
            text=f"{PAGES} is set, and GitHub's pages of a private repository are public, unless its plan has access "
            "control for them",
            mend="Settings → Pages → Visibility: Private; where there is none: "
            f"gh variable delete {PAGES} --repo {seen.hosted.name}, and unpublish the site there",
        )
    elif there:
        yield ok(name, f"public as the repository is, where {PAGES} is `on`")
