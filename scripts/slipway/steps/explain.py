"""Tell the whole story of one release: what it is, who let it through, where it runs, and the way back.

Reads the ledger and git as this clone has them, and asks no server: a forge, a registry and a cluster may all be gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from slipway.adapters import asked_release, deploy_tree, git, incidents, places, release_events
from slipway.adapters.clone import Clone
from slipway.adapters.history import History
from slipway.adapters.ledger import Ledger
from slipway.adapters.ledger_search import Found
from slipway.adapters.release_pages import ReleasePages
from slipway.adapters.repository import Repository
from slipway.domain import commands
from slipway.domain.asked import Asked, parse_asked
from slipway.domain.baseline import Baseline
from slipway.domain.conversion import Conversion
from slipway.domain.explanation import (
    Adopted,
    Asking,
    Code,
    Data,
    Event,
    Explanation,
    Judged,
    LedgerSeen,
    Standing,
    Tagging,
    Way,
    in_order,
)
from slipway.domain.identity import Identity
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Attempt, Image, Verdicts
from slipway.domain.tag import ReleaseTag, release_named
from slipway.errors import GitRefused

_LEFT = (Standing.RAN, Standing.WAS_FAILED, Standing.WAS_MERGED)


def run(text: str, *, folder: Path, now: datetime) -> Explanation:
    """
    Args:
        text: what a person pasted: a digest, a tag, a pull request, an address.
        folder: the repository that it is looked up in, or a folder inside of it.
        now: the moment that the age of the ledger is counted to.

    Raises:
        CannotExplain: nothing that is here tells of it, or it could be several things.
        BadFile, NewerSchema: a page of it, or a manifest, cannot be read.
    """
    asked = parse_asked(text)
    repository = Repository.around(folder)
    clone = Clone.around(repository.root)
    seen = clone.ledger_seen(now=now)
    found = asked_release.find(asked, clone, seen)
    declared = [environment.name for environment in repository.settings().environments]
    return _explained(asked, found, declared, clone, seen)


def _explained(asked: Asked, found: Found, declared: Sequence[str], clone: Clone, seen: LedgerSeen) -> Explanation:
    tag, history = found.tag, History(Ledger(clone))
    pages = ReleasePages.of(tag, history)
    environments = dict.fromkeys((*declared, *pages.environments))
    tagging, code, adoptions = _tagging(tag, pages, clone), _code(pages), _adoptions(pages)
    of_each = {name: incidents.about(tag, name, history.ledger) for name in environments}
    looked = [places.look(name, pages, of_each[name], clone) for name in environments]
    identity, verdicts, image = pages.newest(Identity), pages.newest(Verdicts), pages.newest(Image)
    held = deploy_tree.quarantine(clone)
    return Explanation(
        asked=Asking(text=asked.text, found_as=found.found_as, where=found.where),
        release=str(tag),
        model=tag.model,
        version=tag.image_tag,
        bump=identity.body.bump if identity else None,
        compared_with=identity.body.compared.version if identity and identity.body.compared else None,
        tag=tagging,
        code=code,
        data=_data(pages),
        judged=_judged(pages),
        adopted=adoptions[-1] if adoptions else None,
        image=image.body if image else None,
        rebased_from=identity.body.rebase.of if identity and identity.body.rebase else None,
        attempts=tuple(page.body.jobs for page in pages.all(Attempt)) if verdicts is None else (),
        places=tuple(place for one in looked if (place := places.told(one)) is not None),
        incidents=tuple(incidents.told(one, tag.model) for each in of_each.values() for one in each),
        quarantine=tuple(entry for entry in held if entry.holds(tag.model, tag.image_tag)),
        ways=tuple(way for one in looked if (way := _way(one, held, history)) is not None),
        story=_story(pages, looked, tagging),
        ledger=_with_signs(seen, looked, pages),
        manifests=clone.manifests_seen(),
        unknown=tuple(_unknown(tagging, code, clone)),
        adoptions=adoptions,
    )


def _tagging(tag: ReleaseTag, pages: ReleasePages, clone: Clone) -> Tagging | None:
    """As recorded; only when it was made is asked of git, as far as it still names the same."""
    identity = pages.newest(Identity)
    try:
        here = git.resolve_tag(clone.repository, tag.git_tag)
    except GitRefused:
        here = None
    if identity is None:
        return release_events.tagging_in_git(here)
    told = identity.body
    is_same = here is not None and here.object_id == told.tag_object
    return Tagging(
        tag=told.tag,
        object_id=told.tag_object,
        by=told.tagger,
        message=told.message,
        at=here.tagged_at.isoformat() if here and is_same and here.tagged_at else None,
        moved_to=here.commit if here and not is_same else None,
    )


def _code(pages: ReleasePages) -> Code | None:
    identity = pages.newest(Identity)
    if identity is None:
        return None
    verdicts = pages.newest(Verdicts)
    judged_by = (verdicts or identity).circumstances
    return Code(
        commit=identity.body.commit,
        committed_at=identity.body.committed_at,
        tooling=judged_by.tooling,
        slipway=judged_by.slipway,
        run_url=judged_by.run_url,
    )


def _data(pages: ReleasePages) -> Data | None:
    identity, conversion = pages.newest(Identity), pages.newest(Conversion)
    if identity is None:
        return None
    return Data(
        source=identity.body.source_digest,
        samples=identity.body.samples,
        origin=identity.body.origin,
        onnx=conversion.body.onnx if conversion else None,
    )


def _judged(pages: ReleasePages) -> Judged | None:
    written = pages.all(Verdicts)
    if not written:
        return None
    newest = written[-1].body
    return Judged(
        verdict=newest.verdict,
        at=written[-1].circumstances.written_at,
        findings=newest.findings,
        waivers=newest.waivers,
        void_waivers=newest.void_waivers,
        policies_digest=newest.policies_digest,
        earlier=tuple(page.body.verdict for page in written[:-1]),
    )


def _adoptions(pages: ReleasePages) -> tuple[Adopted, ...]:
    """The newest of each environment, in order of time."""
    newest = {page.body.environment: page.body for page in pages.all(Baseline)}
    return tuple(
        Adopted(
            environment=told.environment, by=told.by, at=told.when, image=told.image, onnx=told.onnx, note=told.note
        )
        for told in sorted(newest.values(), key=lambda one: one.when)
    )


def _way(seen: places.Seen, held: tuple[QuarantineEntry, ...], history: History) -> Way | None:
    """How to leave it where it runs, and how to come back to it where it ran."""
    place, tag = places.told(seen), seen.pages.tag
    if place is None or place.standing is Standing.PROPOSED:
        return None
    if place.standing in _LEFT:
        why_not = _why_not(tag, held, history)
        return _way_to(seen, None if why_not else tag.image_tag, why_not)
    if place.standing is Standing.CANARY:
        return _way_to(seen, seen.now.tag if seen.now else None, "")
    reasons = [(version, _why_not(release_named(tag.model, version), held, history)) for version in seen.before]
    to = next((version for version, why_not in reasons if not why_not), None)
    nothing = f"nothing ran in {seen.environment} before it"
    return _way_to(seen, to, "" if to else "; ".join(why for _, why in reasons) or nothing)


def _way_to(seen: places.Seen, to: str | None, why_not: str) -> Way:
    command = commands.rollback(seen.pages.tag.model, environment=seen.environment, to=to) if to else ""
    return Way(environment=seen.environment, to=to, command=command, why_not=why_not)


def _why_not(tag: ReleaseTag | None, held: tuple[QuarantineEntry, ...], history: History) -> str:
    """Why nobody may run it; empty where somebody may, as far as can be told without its image."""
    if tag is None:
        return "it is no version"
    entry = next((one for one in held if one.holds(tag.model, tag.image_tag)), None)
    if entry is not None:
        return entry.says_of(tag.image_tag)
    if history.passed(tag) or history.has(tag, Baseline):
        return ""
    return f"{tag.image_tag} never passed"


def _story(pages: ReleasePages, looked: Sequence[places.Seen], tagging: Tagging | None) -> tuple[Event, ...]:
    found = [*release_events.of_release(pages, tagging)]
    for one in looked:
        found += release_events.of_changes(one)
        found += [event for each in one.incidents for event in incidents.events(each)]
    return in_order(found)


def _with_signs(seen: LedgerSeen, looked: Sequence[places.Seen], pages: ReleasePages) -> LedgerSeen:
    """What git knows and the ledger does not: it is older than the manifests, or a rollout is still under way."""
    signs = [
        f"{one.environment} is to run {one.now.tag} of {pages.tag.model}, whose rollout it does not have"
        for one in looked
        if one.now is not None and (not one.lived or one.lived[-1].digest != one.now.digest)
    ]
    return seen.model_copy(update={"stale": (*seen.stale, *signs)})


def _unknown(tagging: Tagging | None, code: Code | None, clone: Clone) -> Iterator[str]:
    """What a reader would look for in vain, and why."""
    if tagging is not None and tagging.at is None and tagging.moved_to is None:
        yield "when it was tagged: the tag is not in this clone; git fetch --tags brings it"
    if code is not None and code.tooling is None:
        yield "the commit of the Slipway that released it: its pages are older than that was recorded"
    if clone.is_shallow:
        yield "who merged before the history of this clone begins; git fetch --unshallow brings it"
