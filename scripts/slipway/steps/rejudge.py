"""Judge again what is deployed, under policies that somebody proposes: from the ledger, and without any model.

What the watch asks (drift, the version before, the drop of a metric) needs a window, and is judged with the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import zip_longest
from typing import TypeVar

from semver import Version

from slipway.adapters import deploy_tree
from slipway.adapters.forge import Branches
from slipway.adapters.history import release_folder
from slipway.adapters.repository import parse_policies
from slipway.adapters.workplace import Workplace
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.policy import Policies
from slipway.domain.proposed import ChangedFinding, NobodysWaiver, Rejudged, Rejudgement, Unjudged
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Finding
from slipway.errors import BadFile, BadTag, NewerSchema
from slipway.gates import RELEASE_GATES, verdicts_of, void_waivers, waivers_in_force

BodyT = TypeVar("BodyT", bound=Body)


def run(*, policies: Policies, today: date, workplace: Workplace) -> Rejudgement:
    """Compare `policies` with those of the default branch, for every version that an environment runs.

    Raises:
        BadFile: a policy of the default branch cannot be read.
    """
    before = _in_force(workplace.forge)
    judged: list[Rejudged] = []
    unjudged: list[Unjudged] = []
    for environment, model in deploy_tree.everything_deployed(workplace.forge):
        try:
            case = _case(environment, model, workplace)
        except (BadFile, BadTag, NewerSchema) as error:
            unjudged.append(Unjudged(environment=environment, model=model, problem=error.problem, mend=error.mend))
            continue
        old, new = (_verdicts(case, each, today=today) for each in (before, policies))
        judged.append(
            Rejudged(
                environment=environment,
                tag=case.identity.tag,
                before=old.verdict,
                after=new.verdict,
                changed=_changed(old.findings, new.findings),
                void_waivers=new.void_waivers,
            )
        )
    strangers = tuple(_waivers_of_nobody(policies, workplace))
    return Rejudgement(judged=tuple(judged), unjudged=tuple(unjudged), waivers_of_nobody=strangers)


def _waivers_of_nobody(policies: Policies, workplace: Workplace) -> Iterator[NobodysWaiver]:
    """A misspelt one lets nothing through, and its author believes that it does."""
    models = {*workplace.repository.model_names(), *workplace.history.models()}
    for name in RELEASE_GATES:
        for waiver in getattr(policies, name).waivers:
            if waiver.model not in models:
                yield NobodysWaiver(gate=name, model=waiver.model, version=waiver.version, unknown="model")
            elif Version.parse(waiver.version[1:]) not in workplace.history.versions(waiver.model):
                yield NobodysWaiver(gate=name, model=waiver.model, version=waiver.version, unknown="version")


def _in_force(forge: Branches) -> Policies:
    """What the default branch says."""
    head = forge.head(forge.default_branch)

    return parse_policies(
        lambda name: forge.read(head, f"policies/{name}") if head is not None else None,
        where=f"{forge.default_branch}:policies",
    )


def _case(environment: str, model: str, workplace: Workplace) -> ReleaseCase:
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        raise BadFile(f"{environment} stopped running {model} a moment ago", mend="run again")
    tag = ReleaseTag.parse(f"{model}@{live.tag}")
    pages = workplace.history.pages_of(tag)
    evidence = _newest(pages, Evidence, tag)
    return ReleaseCase(
        identity=_newest(pages, Identity, tag).body,
        evidence=evidence.body,
        rehearsal=_newest(pages, Rehearsal, tag).body,
        cost=evidence.circumstances.cost,
    )


def _newest(pages: Mapping[str, bytes], kind: type[BodyT], tag: ReleaseTag) -> Page[BodyT]:
    found = [
        parse_page(kind, content, where=f"ledger:{release_folder(tag)}/{name}")
        for name, content in pages.items()
        if name.startswith(f"{kind.kind}.")
    ]
    if not found:
        raise BadFile(
            f"the ledger has no page `{kind.kind}` of {tag}, so it cannot be judged again",
            mend=f"run the release of {tag} again: it records what is missing",
        )
    return max(found, key=lambda page: page.number)


def _verdicts(case: ReleaseCase, policies: Policies, *, today: date) -> Verdicts:
    identity = case.identity
    waivers = waivers_in_force(policies, model=identity.model, version=identity.version, today=today)
    void = void_waivers(policies, model=identity.model, version=identity.version, today=today)
    return verdicts_of(case, policies, waivers, policies_digest="", void=void)  # nothing of it is kept


def _changed(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[ChangedFinding, ...]:
    old, new = _by_question(before), _by_question(after)
    pairs = (
        ChangedFinding(before=first, after=second)
        for question in {**old, **new}
        for first, second in zip_longest(old[question], new[question])
    )
    return tuple(pair for pair in pairs if pair.before != pair.after)


def _by_question(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """A gate can answer several times under one title: a major version tells each break."""
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.gate, finding.title].append(finding)
    return found
