"""`models:/name/3`, `models:/name@alias` and `runs:/RUN/path` of an MLflow server, and what its run tells.

An alias is resolved to the version that it names now, once; files come from the tracking server itself
(`mlflow server --serve-artifacts`) or from a store whose library is installed.
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from slipway.adapters import mlflow_server
from slipway.adapters.mlflow_server import asking
from slipway.adapters.sources import mlflow_folder
from slipway.adapters.sources.fetched import Fetched, place_below, too_many_bytes, too_many_files
from slipway.domain.origin import Dataset, Training
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused

requirements: str | None = "sources"
_VERSION = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>[0-9]+)")
_ALIAS = re.compile(r"models:/(?P<name>[^/@]+)@(?P<alias>[^/@]+)")
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/(?P<path>.+)")
_PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_UNFINISHED = ".fetching"


@dataclass(frozen=True, slots=True)
class _Found:
    """What an address means now: `root` is what its files are listed of, `below` their common path in there."""

    resolved: str
    root: str
    below: str
    run: str | None
    name: str | None = None
    version: str | None = None


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the model's own files below `into`; of a model folder, those that a converter reads.

    Raises:
        SourceRefused: the address means nothing there, or what lies there is nothing that a converter reads.
        TrackingServerRefused: the server does not have it, or does not know who asks.
        Unreachable: it does not answer.
    """
    host = mlflow_server.host_of(os.environ)
    client = mlflow_server.client(_PATIENT)
    with asking(host, address.text), _without_other_libraries(host):
        found = _found(client, address)
        repository = _repository(found.root, host)
        files = _bounded(_listed(repository, found.below, limit), limit)
        if not files:
            raise SourceRefused(
                f"{address} holds no file", mend="name a model's folder or file that the run logged, as MLflow shows it"
            )
        _download(repository, files, found, into=into, limit=limit)
        return Fetched(found.resolved, _training(client, found, host))


def _found(client: Any, address: SourceAddress) -> _Found:
    if match := _RUN.fullmatch(address.text):
        below = match["path"].strip("/")
        return _Found(f"runs:/{match['run']}/{below}", f"runs:/{match['run']}", below, match["run"])
    if match := _VERSION.fullmatch(address.text):
        told = client.get_model_version(match["name"], match["version"])
    elif match := _ALIAS.fullmatch(address.text):
        told = client.get_model_version_by_alias(match["name"], match["alias"])
    else:
        raise SourceRefused(
            f"`{address}` names no version",
            mend="write models:/NAME/3 or models:/NAME@ALIAS; a stage and `latest` mean another version tomorrow",
        )
    uri = f"models:/{told.name}/{told.version}"
    return _Found(uri, uri, "", told.run_id or None, told.name, str(told.version))


@contextmanager
def _without_other_libraries(host: str) -> Iterator[None]:
    """The client imports that of a store when it is first asked for something."""
    try:
        yield
    except ImportError as error:
        raise SourceRefused(
            f"the MLflow server {host} keeps files where its client needs `{error.name}`, which is not installed",
            mend="start it with --serve-artifacts, so that files come by way of the server",
        ) from error


def _repository(root: str, host: str) -> Any:
    """Where the files lie, which whoever may edit a run or a version says: on that server, or in a store."""
    registry = import_module("mlflow.store.artifact.artifact_repository_registry")
    repository = registry.get_artifact_repository(root)
    innermost = repository
    while hasattr(innermost, "repo"):  # a version's, which is a run's, which is a store's
        innermost = innermost.repo
    _refuse_a_folder(innermost, host)
    _refuse_to_show_a_secret(innermost, host)
    return repository


def _refuse_a_folder(repository: Any, host: str) -> None:
    """A path on the server's own machine would be looked for on ours."""
    if isinstance(repository, import_module("mlflow.store.artifact.local_artifact_repo").LocalArtifactRepository):
        raise SourceRefused(
            f"the MLflow server {host} keeps the files in a folder of its own machine",
            mend="start it with --serve-artifacts and --artifacts-destination, so that files come by way of the server",
        )


