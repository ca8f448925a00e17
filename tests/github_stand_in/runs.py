"""What workflows are and leave behind: runs, commit statuses, dispatches, deployments and releases."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.store import Hosted, Says, now

_MOST_INPUTS = 25


def create_status(ask: Ask) -> Answer:
    sha = ask.path["sha"]
    if not re.fullmatch("[0-9a-f]{40}", sha) or ask.hosted.find(sha, "commit") != sha:
        raise Says(422, f"No commit found for SHA: {sha}")
    if len(ask.body.get("description") or "") > 140:
        raise Says(422, "Validation Failed", {"resource": "Status", "field": "description", "code": "custom"})
    mark = {"context": "default", "description": None, "target_url": None, **ask.body, "created_at": now()}
    ask.hosted.statuses.setdefault(sha, []).insert(0, mark)
    return Answer(201, mark)


def list_statuses(ask: Ask) -> Answer:
    """Newest first, with those of the same context that came before."""
    commit = ask.hosted.commit_of(ask.path["ref"])
    if commit is None:
        raise Says(404, "Not Found")
    return Answer(200, ask.hosted.statuses.get(commit, []))


def combined_status(ask: Ask) -> Answer:
    commit = ask.hosted.commit_of(ask.path["ref"])
    if commit is None:
        raise Says(404, "Not Found")
    newest: dict[str, Any] = {}
    for mark in ask.hosted.statuses.get(commit, []):
        newest.setdefault(mark["context"], mark)
    states = {mark["state"] for mark in newest.values()}
    state = "failure" if states & {"failure", "error"} else ("success" if states == {"success"} else "pending")
    marks = [{"target_url": None, **mark} for mark in newest.values()]
    return Answer(200, {"state": state, "sha": commit, "statuses": marks, "total_count": len(marks)})


def workflow(ask: Ask) -> Answer:
    name = ask.path["workflow_id"]
    _workflow_file(ask.hosted, name, ask.hosted.default_branch)
    return Answer(
        200,
        {
            "id": 1,
            "path": f".github/workflows/{name}",
            "name": name,
            "url": f"{ask.hosted.api}/actions/workflows/{name}",
        },
    )


def dispatch_workflow(ask: Ask) -> Answer:
    """A workflow is found by its file's name, on the ref, and takes only the inputs that it declares."""
    name, inputs = ask.path["workflow_id"], ask.body.get("inputs", {})
    declared = _declared_inputs(_workflow_file(ask.hosted, name, ask.body["ref"]))
    unknown, missing = set(inputs) - set(declared), _required(declared) - set(inputs)
    if unknown or len(inputs) > _MOST_INPUTS:
        raise Says(422, f"Unexpected inputs provided: {sorted(unknown)}")
    if missing:
        raise Says(422, f"Required input '{min(missing)}' not provided")
    ask.hosted.dispatches.append({"workflow": name, "ref": ask.body["ref"], "inputs": dict(inputs)})
    return Answer(204)


def list_runs(ask: Ask) -> Answer:
    """Those of one file, newest first; the page lies inside the answer."""
    name = ask.path["workflow_id"]
    _workflow_file(ask.hosted, name, ask.hosted.default_branch)
    wanted = {field: ask.query[field] for field in ("status", "head_sha", "event") if field in ask.query}
    found = [run for run in ask.hosted.runs[::-1] if run["workflow"] == name and wanted.items() <= run.items()]
    size, page = int(ask.query.get("per_page", 30)), int(ask.query.get("page", 1))
    shown = [_run(ask.hosted, run) for run in found[(page - 1) * size : page * size]]
    return Answer(200, {"total_count": len(found), "workflow_runs": shown})


def run_again(ask: Ask) -> Answer:
    """One that ended, and not for ever."""
    run = next((one for one in ask.hosted.runs if str(one["id"]) == ask.path["run_id"]), None)
    if run is None:
        raise Says(404, "Not Found")
    if run["status"] != "completed":
        raise Says(403, "This workflow is already running")
    run.update(status="queued", conclusion=None, run_started_at=now())
    return Answer(201, {})


def dispatch_repository(ask: Ask) -> Answer:
    ask.hosted.dispatches.append(dict(ask.body))
    return Answer(204)


def list_deployments(ask: Ask) -> Answer:
    found = ask.hosted.deployments[::-1]
    for name in ("environment", "ref", "sha", "task"):
        found = [each for each in found if ask.query.get(name, each[name]) == each[name]]
    return Answer(200, [_shown(each) for each in found])


def create_deployment(ask: Ask) -> Answer:
    """With `required_contexts` left out, every status of the commit must be green."""
    commit = ask.hosted.commit_of(ask.body["ref"])
    if commit is None:
        raise Says(422, f"No ref found for: {ask.body['ref']}")
    marks = {mark["context"]: mark["state"] for mark in ask.hosted.statuses.get(commit, [])[::-1]}
    wanted = ask.body.get("required_contexts", list(marks))
    if any(marks.get(context) != "success" for context in wanted):
        raise Says(409, "Conflict: Commit status checks failed for this ref")
    plain: dict[str, Any] = {"task": "deploy", "environment": "production", "payload": {}, "description": None}
    known = {name: ask.body[name] for name in ("ref", *plain) if name in ask.body}
    made = {**plain, **known, "sha": commit, "id": len(ask.hosted.deployments) + 1, "states": []}
    made["url"] = f"{ask.hosted.api}/deployments/{made['id']}"
    ask.hosted.deployments.append(made)
    return Answer(201, _shown(made))


