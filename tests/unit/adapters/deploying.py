"""A default branch on which people and Slipway change a manifest, in each of the ways to merge a request."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters import git, manifests
from slipway.domain.settings import RolloutEngine

PATH = "deploy/production/tip/kustomization.yaml"
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
SLIPWAY = "slipway@localhost"
_EMPTY = manifests.new_manifest("tip", environment="production", engine=RolloutEngine.KUBERNETES)


def manifest(digest: str, *, canary: str | None = None, more: str = "") -> bytes:
    """What a release writes, versions called by the digit of their digests."""
    whole = manifests.set_image(_EMPTY, **_image(digest))
    named = whole if canary is None else manifests.set_canary(whole, **_image(canary))
    return named + more.encode()


def begin(folder: Path) -> Path:
    git.run("init", "--quiet", "--initial-branch=main", cwd=folder)
    return folder


def commit(repository: Path, content: bytes | None, message: str, *, by: str, email: str = "a@b.c") -> str:
    """Let the manifest hold this, or none be there; returns the commit."""
    path = repository / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True) if content is None else path.write_bytes(content)
    git.run("add", "--all", cwd=repository)
    _as(by, email, repository, "commit", "--quiet", "-m", message)
    return git.head_commit(repository)


def merge(repository: Path, content: bytes, number: int, *, by: str) -> str:
    """As GitHub's button does: a commit of Slipway on a branch, and a merge commit of the person, which is returned."""
    git.run("switch", "--quiet", "--create", f"request-{number}", cwd=repository)
    commit(repository, content, "Release", by="Slipway", email=SLIPWAY)
    git.run("switch", "--quiet", "main", cwd=repository)
    message = f"Merge pull request #{number} from waiters/release/production/tip/v1.0.0"
    _as(by, "a@b.c", repository, "merge", "--quiet", "--no-ff", "-m", message, f"request-{number}")
    return git.head_commit(repository)


def _as(by: str, email: str, repository: Path, *words: str) -> None:
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", by), ("EMAIL", email))
    }
    git.run(*words, cwd=repository, environment=who)


def _image(digest: str) -> dict[str, str]:
    return {"name": "tip", "new_name": "r.example:5000/tip", "tag": f"v{digest[-1]}.0.0", "digest": digest}
