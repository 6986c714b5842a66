"""What a handler is given and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from booking_contracts.codes import Code, Rejected
from booking_contracts.refusals import Problem
from pydantic import BaseModel, ConfigDict, JsonValue

Headers = list[tuple[str, str]]
OPERATION = "operation"
"""The header of a result: what its call asked for."""


class Origin(StrEnum):
    """Where a message came from; each has its own way of being handled once."""

    COMMAND = "command"
    EVENT = "event"
    LOCAL = "local"
    GATEWAY = "gateway"


class LocalBody(BaseModel):
    """The body of a local message (a timer, a stored webhook, a gateway result); `key` orders it with Kafka's."""

    model_config = ConfigDict(frozen=True)
    ce_type: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.ce_type = f"local.{cls.__name__}"


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as it came: what is needed to set it aside, hold it back and read it again."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    body: bytes
    row: UUID | None = None
    """The row of `local_message` it was read from; deleting that row is its inbox."""
    held: bool = False
    """It waited behind a failed message of its key."""
    arrival: int | None = None
    """Its place among the rows; a row that has to wait again keeps it."""
    sent_at: datetime | None = None
    """By its publisher's clock; of a record that waited, when it was kept as a row."""
    again: bool = False
    """The database has forgotten it, and may have handled it before (set_back.py)."""
    undecodable: str = ""
    """Why the Kafka library could not decode it; key, headers and body are then empty."""

    @property
    def from_kafka(self) -> bool:
        """Whether its offset stands in a partition: neither a row nor the result of a call."""
        return self.row is None and not self.topic.startswith("local.")


BodyT_co = TypeVar("BodyT_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Message(Generic[BodyT_co]):
    """A message that was read and may be decided on."""

    id: UUID
    type: str
    key: str
    body: BodyT_co
    origin: Origin
    raw: Raw
    correlation_id: str
    reply_to: str | None = None
    traceparent: str | None = None
    body_hash: bytes = b""

    @property
    def sequence(self) -> int:
        """The event's ce_sequence, which every event of ours carries."""
        return int(dict(self.raw.headers)["ce_sequence"])


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be read as a message of ours: set aside, and answered where `id` is readable."""

    raw: Raw
    code: Code
    field: str
    problem: str
    id: UUID | None = None
    type: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    subject: UUID | None = None
    body_hash: bytes = b""
    more: tuple[Problem, ...] = ()
    """What else is wrong with it."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong, in the order of the fields."""
        return (Problem(self.field, self.problem), *self.more)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command did what it asked for. `subject` is the booking it was about; `result` is command specific."""

    subject: UUID | None = None
    state: str | None = None
    result: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deferred(Accepted):
    """A command whose one reply the service itself sends later, with its receipt: it waits for the outside."""


Answer = Accepted | Rejected