def list_deployment_statuses(ask: Ask) -> Answer:
    return Answer(200, _deployment(ask)["states"][::-1])


def create_deployment_status(ask: Ask) -> Answer:
    given = {
        name: ask.body[name] for name in ("state", "description", "environment_url", "log_url") if name in ask.body
    }
    state = {"description": "", **given}
    _deployment(ask)["states"].append(state)
    return Answer(201, state)


def list_releases(ask: Ask) -> Answer:
    return Answer(200, ask.hosted.releases[::-1])


def create_release(ask: Ask) -> Answer:
    """A tag that is not there is made, at the head of the default branch."""
    tag = ask.body["tag_name"]
    if any(release["tag_name"] == tag for release in ask.hosted.releases):
        raise Says(422, "Validation Failed", {"resource": "Release", "code": "already_exists", "field": "tag_name"})
    if ask.hosted.find(f"refs/tags/{tag}", "commit") is None:
        ask.hosted.git("update-ref", f"refs/tags/{tag}", f"refs/heads/{ask.hosted.default_branch}")
    release: dict[str, Any] = {
        "id": len(ask.hosted.releases) + 1,
        "url": f"{ask.hosted.api}/releases/{len(ask.hosted.releases) + 1}",
        "html_url": f"https://github.com/{ask.hosted.name}/releases/tag/{tag}",
        "tag_name": tag,
        "name": ask.body.get("name", tag),
        "body": ask.body.get("body"),
        "draft": ask.body.get("draft", False),
        "prerelease": ask.body.get("prerelease", False),
    }
    ask.hosted.releases.append(release)
    return Answer(201, release)


def release_by_tag(ask: Ask) -> Answer:
    for release in ask.hosted.releases:
        if release["tag_name"] == ask.path["tag"]:
            return Answer(200, release)
    raise Says(404, "Not Found")


def update_release(ask: Ask) -> Answer:
    for release in ask.hosted.releases:
        if release["id"] == ask.number("release_id"):
            release.update(
                {name: ask.body[name] for name in ("name", "body", "draft", "prerelease") if name in ask.body}
            )
            return Answer(200, release)
    raise Says(404, "Not Found")


def _workflow_file(hosted: Hosted, name: str, ref: str) -> dict[Any, Any]:
    blob = hosted.blob_at(ref, f".github/workflows/{name}")
    if blob is None:
        raise Says(404, "Not Found")
    loaded: dict[Any, Any] = yaml.safe_load(hosted.git("cat-file", "blob", blob))
    return loaded


def _declared_inputs(file: dict[Any, Any]) -> dict[str, Any]:
    """YAML 1.1 reads the key `on` as true."""
    triggers = file.get("on", file.get(True))
    if "workflow_dispatch" not in (triggers or {}):
        raise Says(422, "Workflow does not have 'workflow_dispatch' trigger")
    event = triggers["workflow_dispatch"] if isinstance(triggers, dict) else None
    return dict((event or {}).get("inputs") or {})


def _required(declared: dict[str, Any]) -> set[str]:
    return {name for name, about in declared.items() if (about or {}).get("required") and "default" not in about}


def _deployment(ask: Ask) -> dict[str, Any]:
    for deployment in ask.hosted.deployments:
        if deployment["id"] == ask.number("deployment_id"):
            return deployment
    raise Says(404, "Not Found")


def _run(hosted: Hosted, run: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": run["id"],
        "status": run["status"],
        "display_title": run["title"],
        "path": f".github/workflows/{run['workflow']}",
        "html_url": f"https://github.com/{hosted.name}/actions/runs/{run['id']}",
        **{name: run[name] for name in ("head_sha", "event", "conclusion", "run_started_at") if name in run},
    }


def _shown(deployment: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in deployment.items() if name != "states"}


ROUTES: Routes = {
    ("POST", "/statuses/{sha}"): create_status,
    ("GET", "/commits/{ref}/statuses"): list_statuses,
    ("GET", "/commits/{ref}/status"): combined_status,
    ("GET", "/actions/workflows/{workflow_id}"): workflow,
    ("POST", "/actions/workflows/{workflow_id}/dispatches"): dispatch_workflow,
    ("GET", "/actions/workflows/{workflow_id}/runs"): list_runs,
    ("POST", "/actions/runs/{run_id}/rerun"): run_again,
    ("POST", "/dispatches"): dispatch_repository,
    ("GET", "/deployments"): list_deployments,
    ("POST", "/deployments"): create_deployment,
    ("GET", "/deployments/{deployment_id}/statuses"): list_deployment_statuses,
    ("POST", "/deployments/{deployment_id}/statuses"): create_deployment_status,
    ("GET", "/releases"): list_releases,
    ("POST", "/releases"): create_release,
    ("GET", "/releases/tags/{tag}"): release_by_tag,
    ("PATCH", "/releases/{release_id}"): update_release,
}
