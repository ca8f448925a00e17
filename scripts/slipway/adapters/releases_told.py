"""What the ledger says of many releases at once: when they came to life, from which image, and what was judged."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from slipway.adapters.history import release_folder
from slipway.adapters.whole_ledger import WholeLedger
from slipway.domain.baseline import Baseline
from slipway.domain.pages import Body, parse_page
from slipway.domain.release import Image, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag, release_named
from slipway.domain.upkeep import Adopted
from slipway.domain.verdict import Verdict

BodyT = TypeVar("BodyT", bound=Body)
_KINDS = frozenset({Rollout.kind, Image.kind, Verdicts.kind, Baseline.kind})


@dataclass(frozen=True, slots=True)
class ReleaseTold:
    """Its pages, oldest first; `passed` counts those of the `findings` of its newest verdicts, None without any.

    `adopted` tells by environment who recorded it as what ran before Slipway came.
    """

    rollouts: tuple[Rollout, ...]
    images: tuple[Image, ...]
    judged: Verdicts | None
    adopted: Mapping[str, Adopted]

    @property
    def verdict(self) -> Verdict | None:
        return None if self.judged is None else self.judged.verdict

    @property
    def passed(self) -> int | None:
        return None if self.judged is None else sum(one.verdict is Verdict.PASS for one in self.judged.findings)

    @property
    def findings(self) -> int | None:
        return None if self.judged is None else len(self.judged.findings)

    @property
    def in_audit(self) -> int | None:
        return None if self.judged is None else sum(one.would_refuse for one in self.judged.findings)


def all_releases(ledger: WholeLedger) -> dict[str, list[ReleaseTag]]:
    """By model, every version and revision that has a page, in no order."""
    found: dict[str, dict[str, ReleaseTag]] = {}
    for path in ledger.paths:
        parts = path.split("/", maxsplit=3)
        if len(parts) != 3 or parts[1] in found.get(parts[0], {}):
            continue
        if (tag := release_named(parts[0], parts[1])) is not None:
            found.setdefault(tag.model, {})[parts[1]] = tag
    return {model: list(tags.values()) for model, tags in found.items()}


def page_paths(tags: Collection[ReleaseTag], ledger: WholeLedger) -> Iterator[str]:
    """The files that `releases_told` reads, in order."""
    for folder in sorted(release_folder(tag) for tag in tags):
        for path in ledger.folders.get(folder, ()):
            if path[len(folder) + 1 :].split(".", maxsplit=1)[0] in _KINDS:
                yield path


def incident_paths(ledger: WholeLedger) -> Iterator[str]:
    """What is read to tell whether an incident is open, and the heartbeats."""
    for folder, paths in ledger.folders.items():
        if "/incidents/" in folder or folder.startswith("_heartbeats/"):
            yield from paths


def releases_told(tags: Collection[ReleaseTag], ledger: WholeLedger) -> dict[ReleaseTag, ReleaseTold]:
    return {tag: _told(tag, ledger) for tag in tags}


def _told(tag: ReleaseTag, ledger: WholeLedger) -> ReleaseTold:
    judged = ledger.workplace.history.page(tag, Verdicts)
    pages = ledger.contents(page_paths([tag], ledger))
    adopted = _bodies(Baseline, pages)
    return ReleaseTold(
        rollouts=_bodies(Rollout, pages),
        images=_bodies(Image, pages),
        judged=None if judged is None else judged.body,
        adopted={one.environment: Adopted(by=one.by, when=one.when, note=one.note) for one in adopted},
    )


def _bodies(kind: type[BodyT], pages: Mapping[str, bytes]) -> tuple[BodyT, ...]:
    """What the pages of one kind say, oldest first: as `History.pages`, of a folder that was listed once for all."""
    found = [
        parse_page(kind, content, where=f"ledger:{path}")
        for path, content in pages.items()
        if path.rpartition("/")[2].startswith(f"{kind.kind}.")
    ]
    return tuple(page.body for page in sorted(found, key=lambda page: page.number))
