"""The settings of a repository on GitHub, each looked at by itself: what may not be seen hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from slipway.adapters import crash_points
from slipway.adapters.forge.address import API
from slipway.adapters.forge.github.answers import GRAPHQL, Refused
from slipway.adapters.forge.github.conversation import Conversation, Pace, named
from slipway.domain.checkup.seen import Environment, Hosted, Names, Ruleset, SeenForge, Unseen, Why
from slipway.domain.labels import Label
from slipway.errors import ForgeRefused, SlipwayError

_USUAL = Pace()
_ROLES = {
    "admin": "admin",
    "maintain": "maintain",
    "push": "write",
    "triage": "triage",
    "pull": "read",
}  # highest first
_PAGE = 30  # items; the most that GitHub gives at once of variables
_NO_RIGHT = (401, 403, 404)  # what a token may not see is often said not to be there
_UPGRADE = "upgrade to github"  # how a 403 begins that no right would change
_TAKEN = 422
_RULES = "administration: write"

T = TypeVar("T")


class GitHubSettings:
    """`repository` is `owner/name`."""

    def __init__(self, repository: str, *, api: str = API, token: str | None = None, pace: Pace = _USUAL) -> None:
        self._talk = Conversation(repository, api=api, token=token, pace=pace)

    def look(self, environment: str) -> SeenForge:
        hosted, protection = self._hosted(), _seen(lambda: self._environment(environment), right="actions: read")
        inside = None if protection is None else f"/environments/{named(environment)}"
        return SeenForge(
            hosted=hosted,
            login=_seen(self._login, right="metadata: read"),
            actions_open_pulls=_seen(self._actions_open_pulls, right="administration: read"),
            labels=_seen(self._labels, right="issues: read"),
            rulesets=_seen(self._rulesets, right="metadata: read"),
            environment=protection,
            workflows=_seen(self._workflows, right="actions: read"),
            variables=self._inside(inside, "variables"),
            secrets=self._inside(inside, "secrets"),
            open_variables=self._open("variables", hosted),
            open_secrets=self._open("secrets", hosted),
        )

    def create_label(self, label: Label) -> None:
        given = {"name": label.name, "color": label.colour, "description": label.description}
        with crash_points.external_write("create-label"):
            self._create("/labels", given, right="issues: write")

    def create_ruleset(self, content: Mapping[str, Any]) -> None:
        with crash_points.external_write("create-ruleset"):
            self._create("/rulesets", dict(content), right=_RULES)

    def update_ruleset(self, ruleset_id: int, content: Mapping[str, Any]) -> None:
        with crash_points.external_write("update-ruleset"):
            self._write("PUT", f"/rulesets/{ruleset_id}", dict(content), right=_RULES)

    def _hosted(self) -> Hosted:
        told = self._talk.get("")
        may = told.get("permissions") or {}
        return Hosted(
            name=self._talk.repository,
            private=bool(told["private"]),
            of_organisation=told["owner"]["type"] == "Organization",
            default_branch=str(told["default_branch"]),
            role=next((role for right, role in _ROLES.items() if may.get(right)), "none"),
        )

    def _login(self) -> str:
        return str(self._talk.query("{viewer{login}}")["viewer"]["login"])

    def _actions_open_pulls(self) -> bool:
        return bool(self._talk.get("/actions/permissions/workflow")["can_approve_pull_request_reviews"])

    def _labels(self) -> frozenset[str]:
        return frozenset(str(label["name"]).lower() for label in self._talk.pages("/labels"))

    def _rulesets(self) -> tuple[Ruleset, ...]:
        """The list tells names and ids, and each ruleset by itself what it says."""
        ids = [told["id"] for told in self._talk.pages("/rulesets", includes_parents="true")]
        return tuple(_ruleset(self._talk.get(f"/rulesets/{one}", includes_parents="true")) for one in ids)

    def _environment(self, name: str) -> Environment | None:
        """Looked for in the list: by its own address, one that is missing looks like one that may not be seen."""
        for told in self._items("/environments", "environments"):
            if told["name"] == name:
                return Environment(self._open_to(name, told.get("deployment_branch_policy")))
        return None

    def _open_to(self, name: str, policy: Mapping[str, bool] | None) -> tuple[str, ...] | None:
        if policy is None:
            return None
        if policy["protected_branches"]:
            return ("all protected branches",)
        found = self._items(f"/environments/{named(name)}/deployment-branch-policies", "branch_policies")
        return tuple(f"{one.get('type', 'branch')} {one['name']}" for one in found)

    def _workflows(self) -> dict[str, str]:
        found = self._items("/actions/workflows", "workflows")
        return {str(one["path"]).rpartition("/")[2]: str(one["state"]) for one in found}

    def _open(self, kind: str, hosted: Hosted) -> Names:
        """The repository's, and its organisation's that are open to it."""
        names = self._names(f"/actions/{kind}", kind, right=f"{kind}: read")
        if hosted.of_organisation:
            names |= self._names(f"/actions/organization-{kind}", kind, right=f"{kind}: read")
        return names

    def _inside(self, environment: str | None, kind: str) -> Names:
        if environment is None:
            return Names(frozenset())
        return self._names(f"{environment}/{kind}", kind, right="environments: read")

    def _names(self, path: str, kind: str, *, right: str) -> Names:
        found = _seen(lambda: frozenset(str(one["name"]) for one in self._items(path, kind)), right=right)
        return Names(frozenset(), found) if isinstance(found, Unseen) else Names(found)

    def _items(self, path: str, kind: str) -> Iterator[Any]:
        """All items of a list that comes with their number beside it."""
        page, told, total = 0, 0, 1
        while told < total:
            page += 1
            answer = self._talk.get(path, per_page=_PAGE, page=page)
            yield from answer[kind]
            told += len(answer[kind])
            total = answer.get("total_count", 0) if answer[kind] else 0

    def _create(self, path: str, given: dict[str, Any], *, right: str) -> None:
        """Make what has a name of its own: GitHub refuses a second one, also that of our own lost answer."""
        try:
            self._write("POST", path, given, right=right)
        except Refused as refused:
            if refused.status != _TAKEN or not self._is_there(path, given["name"]):
                raise

    def _is_there(self, path: str, name: str) -> bool:
        return any(str(one["name"]).lower() == name.lower() for one in self._talk.pages(path))

    def _write(self, verb: str, path: str, given: dict[str, Any], *, right: str) -> None:
        """Twice is once for all of these."""
        try:
            self._talk.write(verb, path, given, repeat=True)
        except Refused as refused:
            if refused.status not in _NO_RIGHT:
                raise
            mend = f"the token needs the right `{right}`; on a laptop: export GITHUB_TOKEN=$(gh auth token)"
            raise ForgeRefused(refused.problem, mend=mend) from None


def _ruleset(told: Mapping[str, Any]) -> Ruleset:
    return Ruleset(int(told["id"]) if told.get("source_type") == "Repository" else None, told)


def _seen(look: Callable[[], T], *, right: str) -> T | Unseen:
    try:
        return look()
    except Refused as refused:
        if refused.status == 403 and _UPGRADE in refused.said.lower():
            return Unseen(Why.PLAN, refused.said)
        known = refused.status in (*_NO_RIGHT, GRAPHQL)
        return Unseen(Why.RIGHT, right) if known else Unseen(Why.SILENCE, refused.problem)
    except SlipwayError as silent:
        return Unseen(Why.SILENCE, silent.problem)
