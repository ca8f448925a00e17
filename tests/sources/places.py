"""Each kind of place that a source is fetched from, as a process or a server on loopback, behind one face."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock
from slipway.adapters.processes.pinned import environment_for
from slipway.adapters.registry.remote import RemoteRegistry

from tests.object_stores.stores import GoogleStorage, Store, Swift
from tests.sources.web import Hub, WebServer

ROOT = Path(__file__).parents[2]
AZURITE = Path(__file__).parent / "azurite"
BUCKET = "models-of-a-team"
# The account that Azurite has for whoever tries it out, as its documentation says.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_PUT = """
import json, os, sys, fsspec
store, folder = fsspec.filesystem(sys.argv[1]), sys.argv[2]
bucket = folder.partition("/")[0]
if not store.exists(bucket):
    store.mkdir(bucket)
for name, content in json.load(sys.stdin).items():
    store.pipe(f"{folder}/{name}", content.encode("latin-1"))
os._exit(0)
"""
_TITLE = "org.opencontainers.image.title"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Place(ABC):
    """Keeps files, and tells the address of them; each `put` has a folder of its own."""

    scheme: str
    nothing: str  # an address there at which there is nothing

    def __init__(self) -> None:
        self.number = 0

    @abstractmethod
    def put(self, files: Mapping[str, bytes]) -> str:
        """Store these, and return the address of all of them."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What lets somebody read them."""

    def of_a_stranger(self) -> dict[str, str]:
        """What somebody else has, whom it must not give them to."""
        raise NotImplementedError

    @abstractmethod
    def stop(self) -> None:
        """It is gone."""

    def folder(self) -> str:
        self.number += 1
        return f"fraud/v{self.number}"


class Web(Place):
    scheme = "https"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.server = WebServer(folder)
        self.server.start()
        self.nothing = self.server.address("/nothing")

    def put(self, files: Mapping[str, bytes]) -> str:
        (name, content) = next(iter(files.items()))
        path = f"/{self.folder()}/{name}"
        self.server.files[path] = content
        return self.server.address(path)

    def environment(self) -> dict[str, str]:
        return {"SSL_CERT_FILE": str(self.server.certificate)}

    def stop(self) -> None:
        self.server.stop()


class OfObjects(Place):
    """Filled by the library that fetches later, in the same environment."""

    def put(self, files: Mapping[str, bytes]) -> str:
        python = environment_for("sources", requirements=ROOT / "requirements" / "sources.txt")
        folder = f"{BUCKET}/{self.folder()}"
        told = json.dumps({name: content.decode("latin-1") for name, content in files.items()})
        variables = {**os.environ, **self.environment()}
        command = [str(python), "-c", _PUT, self.scheme, folder]
        subprocess.run(command, input=told.encode(), env=variables, check=True, timeout=60)
        return f"{self.scheme}://{folder}"


class OfAStore(OfObjects):
    """Swift for s3://, the emulator of PyPI for gs://."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.scheme, self._store = store.scheme, store
        self.nothing = f"{store.scheme}://{BUCKET}/nothing/there"
        store.start()

    def environment(self) -> dict[str, str]:
        return {**self._store.environment(), "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}

    def of_a_stranger(self) -> dict[str, str]:
        return {**self.environment(), "AWS_SECRET_ACCESS_KEY": "what-a-stranger-has"}

    def stop(self) -> None:
        self._store.kill()


class Azure(OfObjects):
    """Azurite, which checks each request's signature as Azure does."""

    scheme = "az"
    nothing = f"az://{BUCKET}/nothing/there"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        server = _azurite() / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
        options = ["--blobPort", "0", "--location", str(folder), "--skipApiVersionCheck", "--disableTelemetry"]
        self._process = subprocess.Popen(
            ["node", str(server), "--blobHost", "127.0.0.1", *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._port = next(m[1] for line in self._process.stdout if (m := re.search(r"listens on .*:(\d+)", line)))

    def environment(self) -> dict[str, str]:
        return {"AZURE_STORAGE_CONNECTION_STRING": self._connection(_KEY)}

    def of_a_stranger(self) -> dict[str, str]:
        return {"AZURE_STORAGE_CONNECTION_STRING": self._connection(f"AAAA{_KEY[4:]}")}

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _connection(self, key: str) -> str:
        return a_key_of_azure(f"http://127.0.0.1:{self._port}/{_ACCOUNT}", key=key)


class HuggingFace(Place):
    """An imitation: no hub can be installed."""

    scheme = "hf"
    nothing = "hf://acme/nothing"

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.hub.start()
        self.hub.token = "hf_a-token-that-reads"

    def put(self, files: Mapping[str, bytes]) -> str:
        folder = self.folder()
        self.hub.files |= {f"{folder}/{name}": content for name, content in files.items()}
        return f"hf://{self.hub.repository}@{self.hub.branch}/{folder}"

    def environment(self) -> dict[str, str]:
        return {"HF_ENDPOINT": f"http://127.0.0.1:{self.hub.port}", "HF_TOKEN": self.hub.token}

    def of_a_stranger(self) -> dict[str, str]:
        return {**self.environment(), "HF_TOKEN": "hf_a-token-of-a-stranger"}

    def stop(self) -> None:
        self.hub.stop()


class OfARegistry(Place):
    """Artifacts in the real registry of Debian, as ORAS pushes them."""

    scheme = "oci"

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host
        self.nothing = f"oci://{host}/sources/nothing:v1"

    def put(self, files: Mapping[str, bytes]) -> str:
        name = f"sources/{self.folder()}"
        repository = RemoteRegistry(self.host, "", credentials=None).repository(name)
        layers = [{**_descriptor(content), "annotations": {_TITLE: path}} for path, content in files.items()]
        for content in (*files.values(), b"{}"):
            repository.put_blob(_digest(content), size=len(content), chunks=partial(_once, content))
        config = {**_descriptor(b"{}"), "mediaType": "application/vnd.oci.empty.v1+json"}
        told = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
        repository.put_manifest(json.dumps(told).encode(), media_type=_MANIFEST, reference="latest")
        return f"oci://{self.host}/{name}:latest"

    def environment(self) -> dict[str, str]:
        return {}

    def stop(self) -> None:
        """Others use it: an address at which nobody listens stands for it."""
        self.host = "127.0.0.1:1"


def a_key_of_azure(at: str, *, key: str = _KEY) -> str:
    """What lets somebody into the account behind the address `at`."""
    return f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={key};BlobEndpoint={at};"


def _once(content: bytes) -> Iterator[bytes]:
    yield content


def _descriptor(content: bytes) -> dict[str, Any]:
    return {"mediaType": "application/octet-stream", "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _azurite() -> Path:
    """The folder that npm filled, once a machine."""
    lock = (AZURITE / "package-lock.json").read_bytes()
    folder = platformdirs.user_cache_path("slipway-tests") / f"azurite-{hashlib.sha256(lock).hexdigest()[:8]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(AZURITE, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=folder, check=True, timeout=600)
            (folder / ".complete").touch()
    return folder


def every_place(folder: Path, registry_host: str) -> dict[str, Place]:
    for name in ("web", "s3", "gs", "az"):
        (folder / name).mkdir()
    return {
        "https": Web(folder / "web"),
        "s3": OfAStore(Swift(folder / "s3")),
        "gs": OfAStore(GoogleStorage(folder / "gs")),
        "az": Azure(folder / "az"),
        "hf": HuggingFace(),
        "oci": OfARegistry(registry_host),
    }
