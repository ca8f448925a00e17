"""What a version was by its pages: of a release what was judged, of a baseline what was adopted."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.adapters import deploy_tree
from slipway.adapters.history import History
from slipway.adapters.manifests import Deployed
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.calibration import Calibration
from slipway.domain.evidence import Evidence, Golden
from slipway.domain.identity import Identity
from slipway.domain.model import Model
from slipway.domain.tag import ReleaseTag, release_named
from slipway.errors import BadFile

NOTHING = Golden(rows=0, inputs={}, outputs={})  # of a baseline without samples


def declaration(tag: ReleaseTag, history: History) -> Model | None:
    """None where the ledger does not know the version, or knows its digest alone."""
    baseline = history.baseline(tag)
    if baseline is not None:
        return baseline.declaration
    identity = history.page(tag, Identity)
    return None if identity is None else identity.body.declaration


def calibration(tag: ReleaseTag, history: History) -> Calibration | None:
    """How far its inputs move by themselves, as it was found at its release or adoption."""
    baseline = history.baseline(tag)
    if baseline is not None:
        return None if baseline.measured is None else baseline.measured.calibration
    evidence = history.page(tag, Evidence)
    return None if evidence is None else evidence.body.calibration


def runs_by_other_means(tag: ReleaseTag, environment: str, history: History) -> bool:
    """A baseline, until something of ours took its place: to come back after that, it is rolled out as a release is."""
    baseline = history.baseline(tag)
    if baseline is None:
        return False
    return baseline.is_opaque or not history.rollouts(tag.model, environment)


def is_unanswered(tag: ReleaseTag, history: History) -> bool:
    """Whether it was adopted without answers: there is nothing that a watch could hold against them."""
    baseline = history.baseline(tag)
    return baseline is not None and baseline.measured is None


def places_to_watch(workplace: Workplace) -> Mapping[tuple[str, str], Deployed | BadFile]:
    """By environment and model, what is deployed, but for what was adopted without answers."""
    found = deploy_tree.everything_deployed(workplace.forge)
    return {place: live for place, live in found.items() if not _is_unanswered(place[1], live, workplace.history)}


def _is_unanswered(model: str, live: Deployed | BadFile, history: History) -> bool:
    tag = None if isinstance(live, BadFile) else release_named(model, live.tag)
    return tag is not None and is_unanswered(tag, history)


def golden_in(record: Record) -> Golden:
    """The golden answers of a version whose pages lie in `record`; none of a baseline that was asked nothing.

    Raises:
        BadFile: it has neither evidence nor baseline.
    """
    baseline = record.latest(Baseline)
    if baseline is None:
        return record.page(Evidence, written_by="measure-consistency").body.golden
    return NOTHING if baseline.body.measured is None else baseline.body.measured.golden


def declaration_in(record: Record) -> Model:
    """
    Raises:
        BadFile: it has neither identity nor a baseline with a model.
    """
    baseline = record.latest(Baseline)
    if baseline is not None and baseline.body.declaration is not None:
        return baseline.body.declaration
    return record.page(Identity, written_by="resolve-tag").body.declaration
