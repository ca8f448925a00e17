"""What is released: the page of the tag, the commit, and the versions that it is compared with."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.behaviour import GoldenRequest
from slipway.domain.model import Model
from slipway.domain.pages import Body, File, Frozen
from slipway.domain.tag import Bump


class Released(Frozen):
    """A version that passed: its image, and what was fetched of it.

    `onnx`, `golden` and `declaration` are None where they could not be had; `problem` then says why.
    `golden_requests` are those that it was held to, None where its page does not tell.
    """

    version: str
    digest: str
    declaration: Model | None = None
    onnx: File | None = None
    golden: File | None = None
    problem: str = ""
    golden_requests: tuple[GoldenRequest, ...] | None = None


class ServedWindow(Frozen):
    """The last rows that an environment served; `since` and `until` are days, inclusive."""

    file: File
    since: str
    until: str
    rows: int
    environment: str = ""


class Identity(Body):
    """What is released, from which commit, and what it is compared with.

    `compared` is the highest lower version that passed; `deployed` tells what each environment runs now.
    `model_folder` is where the record holds the tagged `models/<name>/`.
    """

    kind: ClassVar[str] = "identity"

    tag: str
    model: str
    version: str
    bump: Bump
    tag_object: str
    tagger: str
    message: str
    commit: str
    committed_at: str
    model_folder: str
    source_digest: str
    samples: File
    card: File
    declaration: Model
    compared: Released | None
    deployed: dict[str, Released | None]
    served: ServedWindow | None
