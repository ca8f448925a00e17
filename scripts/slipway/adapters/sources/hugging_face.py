"""A repository of models on Hugging Face's hub, or a folder in one: `hf://owner/name@revision/path`.

A revision is a branch, a tag or a commit; the branch `main` without one. A token comes from HF_TOKEN.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from slipway.adapters.sources.fetched import Fetched, place_below, too_many_bytes, too_many_files
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused

requirements: str | None = "sources"
_QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "60"}


class _Named(NamedTuple):
    """What an address of the hub names; `path` is empty for the whole repository."""

    repository: str
    revision: str
    path: str


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the files of the commit that the revision is now."""
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    from huggingface_hub import HfApi  # noqa: PLC0415 - in this environment alone, and it reads the variables now

    named, hub = _named(address), HfApi()
    commit = str(hub.repo_info(named.repository, revision=named.revision).sha)
    sizes = _sizes(hub, named, commit, limit)
    if not sizes:
        raise SourceRefused(f"{address} holds no file", mend="correct `source` in model.yaml")
    if sum(sizes.values()) > limit.bytes:
        raise too_many_bytes(limit)
    aside = into.parent / "hub"  # where its client keeps notes of its own
    for name in sizes:
        rest = name.removeprefix(named.path).strip("/") if named.path else name
        target = place_below(into, rest or name.rpartition("/")[2])
        shutil.move(hub.hf_hub_download(named.repository, name, revision=commit, local_dir=aside), target)
    return Fetched(resolved=f"hf://{named.repository}@{commit}{'/' + named.path if named.path else ''}")


def _named(address: SourceAddress) -> _Named:
    owner, _, rest = address.text.removeprefix("hf://").partition("/")
    first, _, path = rest.partition("/")
    name, _, revision = first.partition("@")
    return _Named(f"{owner}/{name}", unquote(revision) or "main", path.strip("/"))


def _sizes(hub: Any, named: _Named, commit: str, limit: SourceLimit) -> dict[str, int]:
    """Of each file of the repository that is meant, by its path there; a listing is read no further than the limit."""
    top, sizes = named.path, dict[str, int]()
    for one in hub.list_repo_tree(named.repository, revision=commit, recursive=True):
        path = str(one.path)
        if hasattr(one, "size") and (not top or path == top or path.startswith(f"{top}/")):
            sizes[path] = int(one.size)
        if len(sizes) > limit.files:
            raise too_many_files(limit)
    return dict(sorted(sizes.items()))
