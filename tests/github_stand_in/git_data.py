"""Refs, commits, trees, blobs, tags, comparisons and contents, by git itself."""

from __future__ import annotations

import base64
import datetime
import tempfile
from pathlib import Path
from typing import Any

from tests.github_stand_in.asking import Answer, Ask, Routes
from tests.github_stand_in.store import WEB_FLOW, Hosted, Says, bot


def repository_fields(hosted: Hosted) -> dict[str, Any]:
    owner, name = hosted.name.split("/")
    return {
        "id": 1,
        "node_id": f"R_{hosted.name}",
        "name": name,
        "full_name": hosted.name,
        "owner": {"login": owner, "id": 1},
        "default_branch": hosted.default_branch,
        "url": hosted.api,
    }


def matching_refs(ask: Ask) -> Answer:
    """All refs whose name begins so; none is no error."""
    refs = ask.hosted.line("for-each-ref", "--format=%(refname)").splitlines()
    return Answer(200, [_ref(ask.hosted, ref) for ref in refs if ref.startswith(f"refs/{ask.path['ref']}")])


def one_ref(ask: Ask) -> Answer:
    return Answer(200, _ref(ask.hosted, _known_ref(ask, 404, "Not Found")))


def create_ref(ask: Ask) -> Answer:
    ref, sha = ask.body["ref"], ask.body["sha"]
    if not ref.startswith("refs/") or ask.hosted.ask("check-ref-format", ref).returncode:
        raise Says(422, "Reference name is invalid")
    _refuse_unknown(ask.hosted, sha, "Object does not exist")
    if ask.hosted.ask("update-ref", ref, sha, "0" * 40).returncode:
        taken = not ask.hosted.ask("show-ref", "--verify", "--quiet", ref).returncode
        raise Says(422, "Reference already exists" if taken else "Reference name is invalid")
    return Answer(201, _ref(ask.hosted, ref))


def update_ref(ask: Ask) -> Answer:
    ref = _known_ref(ask, 422, "Reference does not exist")
    sha, before = ask.body["sha"], ask.hosted.line("rev-parse", ref)
    _refuse_unknown(ask.hosted, sha, "Object does not exist")
    if not ask.body.get("force") and not ask.hosted.is_ancestor(before, sha):
        raise Says(422, "Update is not a fast forward")
    if ask.hosted.ask("update-ref", ref, sha, before).returncode:
        raise Says(422, "Reference update failed")
    return Answer(200, _ref(ask.hosted, ref))


def delete_ref(ask: Ask) -> Answer:
    ask.hosted.git("update-ref", "-d", _known_ref(ask, 422, "Reference does not exist"))
    return Answer(204)


def one_commit(ask: Ask) -> Answer:
    sha = ask.path["commit_sha"]
    if ask.hosted.find(sha, "commit") != sha:
        raise Says(404, "Not Found")
    return Answer(200, _commit(ask.hosted, sha))


def create_commit(ask: Ask) -> Answer:
    """Without author and committer, GitHub takes the token's user, and signs what bots commit."""
    tree, parents = ask.body["tree"], ask.body.get("parents", [])
    if ask.hosted.find(tree, "tree") != tree:
        raise Says(422, "Tree SHA does not exist")
    for parent in parents:
        _refuse_unknown(ask.hosted, parent, "Parent SHA does not exist or is not a commit object")
    author, committer = bot(ask.login), WEB_FLOW
    if given := ask.body.get("author"):
        author = committer = (given["name"], given["email"])
    sha = ask.hosted.write_commit(tree, parents, ask.body["message"], author=author, committer=committer)
    return Answer(201, _commit(ask.hosted, sha))


def one_tree(ask: Ask) -> Answer:
    tree = ask.hosted.find(ask.path["tree_sha"], "tree")
    if tree is None:
        raise Says(404, "Not Found")
    return Answer(200, _tree(ask.hosted, tree, recursive="recursive" in ask.query))


def create_tree(ask: Ask) -> Answer:
    base = ask.body.get("base_tree")
    if base is not None and ask.hosted.find(base, "tree") is None:
        raise Says(404, "Not Found")
    if not ask.body["tree"]:
        raise Says(422, "Invalid tree info")
    with tempfile.TemporaryDirectory(prefix="stand-in-index-") as scratch:
        index = str(Path(scratch) / "index")
        if base is not None:
            ask.hosted.git("read-tree", base, GIT_INDEX_FILE=index)
        lines = [_index_line(ask.hosted, entry, base) for entry in ask.body["tree"]]
        ask.hosted.git("update-index", "-z", "--index-info", stdin="".join(lines).encode(), GIT_INDEX_FILE=index)
        tree = ask.hosted.git("write-tree", GIT_INDEX_FILE=index).decode().strip()
    return Answer(201, _tree(ask.hosted, tree, recursive=False))


