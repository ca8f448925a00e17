"""What an MLflow server is told of a release: tags and an alias of the model version that it was made of."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.conversion import Conversion
from slipway.domain.identity import Identity
from slipway.domain.origin import Training
from slipway.domain.pages import Body, Frozen
from slipway.domain.release import Image, Rollout
from slipway.domain.tag import ReleaseTag

_PREFIX = "slipway"


class Telling(Frozen):
    """`alias` is set to the model version where it is not None; `place` is the tag that says that it runs there.

    Who had the alias before and says by `place` that it runs is told that it does not: `replaced`. Where a model that
    came from elsewhere took the place of this version, `takes_away` is the alias that it has no longer.
    """

    model_name: str
    model_version: str
    tags: dict[str, str]
    alias: str | None
    place: str
    replaced: str
    takes_away: str | None = None


class WriteBack(Body):
    """What was told of a rollout, and to whom; `problem` says why it was not, and is empty otherwise.

    `unanswered` is a problem that passes: nobody answered there.
    `moved_from` is the model version that the alias named before, None where it named none or this one.
    """

    kind: ClassVar[str] = "write-back"

    environment: str
    version: str
    server: str | None
    telling: Telling
    moved_from: str | None = None
    problem: str = ""
    unanswered: bool = False

    def says_the_same_as(self, other: WriteBack) -> bool:
        """Whether who read `other` learns nothing from this; of a server that is away, how it is away says nothing."""
        if self.unanswered and other.unanswered:
            return (self.server, self.telling) == (other.server, other.telling)
        return self == other


def is_of_a_registry(training: Training | None) -> bool:
    """Whether there is a model version that could be told anything."""
    return training is not None and training.model_name is not None and training.model_version is not None


def telling_of(  # one argument a page
    identity: Identity,
    training: Training,
    *,
    conversion: Conversion,
    image: Image,
    rollout: Rollout,
    pull: str | None,
) -> Telling:
    """Tags begin with `slipway.`; those of a place are `slipway.environment.<name>` and what begins so.

    What only was tried, on a machine that is gone with its run, is told without a place and an alias.
    """
    assert training.model_name is not None and training.model_version is not None
    place = f"{_PREFIX}.environment.{rollout.environment}"
    tags = {
        f"{_PREFIX}.release": str(identity.release),
        f"{_PREFIX}.commit": identity.commit,
        f"{_PREFIX}.onnx": f"sha256:{conversion.onnx.sha256}",
        f"{_PREFIX}.image": image.digest,
    }
    if pull is not None:
        tags[f"{place}.pull_request"] = pull
    if rollout.stays:
        tags |= {place: f"runs since {rollout.live_since.isoformat()}", f"{place}.commit": rollout.commit}
    return Telling(
        model_name=training.model_name,
        model_version=training.model_version,
        tags=tags,
        alias=rollout.environment if rollout.stays else None,
        place=place,
        replaced=f"replaced by {identity.release}",
    )


def taking_away(before: Telling, *, by: ReleaseTag) -> Telling:
    """What tells the version that has the alias of a place that `by` runs there now, which no version stands for."""
    told: dict[str, object] = {"tags": {}, "alias": None, "replaced": f"replaced by {by}", "takes_away": before.alias}
    return before.model_copy(update=told)
