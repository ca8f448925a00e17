"""Every failure that Slipway expects: what happened, and what mends it.

Anything else is a defect of ours: its traceback goes to the log file, and the reader gets one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class SlipwayError(Exception):
    """A problem that the reader can solve; the CLI prints it without a traceback."""

    exit_code = 2  # never 1: that is Python's own code for a crash

    def __init__(self, problem: str, *, mend: str) -> None:
        super().__init__(f"{problem}\n  mend: {mend}")
        self.problem = problem
        self.mend = mend

    def as_refusal(self) -> dict[str, str]:
        """What one process of ours writes of it for another, as JSON."""
        return {"refused": type(self).__name__, "problem": self.problem, "mend": self.mend}


class Unreachable(SlipwayError):
    """Something outside did not answer: no verdict is possible; the same command may work later."""

    exit_code = 12


class BadTag(SlipwayError):
    """A tag that names no release."""


class BadFile(SlipwayError):
    """A file of the repository that cannot be read as what it should be."""


class NewerSchema(SlipwayError):
    """A page written by a later Slipway than this one."""


class UnknownModel(SlipwayError):
    """A name without a `models/<name>/model.yaml`."""


class NotReleasable(SlipwayError):
    """A tag that is well formed but must not be released: moved, quarantined, off the default branch."""


class BranchMoved(SlipwayError):
    """Somebody else wrote the branch between our read and our write; the caller reads again."""

    exit_code = 12


class MergeConflict(SlipwayError):
    """A pull request that git cannot merge by itself."""


class PageExists(SlipwayError):
    """A page of the ledger that is already written with other content; pages are written once."""


class DigestMismatch(SlipwayError):
    """Bytes that are not what their digest says."""


class TagTaken(SlipwayError):
    """An image tag that already points at another digest; no tag is ever moved."""


class TrainingFailed(SlipwayError):
    """A team's own train.py that ended with an error."""


class ConversionFailed(SlipwayError):
    """The source model could not be loaded, converted or asked."""


class ModelRefused(SlipwayError):
    """A model file that is refused before it is loaded."""


class GitRefused(SlipwayError):
    """What git said no to: no repository, an unknown tag or commit, git itself missing."""


class ForgeRefused(SlipwayError):
    """What a forge said no to: a second pull request of a branch, an unknown number, a text too long."""


class RegistryRefused(SlipwayError):
    """A registry that answered no: the address, the credentials or the rights are wrong."""


class NoSuchImage(SlipwayError):
    """A tag, digest or blob that a repository of images does not hold."""


class UnusableImage(SlipwayError):
    """An image that is there and whole, but not of the form that Slipway reads or writes."""


class RolloutFailed(SlipwayError):
    """A version that is at fault: it never became ready, answers wrongly or fell over.

    `log` is what its server printed last, shown behind the problem, one line each; `incident` names what was written
    about it, `MODEL/ENVIRONMENT/ID`, and is empty as long as nothing was.
    """

    exit_code = 10

    def __init__(self, problem: str, *, mend: str, log: Sequence[str] = (), incident: str = "") -> None:
        shown = "".join(f"\n    {line}" for line in log)
        super().__init__(f"{problem}. The last lines of its log:{shown}" if log else problem, mend=mend)
        self.summary = problem
        self.log = tuple(log)
        self.incident = incident


class ClusterRefused(SlipwayError):
    """What a cluster said no to: who asks, a namespace that is not there, a manifest; no fault of any version."""


class ServerRefused(SlipwayError):
    """A request that a live model server answered with a refusal."""


class ModelFailed(SlipwayError):
    """A model that loads, but cannot answer the rows that it was asked."""


class NoRuntimeImage(SlipwayError):
    """A runtime image that slipway.yaml names and no registry holds, or a registry that cannot hold one."""


class NotSigned(SlipwayError):
    """An image that none of the team's keys signed, or whose signature is not of its digest."""


class CannotSign(SlipwayError):
    """What signs is missing or does not fit: no private key, one of another pair, no cosign."""


class WebhookRefused(SlipwayError):
    """A message that its receiver does not take, or that cannot be signed."""


class PushRefused(SlipwayError):
    """Metrics that a Pushgateway does not take, or an address that is none of a Pushgateway."""


class SourceRefused(SlipwayError):
    """A source that cannot be fetched as model.yaml names it: not there, not allowed, too large, or not what it was."""


class FetchingFailed(SourceRefused):
    """The program that fetches a source ended with an error of its own, whose last words are told."""


class CannotExplain(SlipwayError):
    """What is asked about is nothing that the ledger knows, or several things."""


class TrackingServerRefused(SlipwayError):
    """What an MLflow server said no to: a version that it does not have, who asks; or an address that is none."""


def refused(told: Mapping[str, Any]) -> SlipwayError | None:
    """The error that another process told by `as_refusal`, None where it told no class of ours: it may run any code."""
    kind = globals().get(str(told.get("refused")))
    if not (isinstance(kind, type) and issubclass(kind, SlipwayError)):
        return None
    return kind(str(told.get("problem")), mend=str(told.get("mend")))
