"""What the ledger says, as pages: which versions passed, what they were, what production saw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic import ValidationError
from semver import Version

from slipway.adapters.ledger import Ledger
from slipway.domain.baseline import Baseline
from slipway.domain.incident import IncidentKind, IncidentVerdicts, IssueAction, IssueFiled, Window, is_of_watch
from slipway.domain.pages import Body, Page, parse_page
from slipway.domain.release import Image, Rollout, Verdicts
from slipway.domain.tag import ReleaseTag, is_model_name, release_named
from slipway.domain.upkeep import StoppedWorkflow
from slipway.domain.verdict import Verdict
from slipway.domain.write_back import WriteBack
from slipway.errors import BadFile

BodyT = TypeVar("BodyT", bound=Body)
_PATIENCE = timedelta(days=3)  # a schedule of GitHub's can be late by hours, and is skipped under load


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What was judged last, and the number of the issue about it; None where none was filed yet."""

    verdicts: IncidentVerdicts
    issue: int | None


@dataclass(frozen=True, slots=True)
class History:
    """A typed view of the ledger; it writes nothing."""

    ledger: Ledger

    def versions(self, model: str) -> list[Version]:
        """All tagged versions that have a page, lowest first."""
        return [tag.version for tag in self.releases(model) if tag.revision == 1]

    def releases(self, model: str) -> list[ReleaseTag]:
        """All versions and revisions that have a page, lowest first."""
        names = {PurePosixPath(path).parts[1] for path in self._paths(model) if path.count("/") >= 2}
        found = (release_named(model, name) for name in names)
        return sorted((tag for tag in found if tag is not None), key=lambda tag: tag.precedence)

    def models(self) -> list[str]:
        names = {PurePosixPath(path).parts[0] for path in self._paths("")}
        return sorted(name for name in names if is_model_name(name))

    def page(self, tag: ReleaseTag, kind: type[BodyT]) -> Page[BodyT] | None:
        """The newest page of a kind of one release."""
        return self._latest(release_folder(tag), kind)

    def has(self, tag: ReleaseTag, kind: type[Body]) -> bool:
        """Whether a release has a page of a kind, readable or not."""
        return self.ledger.latest(release_folder(tag), kind.kind) is not None

    def pages(self, tag: ReleaseTag, kind: type[BodyT]) -> list[Page[BodyT]]:
        """Every page of a kind of one release, oldest first."""
        return self._in_order(release_folder(tag), kind)

    def incident_page(self, model: str, environment: str, incident: str, kind: type[BodyT]) -> Page[BodyT] | None:
        return self._latest(incident_folder(model, environment, incident), kind)

    def incident_pages(self, model: str, environment: str, incident: str, kind: type[BodyT]) -> list[Page[BodyT]]:
        """Every page of a kind of one incident, oldest first."""
        return self._in_order(incident_folder(model, environment, incident), kind)

    def pages_of_incident(self, model: str, environment: str, incident: str) -> dict[str, bytes]:
        """File name → content of every page of one incident."""
        found = self.ledger.pages(incident_folder(model, environment, incident))
        return {PurePosixPath(path).name: content for path, content in found.items()}

    def incidents(self, model: str, environment: str) -> list[str]:
        """The ids of all incidents, oldest first: an id begins with its day."""
        under = f"{model}/{environment}/incidents"
        return sorted({PurePosixPath(path).parts[3] for path in self._paths(under)})

    def open_incident(self, model: str, environment: str) -> OpenIncident | None:
        """The newest that the watch found, unless its issue was closed."""
        found = [one for one in self.incidents(model, environment) if is_of_watch(one)]
        return self._newest_open(model, environment, found)

    def open_rollout(self, model: str, environment: str) -> OpenIncident | None:
        """The newest rollout that failed, unless its issue was closed."""
        return self._newest_open(model, environment, self.failed_rollouts(model, environment))

    def failed_rollouts(self, model: str, environment: str) -> list[str]:
        """The ids of the incidents, oldest first."""
        return [one for one in self.incidents(model, environment) if IncidentKind.ROLLOUT_FAILED.names(one)]

    def all_failed_rollouts(self) -> list[tuple[str, str, str]]:
        """Model, environment and id of each, in no order."""
        found = {tuple(PurePosixPath(path).parts[:4]) for path in self._paths("") if "/incidents/" in path}
        places = [(model, environment, incident) for model, environment, _, incident in found]
        return [place for place in places if IncidentKind.ROLLOUT_FAILED.names(place[2])]

    def rollouts(self, model: str, environment: str) -> list[Rollout]:
        """What was verified in an environment and got all of its traffic, oldest first.

        Those of one day are in the order of their versions, lowest first.
        """
        return [one for one in self._rollouts(model, environment) if not one.canary]

    def canaries(self, model: str, environment: str) -> list[Rollout]:
        """What was verified as a canary, in that order."""
        return [one for one in self._rollouts(model, environment) if one.canary]

    def _rollouts(self, model: str, environment: str) -> list[Rollout]:
        found = [page.body for page in self._below(model, Rollout)]
        return sorted(
            (one for one in found if one.environment == environment),
            key=lambda one: (one.live_since, ReleaseTag.parse(f"{model}@{one.version}").precedence),
        )

    def write_backs(self, model: str, environment: str) -> list[Page[WriteBack]]:
        """What MLflow was told of an environment, whichever version it was about, oldest first."""
        told = [page for page in self._below(model, WriteBack) if page.body.environment == environment]
        return sorted(told, key=lambda page: page.circumstances.written_at)

    def canary_page(self, model: str, environment: str, version: str, kind: type[BodyT]) -> Page[BodyT] | None:
        """The newest page of a kind about a version that was a canary."""
        return self._latest(canary_folder(model, environment, version), kind)

    def canary_pages(self, model: str, environment: str, version: str, kind: type[BodyT]) -> list[Page[BodyT]]:
        """Every page of a kind about it, oldest first."""
        return self._in_order(canary_folder(model, environment, version), kind)

    def _newest_open(self, model: str, environment: str, incidents: Sequence[str]) -> OpenIncident | None:
        for incident in reversed(incidents):
            verdicts = self.incident_page(model, environment, incident, IncidentVerdicts)
            if verdicts is None:
                continue
            issue = self.incident_page(model, environment, incident, IssueFiled)
            if issue is not None and issue.body.action is IssueAction.CLOSED:
                return None
            return OpenIncident(verdicts.body, issue.body.number if issue else None)
        return None

    def pages_of(self, tag: ReleaseTag) -> dict[str, bytes]:
        """File name → content of every page of one release."""
        return {PurePosixPath(path).name: content for path, content in self.ledger.pages(release_folder(tag)).items()}

    def pages_of_all(self, tags: Iterable[ReleaseTag]) -> dict[ReleaseTag, dict[str, bytes]]:
        """File name → content of every page of each release, read at once; empty for one without a page."""
        folders = {release_folder(tag): tag for tag in tags}
        found: dict[ReleaseTag, dict[str, bytes]] = {tag: {} for tag in folders.values()}
        for path, content in self.ledger.pages_in(folders.keys()).items():
            folder, _, name = path.rpartition("/")
            found[folders[folder]][name] = content
        return found

    def passed_versions(self, model: str) -> Iterator[ReleaseTag]:
        """The releases and revisions that passed, and what was adopted, highest first."""
        return (tag for tag in reversed(self.releases(model)) if self.passed(tag))

    def passed(self, tag: ReleaseTag) -> bool:
        """Whether a release passed; one that was adopted ran before anybody could judge it, and counts as well."""
        verdicts = self.page(tag, Verdicts)
        if verdicts is None:
            return self.has(tag, Baseline)
        return verdicts.body.verdict is Verdict.PASS

    def digests(self, tag: ReleaseTag) -> tuple[str, ...]:
        """The images that a version was released or adopted as, the newest last."""
        adopted = [page.body.image for page in self.pages(tag, Baseline)]
        released = [page.body.digest for page in self.pages(tag, Image)]
        return tuple(digest for digest in (*adopted, *released) if digest is not None)

    def baseline(self, tag: ReleaseTag) -> Baseline | None:
        """What a version was adopted as; None where it was released."""
        page = self.page(tag, Baseline)
        return None if page is None else page.body

    def baselines(self, model: str) -> tuple[Baseline, ...]:
        """All that was adopted of a model, an environment each, lowest version first."""
        found = [
            parse_page(Baseline, content, where=f"ledger:{path}").body
            for path, content in self.ledger.pages_of_kind(Baseline.kind, under=model).items()
        ]
        return tuple(sorted(found, key=lambda one: (one.release.version, one.environment)))

    def windows(self, model: str, environment: str, *, version: str) -> tuple[Window, ...]:
        """The windows that one version served, oldest first; a window that was measured again counts once."""
        newest: dict[object, Window] = {}
        for path, content in sorted(self.ledger.pages(windows_folder(model, environment)).items()):
            for line in content.decode().splitlines():
                window = _window(line, where=path)
                if window.version == version:
                    newest[window.start] = window
        return tuple(sorted(newest.values(), key=lambda window: window.start))

    def workflows(self) -> list[str]:
        """Those that ever left a heartbeat."""
        return sorted({PurePosixPath(path).parts[1] for path in self._paths("_heartbeats")})

    def heartbeat(self, workflow: str) -> date | None:
        """The day on which a workflow ran last, None where it never did."""
        folder = heartbeats_folder(workflow)
        months = sorted(self._paths(folder))
        last = self.ledger.read(months[-1]) if months else None
        return None if last is None else max(_day(line, where=months[-1]) for line in last.decode().splitlines())

    def stopped(self, *workflows: str, today: date) -> tuple[StoppedWorkflow, ...]:
        """Those that ran once, and then not for days: GitHub switches schedules off in silence."""
        beats = ((workflow, self.heartbeat(workflow)) for workflow in workflows)
        return tuple(
            StoppedWorkflow(workflow=workflow, last=last)
            for workflow, last in beats
            if last is not None and last + _PATIENCE < today
        )

    def pages_of_window(self, model: str, environment: str, *, until: date, subject: str) -> dict[str, bytes]:
        """What an earlier run found and did about the same window, from the incident that was the last by then."""
        found = [one for one in self.incidents(model, environment) if one[:10] <= until.isoformat()]
        watched = [one for one in found if is_of_watch(one)]
        pages = self.ledger.pages(incident_folder(model, environment, watched[-1])) if watched else {}
        return {
            PurePosixPath(path).name: content
            for path, content in pages.items()
            if json.loads(content).get("subject") == subject
        }

    def _in_order(self, folder: str, kind: type[BodyT]) -> list[Page[BodyT]]:
        return sorted(self._below(folder, kind), key=lambda page: page.number)

    def _below(self, folder: str, kind: type[BodyT]) -> list[Page[BodyT]]:
        found = self.ledger.pages_of_kind(kind.kind, under=folder)
        return [parse_page(kind, content, where=f"ledger:{path}") for path, content in found.items()]

    def _latest(self, folder: str, kind: type[BodyT]) -> Page[BodyT] | None:
        stored = self.ledger.latest(folder, kind.kind)
        return None if stored is None else parse_page(kind, stored.content, where=f"ledger:{stored.path}")

    def _paths(self, under: str) -> Mapping[str, str]:
        head = self.ledger.forge.head("ledger")
        return {} if head is None else self.ledger.forge.list_files(head, under)


def release_folder(tag: ReleaseTag) -> str:
    return f"{tag.model}/{tag.image_tag}"


def incident_folder(model: str, environment: str, incident: str) -> str:
    return f"{model}/{environment}/incidents/{incident}"


def canary_folder(model: str, environment: str, version: str) -> str:
    """Where it is told what a canary answered, and what was made of it: also of one that was good."""
    return f"{model}/{environment}/canaries/{version}"


def windows_folder(model: str, environment: str) -> str:
    return f"{model}/{environment}/windows"


def heartbeats_folder(workflow: str) -> str:
    """No model's name begins with an underscore."""
    return f"_heartbeats/{workflow}"


def _day(line: str, *, where: str) -> date:
    try:
        return date.fromisoformat(json.loads(line)["day"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(
            f"ledger:{where} has a line that is no heartbeat", mend="update Slipway in this repository"
        ) from error


def _window(line: str, *, where: str) -> Window:
    try:
        told = json.loads(line)
        return Window.from_line(told)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise BadFile(
            f"ledger:{where} has a line that is no window", mend="update Slipway in this repository"
        ) from error
