"""Which function decides on which message: the table that every service's app.py fills, one line each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from booking_contracts.envelope import Command, Event, MessageBody
from booking_contracts.texts import Reading
from pydantic import BaseModel

from services.chassis.database import Connection
from services.chassis.messages import Accepted, Answer, LocalBody, Message, Refused
from services.chassis.statements import Statements
from services.chassis.unit_of_work import UnitOfWork

WorkT = TypeVar("WorkT", bound=UnitOfWork)
WorkT_contra = TypeVar("WorkT_contra", bound=UnitOfWork, contravariant=True)
BodyT = TypeVar("BodyT", bound=BaseModel)
CommandT = TypeVar("CommandT", bound=Command)
EventT = TypeVar("EventT", bound=Event)
LocalT = TypeVar("LocalT", bound=LocalBody)


@dataclass(frozen=True, slots=True)
class Handler:
    """A message type and the pure function that decides on it."""

    body: type[BaseModel]
    decide: Callable[[Message[Any], Any], Accepted | None]


def command(body: type[CommandT], decide: Callable[[Message[CommandT], WorkT], Accepted | None]) -> Handler:
    """A command: its function returns Accepted or raises Rejected, and exactly one reply goes out."""
    return Handler(body, decide)


def event(body: type[EventT], decide: Callable[[Message[EventT], WorkT], None]) -> Handler:
    """Another service's event."""
    return Handler(body, decide)


def local(body: type[LocalT], decide: Callable[[Message[LocalT], WorkT], None]) -> Handler:
    """A timer, a stored webhook or a gateway result."""
    return Handler(body, decide)


Load = Callable[[], Awaitable[None]]
"""Loads what a batch is about. Raises PlanChanged where what was planned on has changed meanwhile."""


class Store(Protocol[WorkT_contra]):
    """A service's SQL: it loads and locks what messages are about, and saves what was decided."""

    def begin(self, reads: Statements, messages: Sequence[Message[Any]], work: WorkT_contra) -> Load:
        """Ask for what messages name with the next `send`, which asks for the batch's positions and inbox, too.

        Returns what goes on when that was sent: plan, lock, verify. Until then nothing is brought into the work, and it
        may begin anew, because some of the messages were handled before.
        """
        ...

    async def save(self, writes: Statements, work: WorkT_contra) -> None:
        """Write the journal's rows: frees before takes, one statement per table; what needs no order is left to
        whoever sends."""
        ...


async def load(store: Store[WorkT], connection: Connection, messages: Sequence[Message[Any]], work: WorkT) -> None:
    """All of it, by itself. Raises PlanChanged."""
    async with Statements(connection) as reads:
        go_on = store.begin(reads, messages, work)
    await go_on()


class PlanChanged(Exception):
    """What the plan rests on changed before the locks were had: roll back and plan again."""


Reply = Callable[[Message[Any] | Refused, Answer], MessageBody]


@dataclass(frozen=True)
class Service:
    """All that the engine has to know of a service; app.py builds it."""

    name: str
    handlers: Sequence[Handler]
    command_topics: Mapping[str, Reply | None]
    """Topics of commands, with the maker of replies (None: commands of our own, answered by events)."""
    event_topics: Sequence[str]
    new_work: Callable[..., Any]
    store: Store[Any]
    admit: Callable[[str, Command], None] = lambda topic, command: None
    """Checks a command against the topic it came on; raises Rejected."""
    gathers_seconds: float = 0.0
    """The least time between the beginnings of two batches, and from an idle service's first message to its batch: more
    where nobody waits for what the service does."""
    nobody_waits_for: frozenset[str] = frozenset()
    """Types of Kafka's messages, and operations of calls (for their results), that wait a little for company."""
    count: Callable[[Any], None] = lambda work: None
    """Into metrics of the service's own, after the commit: what a batch's work has decided."""
    reading: Reading = field(default_factory=dict)
    """How texts of commands are read that need a library (booking_contracts/texts.py)."""

    @cached_property
    def by_type(self) -> dict[str, Handler]:
        """Handlers by CloudEvents type."""
        found = {handler.body.ce_type: handler for handler in self.handlers}  # type: ignore[attr-defined]
        assert len(found) == len(self.handlers), "two handlers for one message type"
        return found

    @cached_property
    def local_types(self) -> list[str]:
        """The types of local messages that this build can read."""
        return [kind for kind in self.by_type if kind.startswith("local.")]

    @cached_property
    def replied(self) -> frozenset[str]:
        """Topics of the commands that have one reply each, and with it a receipt."""
        return frozenset(topic for topic, make in self.command_topics.items() if make is not None)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that the service consumes."""
        return (*self.command_topics, *self.event_topics)
