"""Where a model's source lies, as `source:` of model.yaml names it, when it is not a folder of the repository.

    https://models.example/fraud/model.ubj#sha256=6f1e…   one file, and what it must be
    s3://bucket/path, gs://bucket/path, az://container/path   a file, or all below a prefix
    hf://owner/name@revision/path                 a repository of models; revision and path may be left out
    oci://registry/repository:tag                 an artifact; @sha256:… in place of a tag as well
    models:/name/3, models:/name@alias, runs:/id/path         of an MLflow server

No credentials are part of it: they come from the environment of the process that fetches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

SCHEMES = ("https", "s3", "gs", "az", "hf", "oci", "models", "runs")
_OF_MLFLOW = ("models", "runs")
_AN_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/")
_DIGEST = re.compile(r"sha256=(?P<hex>[0-9a-f]{64})")
_A_SECRET = re.compile(r"passw|pwd|secret|token|signature|credential|api_?key|access_?key|^sig$", re.IGNORECASE)
_LONGEST = 1_000  # characters


def is_address(source: str) -> bool:
    """Whether `source:` names something elsewhere, and not a file or folder beside model.yaml."""
    return _AN_ADDRESS.match(source) is not None


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """`text` is the whole address as it is written, without any secret."""

    scheme: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises:
            ValueError: it is none that Slipway fetches, or it holds what looks like a secret.
        """
        match = _AN_ADDRESS.match(text)
        scheme = match["scheme"] if match else ""
        if scheme not in SCHEMES:
            known = ", ".join(f"{name}:/" if name in _OF_MLFLOW else f"{name}://" for name in SCHEMES)
            raise ValueError(f"nothing is fetched from `{scheme}:`; write a folder, or one of {known}")
        _refuse_odd_characters(text)
        if scheme in _OF_MLFLOW:
            _refuse_a_server(text, scheme)
        else:
            _refuse_half_an_address(text, scheme)
        if scheme == "https" and _DIGEST.fullmatch(urlsplit(text).fragment) is None:
            raise ValueError("an https address ends in `#sha256=` and the 64 hexadecimal digits of the file's digest")
        return cls(scheme, text)

    @property
    def sha256(self) -> str:
        """What the one file must be, in hexadecimal digits; empty where the address does not say."""
        match = _DIGEST.fullmatch(urlsplit(self.text).fragment) if self.scheme == "https" else None
        return match["hex"] if match else ""

    def __str__(self) -> str:
        return self.text


def _refuse_odd_characters(text: str) -> None:
    if len(text) > _LONGEST or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(f"an address has at most {_LONGEST:,} characters, and no space, backslash or line break")


def _refuse_a_server(text: str, scheme: str) -> None:
    """Which server is meant says the environment: an address would lead its token elsewhere."""
    name = text.removeprefix(f"{scheme}:/")
    if not name or name.startswith("/") or ".." in name.split("/"):
        example = "models:/fraud/3 or models:/fraud@champion" if scheme == "models" else "runs:/RUN_ID/model"
        raise ValueError(f"write it like {example}; the server is named by MLFLOW_TRACKING_URI")


def _refuse_half_an_address(text: str, scheme: str) -> None:
    parts = urlsplit(text)
    if "@" in parts.netloc or any(_A_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            "an address holds no user, password or signature, for everybody reads model.yaml; credentials belong in "
            "the secret SLIPWAY_SOURCE_ENVIRONMENT (docs/sources.md)"
        )
    if not text.startswith(f"{scheme}://") or not parts.netloc or not parts.path.strip("/"):
        raise ValueError(f"write it like {scheme}://{_EXAMPLES[scheme]}")
    if ".." in parts.path.split("/"):
        raise ValueError("a path goes down only: leave out `..`")


_EXAMPLES = {
    "https": "models.example/fraud/model.ubj#sha256=DIGEST",
    "s3": "bucket/fraud/v3",
    "gs": "bucket/fraud/v3",
    "az": "container/fraud/v3",
    "hf": "owner/name@revision",
    "oci": "registry.example/models/fraud:v3",
}