def one_blob(ask: Ask) -> Answer:
    sha = ask.path["file_sha"]
    if ask.hosted.find(sha, "blob") != sha:
        raise Says(404, "Not Found")
    content = ask.hosted.git("cat-file", "blob", sha)
    text = base64.encodebytes(content).decode()
    return Answer(200, {"sha": sha, "size": len(content), "encoding": "base64", "content": text})


def create_blob(ask: Ask) -> Answer:
    content, encoding = ask.body["content"], ask.body.get("encoding", "utf-8")
    data = base64.b64decode(content) if encoding == "base64" else content.encode()
    return Answer(201, {"sha": _write_blob(ask.hosted, data)})


def one_tag(ask: Ask) -> Answer:
    sha = ask.path["tag_sha"]
    if ask.hosted.find(sha, "tag") != sha:
        raise Says(404, "Not Found")
    head, _, message = ask.hosted.git("cat-file", "tag", sha).decode().partition("\n\n")
    about = dict(line.split(" ", 1) for line in head.splitlines())
    who, _, when = about["tagger"].rpartition("> ")
    name, _, email = who.partition(" <")
    return Answer(200, {
        "sha": sha,
        "tag": about["tag"],
        "message": message,
        "tagger": {"name": name, "email": email, "date": _utc(int(when.split()[0]))},
        "object": {"type": about["type"], "sha": about["object"]},
    })  # fmt: skip


def compare(ask: Ask) -> Answer:
    """What `head` has beyond the merge base, oldest first; GitHub pages the commits, and the first page has files."""
    base, _, head = ask.path["basehead"].partition("...")
    commits = [ask.hosted.commit_of(name) for name in (base, head)]
    if None in commits:
        raise Says(404, "Not Found")
    old, new = map(str, commits)
    common = ask.hosted.ask("merge-base", old, new).stdout.decode().strip()
    if not common:
        raise Says(404, f"No common ancestor between {base} and {head}.")
    shas = ask.hosted.line("rev-list", "--reverse", "--topo-order", new, f"^{old}").split()
    size, page = int(ask.query.get("per_page", 250)), int(ask.query.get("page", 1))
    behind = int(ask.hosted.line("rev-list", "--count", old, f"^{new}"))
    return Answer(200, {
        "status": _relation(len(shas), behind),
        "ahead_by": len(shas),
        "behind_by": behind,
        "total_commits": len(shas),
        "commits": [_listed_commit(ask.hosted, sha) for sha in shas[(page - 1) * size : page * size]],
        "files": changed_files(ask.hosted, common, new) if page == 1 else [],
    })  # fmt: skip


def commit_of_ref(ask: Ask) -> Answer:
    commit = ask.hosted.commit_of(ask.path["ref"])
    if commit is None:
        raise Says(422, f"No commit found for SHA: {ask.path['ref']}")
    return Answer(200, _listed_commit(ask.hosted, commit))


def contents(ask: Ask) -> Answer:
    commit = ask.hosted.commit_of(ask.query.get("ref", "HEAD"))
    if commit is None:
        raise Says(404, f"No commit found for the ref {ask.query.get('ref')}")
    path = ask.path["path"].strip("/")
    entries = _entries(ask.hosted, commit, f"{path}/") if path else _entries(ask.hosted, commit)
    if entries:
        return Answer(200, [_content(entry) for entry in entries])
    for entry in _entries(ask.hosted, commit, path):
        data = ask.hosted.git("cat-file", "blob", entry["sha"])
        return Answer(200, {**_content(entry), "encoding": "base64", "content": base64.encodebytes(data).decode()})
    raise Says(404, "Not Found")


def changed_files(hosted: Hosted, old: str, new: str) -> list[dict[str, Any]]:
    words = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
    records = hosted.git("diff", "--no-renames", "--name-status", "-z", old, new).decode().split("\0")
    return [
        {"filename": name, "status": words[kind], "sha": hosted.blob_at(new, name)}
        for kind, name in zip(records[::2], records[1::2], strict=False)
        if kind
    ]


def _known_ref(ask: Ask, status: int, message: str) -> str:
    ref = f"refs/{ask.path['ref']}"
    if ask.hosted.ask("show-ref", "--verify", "--quiet", ref).returncode:
        raise Says(status, message)
    return ref


def _refuse_unknown(hosted: Hosted, sha: str, message: str) -> None:
    if hosted.find(sha, "commit") != sha:
        raise Says(422, message)


