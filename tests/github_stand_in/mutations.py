"""The three GraphQL mutations that have no counterpart in REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.github_stand_in.store import Hosted

_NOWHERE = "0" * 40


def answer(hosted_by_node: Callable[[str], Hosted | None], body: dict[str, Any]) -> dict[str, Any]:
    """GraphQL answers 200 also when it refuses."""
    found = re.search(r"\{\s*(\w+)\(input: \$input\)", body["query"])
    given = body.get("variables", {}).get("input", {})
    node = given.get("repositoryId") or given.get("pullRequestId", "").removeprefix("P")
    hosted = hosted_by_node(node.split("#")[0])
    if found is None or found[1] not in _MUTATIONS:
        return _error("undefinedField", "Field doesn't exist on type 'Mutation'")
    if hosted is None:
        return _error("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")
    if not hosted.graphql_allowed:
        return _error("FORBIDDEN", "Resource not accessible by integration")
    return _MUTATIONS[found[1]](hosted, given, found[1])


def _update_refs(hosted: Hosted, given: dict[str, Any], name: str) -> dict[str, Any]:
    """All or none, each only from where its writer last saw it."""
    updates = given["refUpdates"]
    for update in updates:
        before, new = update.get("beforeOid"), update["afterOid"]
        there = hosted.find(update["name"], "commit") or _NOWHERE
        if before is not None and there != before:
            return _error("UNPROCESSABLE", f"{update['name']} was at {there}, not at {before}")
        if there != _NOWHERE and not update.get("force") and not hosted.is_ancestor(there, new):
            return _error("UNPROCESSABLE", f"{update['name']} is not a fast-forward")
    lines = [f"update {update['name']} {update['afterOid']} {update.get('beforeOid', '')}\n" for update in updates]
    if hosted.ask("update-ref", "--stdin", stdin="".join(lines).encode()).returncode:
        return _error("UNPROCESSABLE", "a ref moved meanwhile")
    return {"data": {name: {"clientMutationId": given.get("clientMutationId")}}}


def _draft(hosted: Hosted, given: dict[str, Any], name: str) -> dict[str, Any]:
    pull = hosted.threads[int(given["pullRequestId"].rpartition("#")[2])]
    wanted = name == "convertPullRequestToDraft"
    if pull.state != "open" or pull.draft == wanted:
        return _error("UNPROCESSABLE", "Pull request is not in a state that allows this")
    if wanted and not hosted.drafts_allowed:
        return _error("UNPROCESSABLE", "Draft pull requests are not supported in this repository")
    pull.draft = wanted
    return {"data": {name: {"clientMutationId": None, "pullRequest": {"isDraft": wanted}}}}


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"type": kind, "message": message}]}


_MUTATIONS = {
    "updateRefs": _update_refs,
    "convertPullRequestToDraft": _draft,
    "markPullRequestReadyForReview": _draft,
}