def _refuse_to_show_a_secret(repository: Any, host: str) -> None:
    """The client shows what is for the tracking server to any other that is named as the place of files."""
    if not isinstance(repository, import_module("mlflow.store.artifact.http_artifact_repo").HttpArtifactRepository):
        return
    there, server = urlsplit(repository.artifact_uri), urlsplit(os.environ[mlflow_server.ADDRESS])
    same = (there.scheme, there.netloc) == (server.scheme, server.netloc)
    if not same and any(os.environ.get(name) for name in mlflow_server.SECRETS):
        raise SourceRefused(
            f"the MLflow server {host} says that the files lie on {there.hostname}:{there.port or there.scheme}, which "
            "would be shown the credentials for the former",
            mend="let the server hand out files itself (--serve-artifacts), by an experiment with no other "
            "artifact location",
        )


def _listed(repository: Any, below: str, limit: SourceLimit) -> Iterator[tuple[str, int]]:
    """Path and bytes of each file under `below`, or of that file itself.

    Raises:
        SourceRefused: more folders than files are allowed; a server may have each hold another one.
    """
    waiting, asked = [below], 0
    while waiting:
        asked += 1
        if asked > limit.files:
            raise too_many_files(limit)
        for one in _at(repository, waiting.pop()):
            if one.is_dir:
                waiting.append(one.path)
            else:
                yield one.path, int(one.file_size or 0)


def _at(repository: Any, path: str) -> Sequence[Any]:
    there: Sequence[Any] = repository.list_artifacts(path or None)
    if there or not path:
        return there
    beside = repository.list_artifacts(path.rpartition("/")[0] or None)
    return [one for one in beside if one.path == path and not one.is_dir]


def _bounded(listed: Iterator[tuple[str, int]], limit: SourceLimit) -> dict[str, int]:
    """A listing without an end is not read to it.

    Raises:
        SourceRefused: more files than the limit allows.
    """
    files: dict[str, int] = {}
    for path, size in listed:
        files[path] = size
        if len(files) > limit.files:
            raise too_many_files(limit)
    return files


def _download(repository: Any, files: Mapping[str, int], found: _Found, *, into: Path, limit: SourceLimit) -> None:
    unfinished = into / _UNFINISHED
    unfinished.mkdir()
    try:
        wanted = _wanted(repository, files, found.below, unfinished)
        if sum(files[path] for path in wanted) > limit.bytes:
            raise too_many_bytes(limit)
        for path, name in wanted.items():
            shutil.move(_downloaded(repository, path, unfinished), place_below(into, name))
    finally:
        shutil.rmtree(unfinished)
    if sum(path.stat().st_size for path in into.rglob("*") if path.is_file()) > limit.bytes:  # the listing said less
        raise too_many_bytes(limit)


def _wanted(repository: Any, files: Mapping[str, int], below: str, unfinished: Path) -> dict[str, str]:
    """Path → name in the source: the files of a flavor or, where nothing says that it is a model, all of them."""
    names = {_name(path, below): path for path in files}
    if mlflow_folder.MLMODEL not in names:
        return {path: name for name, path in names.items()}
    about = _downloaded(repository, names[mlflow_folder.MLMODEL], unfinished).read_bytes()
    return {names[name]: kept for name, kept in mlflow_folder.files_of(about, list(names)).items()}


def _name(path: str, below: str) -> str:
    if path == below:  # it is the file itself
        return path.rpartition("/")[2]
    return path.removeprefix(f"{below}/") if below else path


def _downloaded(repository: Any, path: str, unfinished: Path) -> Path:
    return Path(repository.download_artifacts(path, dst_path=str(unfinished)))


def _training(client: Any, found: _Found, host: str) -> Training:
    """What is known of the run; a version can outlive its run, or never have had one."""
    of_model = {"tracking_server": host, "model_name": found.name, "model_version": found.version}
    run = _run(client, found)
    if run is None:
        return Training.model_validate(of_model)
    return Training(
        **of_model,
        run_id=run.info.run_id,
        experiment=client.get_experiment(run.info.experiment_id).name,
        datasets=_datasets(run.inputs.dataset_inputs if run.inputs else ()),
        commit=run.data.tags.get("mlflow.source.git.commit"),
        metrics={name: value for name, value in sorted(run.data.metrics.items()) if math.isfinite(value)},
    )


def _run(client: Any, found: _Found) -> Any:
    if found.run is None:
        return None
    try:
        return client.get_run(found.run)
    except import_module("mlflow.exceptions").MlflowException as error:
        if found.version is None or error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _datasets(inputs: Sequence[Any]) -> tuple[Dataset, ...]:
    told = {(one.dataset.name, one.dataset.digest) for one in inputs}
    return tuple(Dataset(name=name, digest=digest) for name, digest in sorted(told))
