"""The checked-out repository of a team: settings, models, policies, quarantine."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from slipway.adapters.yaml_files import DocumentT, parse_yaml, read_bounded, read_yaml
from slipway.domain.declared import Declared
from slipway.domain.limits import (
    DriftLimit,
    FidelityLimit,
    OutputsLimit,
    PreviousVersionLimit,
    PromiseLimit,
    SignatureLimit,
    SourcesLimit,
    WayBackLimit,
)
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.model import Model
from slipway.domain.pages import digest_of
from slipway.domain.policy import Policies, Policy
from slipway.domain.settings import Settings
from slipway.errors import BadFile, UnknownModel

log = logging.getLogger(__name__)

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

    @property
    def team_tests(self) -> Path:
        """Where a team keeps the tests of its models, a folder each."""
        return self.root / "tests" / "models"

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

    def owners(self, name: str) -> tuple[str, ...]:
        """Whom `models/<name>/model.yaml` names, `@user` or `@organisation/team`; nobody where it cannot be read."""
        try:
            return self.model(name).owners
        except (UnknownModel, BadFile):
            return ()

    def policies(self) -> Policies:
        return read_policies(self.root / "policies")

    def policies_digest(self) -> str:
        """One digest for all policy files, comments included: an edit makes every verdict a new one."""
        files = sorted((self.root / "policies").glob("*.yaml"))
        return digest_of(b"".join(file.name.encode() + b"\0" + read_bounded(file) + b"\0" for file in files))


def read_policies(folder: Path) -> Policies:
    """Read the policies of a folder.

    Raises:
        BadFile: one is missing, or does not say what its gate needs.
    """
    return parse_policies(lambda name: read_bounded(folder / name), where=str(folder))


def parse_policies(content_of: Callable[[str], bytes | None], *, where: str) -> Policies:
    """Read policies whose files `content_of` knows by their names; `where` is their folder, for errors.

    Where it knows no file, None, the defaults of a policy hold that the first template did not have.

    Raises:
        BadFile: one is missing that every repository has, or does not say what its gate needs.
    """

    def read(name: str, into: type[DocumentT]) -> DocumentT:
        content = content_of(name)
        if content is None:
            raise BadFile(f"{where} has no {name}", mend=f"add {where}/{name}, then run again")
        return parse_yaml(content, into, where=f"{where}/{name}")

    return Policies(
        fidelity=read("fidelity.yaml", Policy[FidelityLimit]),
        signature=read("signature.yaml", Policy[SignatureLimit]),
        outputs=read("outputs.yaml", Policy[OutputsLimit]),
        metrics=read("metrics.yaml", Policy[MetricsLimit]),
        promise=read("promise.yaml", Policy[PromiseLimit]),
        way_back=read("way-back.yaml", Policy[WayBackLimit]),
        drift=read("drift.yaml", Policy[DriftLimit]),
        previous_version=read("previous-version.yaml", Policy[PreviousVersionLimit]),
        sources=read("sources.yaml", Policy[SourcesLimit]),
        **_newer(content_of, where=where),
    )


def _newer(content_of: Callable[[str], bytes | None], *, where: str) -> dict[str, Any]:
    """The policies that have defaults, as far as their files are there."""
    found: dict[str, Any] = {}
    for field, info in Policies.model_fields.items():
        if info.is_required():
            continue
        name, kind = f"{field.replace('_', '-')}.yaml", cast("type[Declared]", info.annotation)
        content = content_of(name)
        if content is None:
            log.info("%s has no %s: its defaults hold there", where, name)
        else:
            found[field] = parse_yaml(content, kind, where=f"{where}/{name}")
    return found


def read_model(folder: Path) -> Model:
    """Read the declaration in a model's folder, wherever it was checked out."""
    model = read_yaml(folder / "model.yaml", Model)
    if model.name != folder.name:
        raise BadFile(
            f"{folder / 'model.yaml'}: name: `{model.name}` is not the folder's name, `{folder.name}`",
            mend="rename one of the two",
        )
    _refuse_a_threshold_on_several(model, where=folder / "model.yaml")
    return model


def _refuse_a_threshold_on_several(model: Model, *, where: Path) -> None:
    """The first of two probabilities is that of no; pages of older versions, which allowed it, are still read."""
    output = next(one for one in model.outputs if one.name == model.decision.output)
    if model.decision.threshold is not None and math.prod(output.shape) != 1:
        raise BadFile(
            f"{where}: decision.threshold: `{output.name}` has {math.prod(output.shape)} numbers a row",
            mend="name an output of shape [1], or `classes`, one for each of its numbers",
        )
