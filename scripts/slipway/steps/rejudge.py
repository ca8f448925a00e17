"""Judge again what is deployed, under policies that somebody proposes: from the ledger, and without any model.

What the watch asks (drift, the version before, the drop of a metric) needs a window, and is judged with the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain, zip_longest
from typing import TypeVar

from slipway.adapters import deploy_tree
from slipway.adapters.history import release_folder
from slipway.adapters.manifests import Deployed
from slipway.adapters.repository import parse_policies
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.policy import Policies
from slipway.domain.proposed import ChangedFinding, NobodysWaiver, Rejudged, Rejudgement, Unjudged
from slipway.domain.release import Rehearsal, VoidWaiver, WaiverUsed
from slipway.domain.tag import ReleaseTag, release_named
from slipway.domain.verdict import Finding, Verdict, verdict_of
from slipway.errors import BadFile, NewerSchema
from slipway.gates import RELEASE_GATES, findings_of, void_waivers, waivers_in_force

BodyT = TypeVar("BodyT", bound=Body)
_Findings = Mapping[str, tuple[Finding, ...]]  # by the name of their gate
_POLICIES = "policies"


def run(*, policies: Policies, today: date, workplace: Workplace) -> Rejudgement:
    """Compare `policies` with those of the default branch, for every version that an environment runs.

    Raises:
        BadFile: a policy of the default branch cannot be read.
    """
    branch = workplace.forge.default_branch
    files = deploy_tree.files_at_head(workplace.forge, deploy_tree.FOLDER, _POLICIES)
    change = _Change(_in_force(files, branch), policies, today)
    found = deploy_tree.deployed_by(files)
    tags = {place: _tag(place[1], live) for place, live in found.items() if not isinstance(live, BadFile)}
    pages = workplace.history.pages_of_all(tags.values())
    judged: list[Rejudged] = []
    unjudged: list[Unjudged] = []
    for (environment, model), live in found.items():
        try:
            if isinstance(live, BadFile):
                raise live
            tag = tags[environment, model]
            judged.append(_rejudged(environment, _case(tag, pages[tag]), change))
        except (BadFile, NewerSchema) as error:
            unjudged.append(Unjudged(environment=environment, model=model, problem=error.problem, mend=error.mend))
    strangers = tuple(_waivers_of_nobody(policies, workplace))
    return Rejudgement(judged=tuple(judged), unjudged=tuple(unjudged), waivers_of_nobody=strangers)


@dataclass(frozen=True)
class _Change:
    """The policies in force, and those that are proposed."""

    before: Policies
    after: Policies
    today: date

    @cached_property
    def gates(self) -> frozenset[str]:
        """Those whose policy changes: what any other finds is the same under both."""
        return frozenset(name for name in RELEASE_GATES if getattr(self.before, name) != getattr(self.after, name))


def _rejudged(environment: str, case: ReleaseCase, change: _Change) -> Rejudged:
    void = _void(case, change.after, change.today)
    old = findings_of(
        case,
        change.before,
        _waivers(case, change.before, change.today),
        void=_void(case, change.before, change.today),
    )
    new = findings_of(case, change.after, _waivers(case, change.after, change.today), void=void, of=change.gates)
    return Rejudged(
        environment=environment,
        tag=str(case.identity.release),
        before=_verdict(old),
        after=_verdict({**old, **new}),
        changed=_changed({name: old[name] for name in new}, new),
        void_waivers=void,
    )


def _waivers_of_nobody(policies: Policies, workplace: Workplace) -> Iterator[NobodysWaiver]:
    """A misspelt one lets nothing through, and its author believes that it does."""
    waivers = [(name, waiver) for name in RELEASE_GATES for waiver in getattr(policies, name).waivers]
    models = {*workplace.repository.model_names(), *workplace.history.models()} if waivers else set()
    versions = {model: workplace.history.releases(model) for model in {waiver.model for _, waiver in waivers} & models}
    for gate, waiver in waivers:
        if waiver.model not in models:
            yield NobodysWaiver(gate=gate, model=waiver.model, version=waiver.version, unknown="model")
        elif release_named(waiver.model, waiver.version) not in versions[waiver.model]:
            yield NobodysWaiver(gate=gate, model=waiver.model, version=waiver.version, unknown="version")


def _in_force(files: Mapping[str, bytes], branch: str) -> Policies:
    """What the default branch says."""
    return parse_policies(lambda name: files.get(f"{_POLICIES}/{name}"), where=f"{branch}:{_POLICIES}")


def _tag(model: str, live: Deployed) -> ReleaseTag:
    return ReleaseTag.parse(f"{model}@{live.tag}")


def _case(tag: ReleaseTag, pages: Mapping[str, bytes]) -> ReleaseCase:
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
    if not found and any(name.startswith(f"{Baseline.kind}.") for name in pages):
        raise BadFile(
            f"{tag} was adopted as what ran before the first release, so no policy ever judged it",
            mend="nothing is to be done: the next release is judged",
        )
    if not found:
        raise BadFile(
            f"the ledger has no page `{kind.kind}` of {tag}, so it cannot be judged again",
            mend=f"run the release of {tag} again: it records what is missing",
        )
    return max(found, key=lambda page: page.number)


def _waivers(case: ReleaseCase, policies: Policies, today: date) -> tuple[WaiverUsed, ...]:
    return waivers_in_force(policies, model=case.identity.model, version=case.identity.version, today=today)


def _void(case: ReleaseCase, policies: Policies, today: date) -> tuple[VoidWaiver, ...]:
    return void_waivers(policies, model=case.identity.model, version=case.identity.version, today=today)


def _verdict(findings: _Findings) -> Verdict:
    return verdict_of(chain.from_iterable(findings.values()))


def _changed(before: _Findings, after: _Findings) -> tuple[ChangedFinding, ...]:
    old, new = _by_question(before), _by_question(after)
    pairs = (
        ChangedFinding(before=first, after=second)
        for question in {**old, **new}
        for first, second in zip_longest(old[question], new[question])
    )
    return tuple(pair for pair in pairs if pair.before != pair.after)


def _by_question(findings: _Findings) -> dict[tuple[str, str], list[Finding]]:
    """A gate can answer several times under one title: a major version tells each break."""
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in chain.from_iterable(findings.values()):
        found[finding.gate, finding.title].append(finding)
    return found
