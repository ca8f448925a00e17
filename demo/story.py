"""The story: four tags, a summer, an autumn, and a sensor that gets stuck.

The acts say what is tried. What comes of it is read from the pages: another season, another fault or another model
make another story, and it is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from slipway.domain.incident import IncidentVerdicts, IssueAction, IssueFiled, Outcome, Reversion, WindowEvidence
from slipway.domain.release import Proposal, Verdicts
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict

from demo.team import ENVIRONMENT, MODEL, Team
from demo.telling import Teller
from demo.traffic import FAULTS, Fault, Traffic, as_request, nothing_breaks, request_id, write_labels

_WEEK = timedelta(days=7)
_SCHEDULE = ("hour", "minute", "distance", "dow", "carrier", "origin", "dest")
_DEPARTURE = (*_SCHEDULE, "dep_delay")
_FAULT_WEEKS = 4  # how long the fault may stay unnoticed before the story ends


@dataclass(slots=True)
class Story:
    """`asked` is what clients send: what the newest version that went live asks for."""

    team: Team
    traffic: Traffic
    fault: str
    asked: tuple[str, ...] = _SCHEDULE
    seen: list[WindowEvidence] = field(default_factory=list)

    @property
    def teller(self) -> Teller:
        return self.team.teller

    def tell(self) -> None:
        self.teller.act(1, "The first model: a tag, a pull request, a live server")
        self.release("v1.0.0", "Late or not, from the timetable", on=date(2013, 4, 1))
        self.watch(date(2013, 4, 1), until=date(2013, 7, 31))

        self.teller.act(2, "More months of training: a minor version, and what its reviewer reads")
        self.team.lay_down("v1.1.0")
        self.team.commit("Train flight-delay on January to June")
        self.release("v1.1.0", "Train on January to June", on=date(2013, 8, 1))

        self.teller.act(3, "Late summer and autumn, as they really were")
        self.watch(date(2013, 8, 1), until=date(2013, 10, 9))

        self.teller.act(4, "A better input under a minor number")
        self.team.lay_down("v1.2.0")
        self.team.commit("Use the departure delay")
        self.release("v1.2.0", "Use departure delay", on=date(2013, 10, 10))

        self.teller.act(5, "The same model, with the break stated")
        self.team.lay_down("v2.0.0")
        self.team.commit("State what v2.0.0 breaks")
        if self.release("v2.0.0", "Use departure delay", on=date(2013, 10, 10)):
            self.asked = _DEPARTURE
        self.watch(date(2013, 10, 10), until=date(2013, 11, 27))

        self.teller.act(6, f"Something breaks in production: {self.fault.replace('-', ' ')}")
        end = self.watch(
            date(2013, 11, 28), until=date(2013, 11, 28) + _FAULT_WEEKS * _WEEK, fault=FAULTS[self.fault], may_end=True
        )
        if end is not None:
            self.teller.says("\nThe fault is mended on the same day; the watch looks on.")
            self.watch(end, until=end + _WEEK)
        self.team.slipway("status")
        self._explain_what_runs()

    def _explain_what_runs(self) -> None:
        """The last question: what is this digest?"""
        live = self.team.engine.live(MODEL, ENVIRONMENT)
        if live is not None:
            self.team.slipway("explain", live.digest)

    def release(self, version: str, message: str, *, on: date) -> bool:
        """Tag, run the steps as a release does, and merge what passed; say whether it went live."""
        tag = ReleaseTag.parse(f"{MODEL}@{version}")
        self.team.tag(str(tag), message)
        for step in ("resolve-tag", "convert-to-onnx", "measure-consistency", "rehearse-rollback"):
            if self.team.slipway(step, str(tag)):
                return False
        self.team.slipway("judge", str(tag))
        verdicts = self.team.workplace.release(tag).page(Verdicts, written_by="judge").body
        if verdicts.verdict is Verdict.FAIL:
            self.team.slipway("file-issue", str(tag))
            self.team.slipway("record-pages", str(tag))
            return False
        for step in ("build-image", "bump-manifest", "file-issue", "record-pages"):
            self.team.slipway(step, str(tag))
        return self._merge(tag, on=on)

    def _merge(self, tag: ReleaseTag, *, on: date) -> bool:
        """The reviewer's part: read, then press the button; a draft waits for more evidence."""
        proposal = self.team.workplace.release(tag).page(Proposal, written_by="bump-manifest").body
        if proposal.pull is None:
            return False
        self.teller.document(self.team.workplace.forge.pull(proposal.pull).body)
        if proposal.draft:
            self.teller.says("It stays a draft: it can be merged once a waiver or more rows make it pass.")
            return False
        self.team.slipway("merge", str(proposal.pull))
        self._roll_out(on)
        return True

    def _roll_out(self, on: date) -> None:
        self.team.slipway("verify-rollout", MODEL, "--environment", ENVIRONMENT, "--on", on.isoformat())
        live = self.team.engine.live(MODEL, ENVIRONMENT)
        if live is not None:
            self.team.slipway_quietly("record-pages", f"{MODEL}@{live.version}")

    def watch(self, first: date, *, until: date, fault: Fault = nothing_breaks, may_end: bool = False) -> date | None:
        """Serve and look, week by week; where `may_end`, stop after a way back and return the next day."""
        self.teller.says(f"{'week':<24}{'version':<9}{'rows':>7}  {'F1 of 28 days':<24}{'largest drift':<22}watch")
        for start in _weeks(first, until):
            end = start + _WEEK - timedelta(days=1)
            self._serve(start, end, fault)
            reversion = self._look(end)
            if reversion is not None:
                self._go_back(reversion, on=end + timedelta(days=1))
                if may_end:
                    return end + timedelta(days=1)
        return None

    def _serve(self, start: date, end: date, fault: Fault) -> None:
        place, live = self.team.workplace, self.team.engine.live(MODEL, ENVIRONMENT)
        if live is None:
            return
        for day in _days(start, end):
            flights = self.traffic.on(day)
            if len(flights["time"]) == 0:
                continue
            batch = as_request(fault(flights), self.asked)
            self.team.engine.ask(live, batch, request_id=request_id(day), times=flights["time"])
            write_labels(place.served_log(MODEL, ENVIRONMENT).labels_folder, day, np.asarray(flights["late"]))
        self.team.engine.flush_log(live)

    def _look(self, end: date) -> Reversion | None:
        """What the scheduled watch does: measure, judge, answer, record."""
        window = (MODEL, "--environment", ENVIRONMENT, "--until", end.isoformat())
        for step in ("measure-drift", "judge", "revert-manifest", "file-issue", "record-pages"):
            self.team.slipway_quietly(step, *window)
        record = self.team.workplace.window(MODEL, ENVIRONMENT, end.isoformat())
        evidence = record.page(WindowEvidence, written_by="measure-drift").body
        verdicts = record.page(IncidentVerdicts, written_by="judge").body
        issue = record.page(IssueFiled, written_by="file-issue").body
        self.seen.append(evidence)
        self.teller.says(_row(evidence, verdicts))
        if issue.action in (IssueAction.OPENED, IssueAction.REOPENED, IssueAction.CLOSED):
            self.teller.says(f"  issue #{issue.number} {issue.action}: {issue.title}")
        if issue.action is IssueAction.OPENED and issue.number is not None:
            self.teller.document(self.team.workplace.forge.issue(issue.number).body.split("**History**")[0])
        reversion = record.latest(Reversion)
        return reversion.body if reversion else None

    def _go_back(self, reversion: Reversion, *, on: date) -> None:
        if reversion.pull is not None:
            self.teller.document(self.team.workplace.forge.pull(reversion.pull).body)
            self.team.slipway("merge", str(reversion.pull))
        self._roll_out(on)


def _row(evidence: WindowEvidence, verdicts: IncidentVerdicts) -> str:
    window = evidence.window
    f1 = window.trailing.metrics.get("f1") if window.trailing else None
    largest = max(window.drift, key=lambda one: one.low, default=None)
    moved = f"{largest.feature} {largest.low:.3f}" if largest else "–"
    noticed = any(finding.problem for finding in verdicts.findings)
    outcome = "quiet, with a notice" if verdicts.outcome is Outcome.QUIET and noticed else verdicts.outcome
    return (
        f"{window.start} to {window.end:%m-%d}  {window.version:<9}{window.rows:>7,}  "
        f"{str(f1) if f1 else '–':<24}{moved:<22}{outcome}"
    )


def _weeks(first: date, until: date) -> Iterator[date]:
    """Whole weeks only: a window is never shorter than its policy says."""
    while first + _WEEK - timedelta(days=1) <= until:
        yield first
        first += _WEEK


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
