"""Turn the model that a team trained into the ONNX file that is served, and ask the source for its answers.

The only step that loads the source: in a process and an environment of its own, without a token. Whether the two
give the same answers is measured later, by `measure-consistency`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from slipway.adapters import fetched_sources, tables
from slipway.adapters.processes import environments
from slipway.adapters.records import Record
from slipway.converters import CONVERTERS, ReadsVariables
from slipway.converters.batches import write_batch
from slipway.domain.conversion import Conversion
from slipway.domain.edge_rows import edge_rows
from slipway.domain.identity import Identity
from slipway.domain.limits import SourcesLimit
from slipway.domain.pages import File, Page, digest_of
from slipway.domain.policy import Policy
from slipway.domain.rows import rows_in

log = logging.getLogger(__name__)


def run(record: Record, *, requirements: Path, sources: Policy[SourcesLimit] | None = None) -> Page[Conversion]:
    """Write model.onnx, what the source answers, and the page `conversion`.

    Args:
        record: the release's record, with its page `identity`.
        requirements: the folder of hashed requirements files, one an environment.
        sources: what a source may hold; nothing that could run code, where it is left out.
    """
    identity = record.page(Identity, written_by="resolve-tag").body
    converter = CONVERTERS[identity.declaration.framework]
    trust = sources.limit_for(identity.model) if sources else SourcesLimit()
    locked = requirements / f"{converter.requirements}.txt"
    reads = {
        "source": identity.source_digest,
        "declaration": digest_of(identity.declaration.model_dump_json().encode()),
        "samples": identity.samples.sha256,
        "requirements": digest_of(locked.read_bytes()),
        "sources": digest_of(trust.model_dump_json().encode()),
    }
    in_force: list[str] = []
    return record.once(
        Conversion,
        reads=reads,
        make=lambda: _convert(record, identity, locked, trust, in_force),
        isolation=lambda: tuple(in_force),
    )


def _source(record: Record, identity: Identity) -> Path:
    """Where it lies in the record: of what was fetched, put together from its files."""
    if identity.origin is None:
        return record.folder / identity.model_folder / identity.declaration.source
    return fetched_sources.lay_out(identity.origin, record, into=record.scratch("fetched"))


def _convert(record: Record, identity: Identity, locked: Path, trust: SourcesLimit, in_force: list[str]) -> Conversion:
    """`in_force` gets what kept the process apart, which differs between machines and so is no part of the page."""
    model = identity.declaration
    converter = CONVERTERS[model.framework]
    python = environments.environment_for(converter.requirements, requirements=locked)
    scratch = record.scratch("conversion")
    samples = tables.read_batch(record.path(identity.samples), model.inputs)
    edges = edge_rows(model, samples)
    write_batch(scratch / "samples.npz", samples)
    write_batch(scratch / "edges.npz", edges)
    log.info("converting %s, and asking its source %s rows", identity.tag, f"{rows_in(samples):,}")
    told = environments.convert(
        python,
        converter.name,
        source=_source(record, identity),
        samples=scratch / "samples.npz",
        edges=scratch / "edges.npz",
        signature=model.signature,
        trust=trust,
        out=scratch,
        folder=scratch / "process",
        again=converter.asked_again_with if isinstance(converter, ReadsVariables) else None,
    )
    in_force.extend(told.isolation)
    return Conversion(
        onnx=record.keep(scratch / "model.onnx", name="model.onnx"),
        framework=model.framework,
        tools=told.tools,
        edges=record.keep(scratch / "edges.npz", name="edges.npz"),
        sample_outputs=record.keep(scratch / "outputs-samples.npz", name="outputs-samples.npz"),
        edge_outputs=record.keep(scratch / "outputs-edges.npz", name="outputs-edges.npz"),
        edges_that_raised=told.edges_that_raised,
        noise_floor=told.noise_floor,
        splits=told.splits,
        probes=_kept_if_there(record, scratch / "probes.npz"),
        probe_outputs=_kept_if_there(record, scratch / "outputs-probes.npz"),
    )


def _kept_if_there(record: Record, path: Path) -> File | None:
    """Rows at the splits of trees are written where there are such rows only."""
    return record.keep(path, name=path.name) if path.exists() else None
