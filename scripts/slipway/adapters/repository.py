"""The checked-out repository of a team: settings, models, policies, quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from slipway.adapters.yaml_files import read_bounded, read_yaml
from slipway.domain.model import Model
from slipway.domain.pages import digest_of
from slipway.domain.policy import (
    DriftLimit,
    FidelityLimit,
    MetricsLimit,
    OutputsLimit,
    Policies,
    Policy,
    PreviousVersionLimit,
    PromiseLimit,
    SignatureLimit,
    WayBackLimit,
)
from slipway.domain.settings import Settings
from slipway.errors import BadFile, UnknownModel

SETTINGS = "slipway.yaml"
STATE = ".slipway"


@dataclass(frozen=True, slots=True)
class Repository:
    """`root` is the folder that holds slipway.yaml."""

    root: Path

    @classmethod
    def around(cls, folder: Path) -> Self:
        """Find the repository that `folder` lies in.

        Raises:
            BadFile: no folder above holds slipway.yaml.
        """
        for candidate in (folder.resolve(), *folder.resolve().parents):
            if (candidate / SETTINGS).is_file():
                return cls(candidate)
        raise BadFile(
            f"{folder} lies in no Slipway repository: no folder above it holds {SETTINGS}",
            mend="change into the repository, or make one: see docs/generate.md",
        )

    @property
    def state(self) -> Path:
        """What commands write: everything lies under this one folder, which git ignores."""
        return self.root / STATE

    def settings(self) -> Settings:
        return read_yaml(self.root / SETTINGS, Settings)

    def model_names(self) -> list[str]:
        return sorted(path.parent.name for path in self.root.glob("models/*/model.yaml"))

    def model(self, name: str) -> Model:
        """Read `models/<name>/model.yaml`.

        Raises:
            UnknownModel: there is no such folder.
            BadFile: the declaration is wrong, or names another model than its folder.
        """
        if name not in self.model_names():
            known = ", ".join(self.model_names()) or "none"
            raise UnknownModel(
                f"models/{name}/model.yaml does not exist; declared models: {known}",
                mend=f"slipway new-model {name}, or correct the name",
            )
        return read_model(self.root / "models" / name)

    def policies(self) -> Policies:
        folder = self.root / "policies"
        return Policies(
            fidelity=read_yaml(folder / "fidelity.yaml", Policy[FidelityLimit]),
            signature=read_yaml(folder / "signature.yaml", Policy[SignatureLimit]),
            outputs=read_yaml(folder / "outputs.yaml", Policy[OutputsLimit]),
            metrics=read_yaml(folder / "metrics.yaml", Policy[MetricsLimit]),
            promise=read_yaml(folder / "promise.yaml", Policy[PromiseLimit]),
            way_back=read_yaml(folder / "way-back.yaml", Policy[WayBackLimit]),
            drift=read_yaml(folder / "drift.yaml", Policy[DriftLimit]),
            previous_version=read_yaml(folder / "previous-version.yaml", Policy[PreviousVersionLimit]),
        )

    def policies_digest(self) -> str:
        """One digest for all policy files, comments included: an edit makes every verdict a new one."""
        files = sorted((self.root / "policies").glob("*.yaml"))
        return digest_of(b"".join(file.name.encode() + b"\0" + read_bounded(file) + b"\0" for file in files))


def read_model(folder: Path) -> Model:
    """Read the declaration in a model's folder, wherever it was checked out."""
    model = read_yaml(folder / "model.yaml", Model)
    if model.name != folder.name:
        raise BadFile(
            f"{folder / 'model.yaml'}: name: `{model.name}` is not the folder's name, `{folder.name}`",
            mend="rename one of the two",
        )
    return model