def _ref(hosted: Hosted, ref: str) -> dict[str, Any]:
    sha = hosted.line("rev-parse", ref)
    kind = hosted.line("cat-file", "-t", sha)
    return {"ref": ref, "url": f"{hosted.api}/git/{ref}", "object": {"type": kind, "sha": sha}}


def _commit(hosted: Hosted, sha: str) -> dict[str, Any]:
    return {
        "sha": sha,
        "tree": {"sha": hosted.line("rev-parse", f"{sha}^{{tree}}")},
        "parents": [{"sha": parent} for parent in hosted.line("log", "-1", "--format=%P", sha).split()],
        **_about(hosted, sha),
    }


def _listed_commit(hosted: Hosted, sha: str) -> dict[str, Any]:
    return {
        "sha": sha,
        "url": f"{hosted.api}/commits/{sha}",
        "commit": {**_about(hosted, sha), "tree": {"sha": hosted.line("rev-parse", f"{sha}^{{tree}}")}},
        "author": None,
        "committer": None,
        "parents": [{"sha": parent} for parent in hosted.line("log", "-1", "--format=%P", sha).split()],
    }


def _about(hosted: Hosted, sha: str) -> dict[str, Any]:
    form = "--format=%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
    fields = hosted.git("log", "-1", form, sha).decode(errors="replace").split("\0")
    people = [
        {"name": name, "email": email, "date": _utc(int(when))} for name, email, when in (fields[:3], fields[3:6])
    ]
    return {"author": people[0], "committer": people[1], "message": fields[6].rstrip("\n")}


def _tree(hosted: Hosted, tree: str, *, recursive: bool) -> dict[str, Any]:
    entries = _entries(hosted, tree, *(["-r", "-t"] if recursive else []))
    return {"sha": tree, "truncated": len(entries) > hosted.most_entries, "tree": entries[: hosted.most_entries]}


def _entries(hosted: Hosted, tree: str, *flags: str) -> list[dict[str, Any]]:
    options = [flag for flag in flags if flag.startswith("-r") or flag == "-t"]
    paths = [flag for flag in flags if flag not in options]
    out = hosted.git("ls-tree", "-z", "-l", "--full-tree", *options, tree, *paths).decode()
    return [_entry(record) for record in out.split("\0") if record]


def _entry(record: str) -> dict[str, Any]:
    about, path = record.split("\t", 1)
    mode, kind, sha, size = about.split()
    entry: dict[str, Any] = {"path": path, "mode": mode, "type": kind, "sha": sha}
    return entry if size == "-" else {**entry, "size": int(size)}


def _content(entry: dict[str, Any]) -> dict[str, Any]:
    kind = "file" if entry["type"] == "blob" else "dir"
    name = entry["path"].rsplit("/", 1)[-1]
    return {"type": kind, "name": name, "path": entry["path"], "sha": entry["sha"], "size": entry.get("size", 0)}


def _index_line(hosted: Hosted, entry: dict[str, Any], base: str | None) -> str:
    path = entry["path"]
    if "content" in entry:
        return f"{entry['mode']} {_write_blob(hosted, entry['content'].encode())}\t{path}\0"
    if entry["sha"] is None:
        if base is None or hosted.blob_at(base, path) is None:
            raise Says(422, "GitRPC::BadObjectState")
        return f"0 {'0' * 40}\t{path}\0"
    if hosted.ask("cat-file", "-e", entry["sha"]).returncode:
        raise Says(422, f"tree.sha {entry['sha']} is not a valid {entry['type']}")
    return f"{entry['mode']} {entry['sha']}\t{path}\0"


def _write_blob(hosted: Hosted, data: bytes) -> str:
    return hosted.git("hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else ("behind" if behind else "identical")


def _utc(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES: Routes = {
    ("GET", "/git/matching-refs/{ref}"): matching_refs,
    ("GET", "/git/ref/{ref}"): one_ref,
    ("POST", "/git/refs"): create_ref,
    ("PATCH", "/git/refs/{ref}"): update_ref,
    ("DELETE", "/git/refs/{ref}"): delete_ref,
    ("GET", "/git/commits/{commit_sha}"): one_commit,
    ("POST", "/git/commits"): create_commit,
    ("GET", "/git/trees/{tree_sha}"): one_tree,
    ("POST", "/git/trees"): create_tree,
    ("GET", "/git/blobs/{file_sha}"): one_blob,
    ("POST", "/git/blobs"): create_blob,
    ("GET", "/git/tags/{tag_sha}"): one_tag,
    ("GET", "/compare/{basehead}"): compare,
    ("GET", "/contents/{path}"): contents,
    ("GET", "/commits/{ref}"): commit_of_ref,
}
