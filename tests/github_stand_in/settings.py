"""Settings of a repository: rulesets, environments, names of variables and secrets, states of workflows."""

from __future__ import annotations

from typing import Any

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.git_data import repository_fields
from tests.github_stand_in.store import Says
from tests.github_stand_in.switches import Environment

_ROLES = ("pull", "triage", "push", "maintain", "admin")
_MOST_VARIABLES = 30  # at once, whatever is asked for


def one_repository(ask: Ask) -> Answer:
    switches, fields = ask.hosted.switches, repository_fields(ask.hosted)
    held = _ROLES[: _ROLES.index(switches.role) + 1]
    fields["owner"] |= {"type": "Organization" if switches.of_organisation else "User"}
    return Answer(200, {**fields, "private": switches.private, "permissions": {role: role in held for role in _ROLES}})


def workflow_permissions(ask: Ask) -> Answer:
    _need(ask, "administration")
    allowed = ask.hosted.switches.actions_open_pulls
    return Answer(200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": allowed})


def list_rulesets(ask: Ask) -> Answer:
    _need_plan(ask)
    shown = ("id", "name", "target", "source_type", "source", "enforcement")
    return Answer(200, [{name: one[name] for name in shown} for one in _rulesets(ask)])


def one_ruleset(ask: Ask) -> Answer:
    """Who may not write it is not shown who may bypass it."""
    _need_plan(ask)
    found = _ruleset(ask)
    if "administration" in ask.hosted.switches.withheld:
        found = {name: value for name, value in found.items() if name != "bypass_actors"}
    return Answer(200, found)


def create_ruleset(ask: Ask) -> Answer:
    _need_plan(ask)
    _need(ask, "administration")
    _refuse_taken(ask)
    numbers = [one["id"] for one in ask.hosted.switches.rulesets]
    own = {"id": max(numbers, default=0) + 1, "source_type": "Repository", "source": ask.hosted.name}
    ask.hosted.switches.rulesets.append({**_said(ask.body), **own})
    return Answer(201, ask.hosted.switches.rulesets[-1])


def update_ruleset(ask: Ask) -> Answer:
    _need_plan(ask)
    _need(ask, "administration")
    found = _ruleset(ask)
    if found["source_type"] != "Repository":
        raise Says(404, "Not Found")
    _refuse_taken(ask, but=found["id"])
    found.update(_said(ask.body))
    return Answer(200, found)


def list_environments(ask: Ask) -> Answer:
    _need(ask, "actions")
    found = ask.hosted.switches.environments
    fields = [
        {
            "id": number,
            "node_id": f"EN_{name}",
            "name": name,
            "url": f"{ask.hosted.api}/environments/{name}",
            "html_url": f"https://github.com/{ask.hosted.name}/deployments/activity_log?environments_filter={name}",
            "deployment_branch_policy": one.policy,
        }
        for number, (name, one) in enumerate(sorted(found.items()), start=1)
    ]
    return _wrapped(ask, "environments", fields)


def list_branch_policies(ask: Ask) -> Answer:
    _need(ask, "actions")
    fields = [{"type": kind, "name": name} for kind, name in _environment(ask).branches]
    return _wrapped(ask, "branch_policies", fields)


def list_workflows(ask: Ask) -> Answer:
    """Those of the default branch."""
    _need(ask, "actions")
    hosted, folder = ask.hosted, ".github/workflows"
    tree = hosted.ask("ls-tree", "--name-only", f"{hosted.default_branch}:{folder}")
    names = [] if tree.returncode else tree.stdout.decode().splitlines()
    fields = [
        {
            "id": number,
            "path": f"{folder}/{name}",
            "name": name,
            "state": hosted.switches.workflow_states.get(name, "active"),
        }
        for number, name in enumerate(names, start=1)
    ]
    return _wrapped(ask, "workflows", fields)


def list_variables(ask: Ask) -> Answer:
    _need(ask, "variables")
    return _variables(ask, ask.hosted.switches.variables)


def list_organisation_variables(ask: Ask) -> Answer:
    _need(ask, "variables")
    return _variables(ask, ask.hosted.switches.organisation_variables)


def list_environment_variables(ask: Ask) -> Answer:
    _need(ask, "environments")
    return _variables(ask, _environment(ask).variables)


def list_secrets(ask: Ask) -> Answer:
    _need(ask, "secrets")
    return _secrets(ask, ask.hosted.switches.secrets)


def list_organisation_secrets(ask: Ask) -> Answer:
    _need(ask, "secrets")
    return _secrets(ask, ask.hosted.switches.organisation_secrets)


def list_environment_secrets(ask: Ask) -> Answer:
    _need(ask, "environments")
    return _secrets(ask, _environment(ask).secrets)


def _need(ask: Ask, right: str) -> None:
    if right in ask.hosted.switches.withheld:
        raise Says(403, "Resource not accessible by integration")


def _need_plan(ask: Ask) -> None:
    if ask.hosted.switches.private and ask.hosted.switches.free_plan:
        raise Says(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.")


def _rulesets(ask: Ask) -> list[dict[str, Any]]:
    with_parents = ask.query.get("includes_parents", "true") == "true"
    return [one for one in ask.hosted.switches.rulesets if with_parents or one["source_type"] == "Repository"]


def _ruleset(ask: Ask) -> dict[str, Any]:
    for one in _rulesets(ask):
        if one["id"] == ask.number("ruleset_id"):
            return one
    raise Says(404, "Not Found")


def _refuse_taken(ask: Ask, *, but: int | None = None) -> None:
    for one in ask.hosted.switches.rulesets:
        if (one["source_type"], one["name"]) == ("Repository", ask.body["name"]) and one["id"] != but:
            taken = {"resource": "RepositoryRuleset", "code": "custom", "message": "Name must be unique"}
            raise Says(422, "Validation Failed", taken)


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """GitHub gives each parameter that was left to it a value of its own."""
    rules = [
        {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}}
        if rule == {"type": "update"}
        else rule
        for rule in body.get("rules", [])
    ]
    return {"target": "branch", "bypass_actors": [], **body, "rules": rules}


def _environment(ask: Ask) -> Environment:
    found = ask.hosted.switches.environments.get(ask.path["environment_name"])
    if found is None:
        raise Says(404, "Not Found")
    return found


def _variables(ask: Ask, names: set[str]) -> Answer:
    return _wrapped(ask, "variables", [{"name": name, "value": "set"} for name in sorted(names)], most=_MOST_VARIABLES)


def _secrets(ask: Ask, names: set[str]) -> Answer:
    return _wrapped(ask, "secrets", [{"name": name} for name in sorted(names)])


def _wrapped(ask: Ask, name: str, items: list[dict[str, Any]], *, most: int = 100) -> Answer:
    size, page = min(int(ask.query.get("per_page", 30)), most), int(ask.query.get("page", 1))
    return Answer(200, {"total_count": len(items), name: items[(page - 1) * size : page * size]})


ROUTES: Routes = {
    ("GET", ""): one_repository,
    ("GET", "/actions/permissions/workflow"): workflow_permissions,
    ("GET", "/rulesets"): list_rulesets,
    ("POST", "/rulesets"): create_ruleset,
    ("GET", "/rulesets/{ruleset_id}"): one_ruleset,
    ("PUT", "/rulesets/{ruleset_id}"): update_ruleset,
    ("GET", "/environments"): list_environments,
    ("GET", "/environments/{environment_name}/deployment-branch-policies"): list_branch_policies,
    ("GET", "/environments/{environment_name}/variables"): list_environment_variables,
    ("GET", "/environments/{environment_name}/secrets"): list_environment_secrets,
    ("GET", "/actions/workflows"): list_workflows,
    ("GET", "/actions/variables"): list_variables,
    ("GET", "/actions/secrets"): list_secrets,
    ("GET", "/actions/organization-variables"): list_organisation_variables,
    ("GET", "/actions/organization-secrets"): list_organisation_secrets,
}
