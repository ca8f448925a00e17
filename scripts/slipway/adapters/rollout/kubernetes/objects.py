"""What a cluster answers, as frozen values: the fields of Kubernetes' API that are read here, and no other."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from slipway.errors import Unreachable


class _Part(BaseModel):
    """Fields have their names of the API; what is missing or null has a default."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        return {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else value


PartT = TypeVar("PartT", bound=_Part)


class Owner(_Part):
    uid: str = ""


class Metadata(_Part):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    owner_references: tuple[Owner, ...] = ()
    deletion_timestamp: datetime | None = None


class Condition(_Part):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Port(_Part):
    name: str = ""
    container_port: int = 0


class Container(_Part):
    name: str = ""
    image: str = ""
    ports: tuple[Port, ...] = ()


class PodSpec(_Part):
    node_name: str = ""
    containers: tuple[Container, ...] = ()


class Waiting(_Part):
    reason: str = ""
    message: str = ""


class Running(_Part):
    started_at: datetime | None = None


class Terminated(_Part):
    reason: str = ""
    message: str = ""
    exit_code: int = 0


class State(_Part):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Part):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image_id: str = Field(default="", alias="imageID")
    state: State = State()
    last_state: State = State()


class PodStatus(_Part):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(_Part):
    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def is_leaving(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def is_ready(self) -> bool:
        return not self.is_leaving and is_true(self.status.conditions, "Ready")


class Template(_Part):
    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()


class ReplicaSetSpec(_Part):
    template: Template = Template()


class ReplicaSet(_Part):
    metadata: Metadata = Metadata()
    spec: ReplicaSetSpec = ReplicaSetSpec()


class Requirement(_Part):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class Selector(_Part):
    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()

    def __str__(self) -> str:
        """As kubectl takes it by --selector."""
        alike = [f"{key}={value}" for key, value in sorted(self.match_labels.items())]
        return ",".join([*alike, *map(_expression, self.match_expressions)])


class DeploymentSpec(_Part):
    replicas: int = 1
    paused: bool = False
    selector: Selector = Selector()
    template: Template = Template()


class DeploymentStatus(_Part):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class Deployment(_Part):
    metadata: Metadata = Metadata()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class NodeStatus(_Part):
    conditions: tuple[Condition, ...] = ()


class Node(_Part):
    metadata: Metadata = Metadata()
    status: NodeStatus = NodeStatus()


class _List(_Part):
    items: tuple[dict[str, Any], ...] = ()


class Event(_Part):
    type: str = ""
    reason: str = ""
    message: str = ""


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    return next((one for one in conditions if one.type == kind), None)


def is_true(conditions: tuple[Condition, ...], kind: str) -> bool:
    found = condition(conditions, kind)
    return found is not None and found.status == "True"


def read(answer: Any, into: type[PartT]) -> PartT:
    """One object.

    Raises:
        Unreachable: it has not the form of the API: who answered is no apiserver, or not all of it arrived.
    """
    try:
        return into.model_validate(answer)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise Unreachable(
            f"the cluster answered with something that is no {into.__name__}: {where}: {first['msg']}",
            mend="see who answers: kubectl version; then roll out again",
        ) from None


def of_kind(answer: Any, kind: str, into: type[PartT]) -> tuple[PartT, ...]:
    """The objects of a kind in a list; none where kubectl answered nothing.

    Raises:
        Unreachable: as `read`.
    """
    items = () if answer is None else read(answer, _List).items
    return tuple(read(item, into) for item in items if item.get("kind") == kind)


def _expression(requirement: Requirement) -> str:
    values = ",".join(requirement.values)
    return {
        "In": f"{requirement.key} in ({values})",
        "NotIn": f"{requirement.key} notin ({values})",
        "DoesNotExist": f"!{requirement.key}",
    }.get(requirement.operator, requirement.key)
