"""Go back before going forward: load the deployed version and ask it the questions of its own release."""

from __future__ import annotations

import logging

from slipway.adapters import onnx_session, released
from slipway.adapters.records import Record
from slipway.adapters.workplace import Workplace
from slipway.domain.evidence import Golden
from slipway.domain.identity import Identity, Released
from slipway.domain.pages import Page
from slipway.domain.release import Rehearsal
from slipway.errors import SlipwayError
from slipway.measures import way_back

log = logging.getLogger(__name__)


def run(record: Record, *, environment: str) -> Page[Rehearsal]:
    """Write the page `rehearsal` of going back to what `environment` runs now."""
    identity = record.page(Identity, written_by="resolve-tag").body
    return _rehearsal_of(record, identity.deployed.get(environment), environment=environment)


def run_for_next(record: Record, *, environment: str, workplace: Workplace) -> Page[Rehearsal]:
    """The same for an environment that comes after another: what it runs now is fetched, for pages alone came along."""
    identity = record.page(Identity, written_by="resolve-tag").body
    target = released.deployed_in(environment, identity.model, record, workplace)
    return _rehearsal_of(record, target, environment=environment)


def _rehearsal_of(record: Record, target: Released | None, *, environment: str) -> Page[Rehearsal]:
    reads = {
        "environment": environment,
        "deployed": target.model_dump_json() if target else "none",
        "onnxruntime": onnx_session.version(),
    }
    return record.once(Rehearsal, reads=reads, make=lambda: _rehearse(record, target))


def _rehearse(record: Record, target: Released | None) -> Rehearsal:
    untried = Rehearsal(
        to=target, fetched=False, loaded=False, golden_rows=0, golden_equal=0, onnxruntime=onnx_session.version()
    )
    if target is None:
        return untried
    if target.adopted and target.onnx is not None and target.golden is None:
        return _load_only(record, target, untried)
    if target.onnx is None or target.golden is None or target.declaration is None:
        problem = target.problem or "the ledger has no page of its release"
        return untried.model_copy(update={"problem": problem})
    golden = Golden.model_validate_json(record.path(target.golden).read_bytes())
    fetched = untried.model_copy(update={"fetched": True, "golden_rows": golden.rows})
    log.info("rehearsing the way back to %s", target.version)
    try:
        onnx = onnx_session.open_model(record.path(target.onnx))
        now = onnx.predict(way_back.questions(target.declaration, golden))
    except SlipwayError as error:
        return fetched.model_copy(update={"problem": error.problem})
    return fetched.model_copy(update={"loaded": True, "golden_equal": way_back.equal_rows(golden, now)})


def _load_only(record: Record, target: Released, untried: Rehearsal) -> Rehearsal:
    """Of what was adopted without samples: it has no golden answers, and is fetched and loaded all the same."""
    assert target.onnx is not None  # the caller looked
    fetched = untried.model_copy(update={"fetched": True})
    try:
        onnx_session.open_model(record.path(target.onnx))
    except SlipwayError as error:
        return fetched.model_copy(update={"problem": error.problem})
    return fetched.model_copy(update={"loaded": True})
