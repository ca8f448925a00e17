"""Find the one release that somebody asks about, or say where it was looked for in vain."""

from __future__ import annotations

from slipway.adapters import deploy_tree, git, ledger_search
from slipway.adapters.clone import FETCH_ALL, Clone
from slipway.adapters.forge.address import repository_of
from slipway.adapters.history import History
from slipway.adapters.ledger import Ledger
from slipway.adapters.ledger_search import Found
from slipway.domain.asked import Asked, AskedFor
from slipway.domain.explanation import FoundAs, LedgerSeen
from slipway.domain.tag import ReleaseTag
from slipway.errors import CannotExplain, GitRefused

_MOST_LISTED = 20


def find(asked: Asked, clone: Clone, seen: LedgerSeen) -> Found:
    """
    Raises:
        CannotExplain: nothing here tells of it, several releases have it, or it is of another repository.
    """
    _refuse_another_repository(asked, clone)
    return _only(asked, _candidates(asked, clone), clone, seen)


def _refuse_another_repository(asked: Asked, clone: Clone) -> None:
    """The same number is another pull request elsewhere."""
    here = repository_of(clone.repository, git.remote_url(clone.repository), {})
    if asked.repository and here and asked.repository.lower() != here.lower():
        raise CannotExplain(
            f"{asked.text} is of {asked.repository}, and this is a clone of {here}", mend="ask in a clone of that one"
        )


def _candidates(asked: Asked, clone: Clone) -> tuple[Found, ...]:
    ledger = Ledger(clone)
    if asked.what is AskedFor.DIGEST:
        return ledger_search.by_digest(ledger, asked.name)
    if asked.what is AskedFor.NUMBER:
        return ledger_search.by_number(ledger, int(asked.name))
    if asked.what is AskedFor.VERSION:
        tags = ledger_search.by_version(ledger, asked.name)
    else:
        tag = ReleaseTag.parse(asked.name)
        tags = (tag,) if History(ledger).pages_of(tag) else ()
    return tuple(Found(tag, FoundAs.TAG, asked.name, "") for tag in tags)


def _only(asked: Asked, found: tuple[Found, ...], clone: Clone, seen: LedgerSeen) -> Found:
    if len(found) == 1:
        return found[0]
    if not found:
        raise _not_found(asked, clone, seen)
    listed = [f"\n    {one.tag}, {one.found_as} {one.value}" for one in found[:_MOST_LISTED]]
    more = f"\n    and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    raise CannotExplain(
        f"`{asked.text}` is of {len(found)} releases:{''.join(listed)}{more}",
        mend=f"slipway explain {found[0].tag}, or another of them",
    )


def _not_found(asked: Asked, clone: Clone, seen: LedgerSeen) -> CannotExplain:
    looked = f"the ledger ({seen.ref}, of {seen.at[:10]})"
    mend = f"{FETCH_ALL}, then ask again" if clone.is_fetched else "ask for what runs: `slipway status` lists it"
    if asked.what in (AskedFor.TAG, AskedFor.VERSION):
        return _no_page(asked, looked, clone, mend)
    if asked.what is AskedFor.NUMBER:
        return CannotExplain(
            f"#{asked.name} is no pull request and no issue of a release: {looked} has no page that names it; those "
            "about settings, runtime images and the upkeep are in no ledger",
            mend=mend,
        )
    named = _named_by_manifests(asked.name, clone)
    begins = "" if len(asked.name) == 64 else " that begins so"
    return CannotExplain(f"{asked.name[:12]}: {looked} knows no image, layer or ONNX file{begins}{named}", mend=mend)


def _no_page(asked: Asked, looked: str, clone: Clone, mend: str) -> CannotExplain:
    """A tag that nobody released yet, or one that is older than what was adopted, and never will be."""
    problem = f"{asked.name}: {_in_git(asked.name, clone)}, and {looked} has no page of it"
    tag = ReleaseTag.parse(asked.name) if asked.what is AskedFor.TAG else None
    adoptions = () if tag is None else History(Ledger(clone)).baselines(tag.model)
    later = next((one.release for one in adoptions if tag is not None and one.is_of_before(tag)), None)
    if later is not None:
        why = f"it is older than the adoption of {later}, and Slipway releases no such tag"
        return CannotExplain(f"{problem}: {why}", mend=f"slipway explain {later}")
    return CannotExplain(problem, mend=f"{mend}; a tag that nobody released yet: slipway release TAG")


def _in_git(name: str, clone: Clone) -> str:
    try:
        tag = git.resolve_tag(clone.repository, name)
    except GitRefused:
        return "git has no such tag here"
    return f"git has the tag, at {tag.commit[:12]}" + (f" by {tag.tagger}" if tag.tagger else "")


def _named_by_manifests(digits: str, clone: Clone) -> str:
    """What a manifest says of a digest that the ledger does not have: it is older, or something went past it."""
    told = deploy_tree.everything_deployed(clone)
    named = [
        f"; deploy/{environment}/{model} names it as {one.tag}"
        for (environment, model), one in told.items()
        if not isinstance(one, Exception) and one.digest.removeprefix("sha256:").startswith(digits)
    ]
    return "".join(named[:1])
