"""The page of a conversion: the ONNX file, what the source answers, and how far it differs from itself."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.pages import Body, File, Frozen


class SplitProbes(Frozen):
    """Where the ONNX file's trees split, at how many of these splits the source was asked, and why not at all."""

    splits: int
    probed: int
    problem: str = ""


class Conversion(Body):
    """`noise_floor` is, an output, the largest difference of the source to itself over repeats.

    `splits` is None where the file holds no trees, and on pages that were written before trees were probed; `probes`
    are the rows at splits, `probe_outputs` what the source answers to them, None where there are no such rows.
    """

    kind: ClassVar[str] = "conversion"

    onnx: File
    framework: str
    tools: dict[str, str]
    edges: File
    sample_outputs: File
    edge_outputs: File
    edges_that_raised: tuple[int, ...]
    noise_floor: dict[str, float]
    splits: SplitProbes | None = None
    probes: File | None = None
    probe_outputs: File | None = None
