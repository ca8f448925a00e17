"""All pages of one release, read from the ledger at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from slipway.adapters.history import History
from slipway.domain.baseline import Baseline
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.release import Image, Proposal, Rollout
from slipway.domain.tag import ReleaseTag

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class ReleasePages:
    """`contents` is file name → content."""

    tag: ReleaseTag
    contents: Mapping[str, bytes]

    @classmethod
    def of(cls, tag: ReleaseTag, history: History) -> Self:
        return cls(tag, history.pages_of(tag))

    def all(self, kind: type[BodyT]) -> list[Page[BodyT]]:
        """Oldest first.

        Raises:
            NewerSchema, BadFile: one of them cannot be read.
        """
        found = [
            parse_page(kind, content, where=f"ledger:{self.tag}/{name}")
            for name, content in self.contents.items()
            if name.startswith(f"{kind.kind}.")
        ]
        return sorted(found, key=lambda page: page.number)

    def newest(self, kind: type[BodyT]) -> Page[BodyT] | None:
        written = self.all(kind)
        return written[-1] if written else None

    @property
    def images(self) -> tuple[str, ...]:
        """The digests that it was pushed as, or that it was adopted as, the newest last."""
        adopted = [page.body.image for page in self.all(Baseline)]
        return tuple(dict.fromkeys(one for one in (*adopted, *(page.body.digest for page in self.all(Image))) if one))

    @property
    def environments(self) -> tuple[str, ...]:
        """Those in which it was proposed, ran or was adopted; also such as slipway.yaml names no more."""
        proposed = [page.body.environment for page in self.all(Proposal)]
        verified = [page.body.environment for page in self.all(Rollout)]
        adopted = [page.body.environment for page in self.all(Baseline)]
        return tuple(dict.fromkeys((*proposed, *verified, *adopted)))
