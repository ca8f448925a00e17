"""What `slipway doctor` says of a repository: what will silently fail, and the mend of each."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Self

from slipway.domain.pages import Body, Frozen


class State(StrEnum):
    """In the order of their weight for the reader; `unavailable` cannot be had here, `unknown` was not seen."""

    PROBLEM = "problem"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    OK = "ok"


class Finding(Frozen):
    """`fixable` says that `slipway doctor --fix` mends it; `unanswered`, that the same command may see more later."""

    name: str
    state: State
    text: str
    mend: str = ""
    fixable: bool = False
    unanswered: bool = False


class Checkup(Body):
    """Findings with the gravest first, else in the order in which they were looked for."""

    kind: ClassVar[str] = "checkup"

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        order = list(State)
        return cls(findings=tuple(sorted(findings, key=lambda finding: order.index(finding.state))))

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.state is State.PROBLEM)

    @property
    def exit_code(self) -> int:
        """0: nothing to mend; 2: you can mend it; 12: somebody did not answer, and what did answer is well."""
        if self.problems:
            return 2
        return 12 if any(finding.unanswered for finding in self.findings) else 0


def ok(name: str, text: str) -> Finding:
    return Finding(name=name, state=State.OK, text=text)


def problem(name: str, text: str, mend: str, *, fixable: bool = False) -> Finding:
    return Finding(name=name, state=State.PROBLEM, text=text, mend=mend, fixable=fixable)
