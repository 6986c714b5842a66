"""Everything that one batch reads and changes, in memory, in the order it was decided.

A handler reads rows with `find`, and says what shall happen with `put`, `send`, `remind`, `record` and `call`.
All of it goes to one journal: the store saves the journal, and a message that fails takes its part back out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from booking_contracts.envelope import MessageBody, uuid7
from pydantic import BaseModel

from services.chassis.messages import LocalBody, Message


class Row(Protocol):
    """An immutable row, e.g. a frozen dataclass; `row_key` is its primary key."""

    @property
    def row_key(self) -> Hashable: ...


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class Changed:
    """A row was created (`before` is None) or changed."""

    before: Row | None
    after: Row


@dataclass(frozen=True, slots=True)
class Send:
    """A message for Kafka, by way of the outbox."""

    id: UUID
    topic: str
    key: str
    type: str
    body: bytes
    cause: Message[BaseModel] | None
    sequence: int | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Remind:
    """A local message, due at an instant of the service's clock."""

    id: UUID
    body: LocalBody
    key: str
    due_at: datetime
    cause: Message[BaseModel] | None


@dataclass(frozen=True, slots=True)
class Call:
    """An intended call to the outside world; one per `subject` can be open at a time."""

    id: UUID
    subject: str
    key: str
    operation: str
    parameters: str
    idempotency_key: str
    cause: Message[BaseModel] | None


@dataclass(frozen=True, slots=True)
class Record:
    """An append-only row of the service's own: history, a ledger transaction, a line of a log."""

    row: object


Effect = Changed | Send | Remind | Call | Record


class UnitOfWork:
    """The rows that a batch holds and the journal of what it decided."""

    def __init__(self, now: datetime, new_id: Callable[[], UUID] = uuid7) -> None:
        self.now, self.new_id = now, new_id
        self.journal: list[Effect] = []
        self.message: Message[Any] | None = None
        self.was_set_back = False
        """What is decided now may have been decided before, and be forgotten (set_back.py)."""
        self._rows: dict[tuple[type, Hashable], Row] = {}
        self._keep = 0

    def load(self, row: Row) -> None:
        """Bring in a row as the database has it."""
        self._rows[type(row), row.row_key] = row

    def find(self, kind: type[RowT], key: Hashable) -> RowT | None:
        """The row as decided so far in this batch, or None where there is none."""
        row = self._rows.get((kind, key))
        assert row is None or isinstance(row, kind)
        return row

    def all(self, kind: type[RowT]) -> Iterator[RowT]:
        """Every row of a kind that this batch holds, in the order loaded or created."""
        return (row for row in tuple(self._rows.values()) if isinstance(row, kind))

    def put(self, row: RowT) -> RowT:
        """Create or change a row."""
        key = (type(row), row.row_key)
        self.journal.append(Changed(self._rows.get(key), row))
        self._rows[key] = row
        return row

    def record(self, row: object) -> None:
        """Append a row to a log of the service."""
        self.journal.append(Record(row))

    def send(
        self,
        body: MessageBody,
        *,
        key: str | None = None,
        sequence: int | None = None,
        reply_to: str | None = None,
    ) -> UUID:
        """Send a message when the batch commits. Returns its id."""
        message_id = self.new_id()
        self.journal.append(
            Send(
                id=message_id,
                topic=body.topic,
                key=body.key if key is None else key,
                type=body.ce_type,
                body=body.model_dump_json(by_alias=True).encode(),
                cause=self.message,
                sequence=sequence,
                reply_to=reply_to,
            )
        )
        return message_id

    def remind(self, body: LocalBody, *, key: str, due_at: datetime) -> None:
        """Have `body` come back as a local message when `due_at` has come."""
        self.journal.append(Remind(self.new_id(), body, key, due_at, self.message))

    def call(self, operation: str, *, subject: str, key: str, parameters: BaseModel, idempotency_key: str) -> None:
        """Intend a call to the outside; its result comes back as a gateway message with this `key`."""
        self.journal.append(
            Call(
                self.new_id(),
                subject,
                key,
                operation,
                parameters.model_dump_json(),
                idempotency_key,
                self.message,
            )
        )

    def begin(self, message: Message[Any]) -> None:
        """The next message's turn."""
        self.message = message
        self.keep()

    def keep(self) -> None:
        """What was decided so far stays, also when this message is refused after all."""
        self._keep = len(self.journal)

    def undo(self) -> None:
        """Take back what the message in hand decided since it began, or since `keep`."""
        while len(self.journal) > self._keep:
            effect = self.journal.pop()
            if isinstance(effect, Changed):
                key = (type(effect.after), effect.after.row_key)
                if effect.before is None:
                    del self._rows[key]
                else:
                    self._rows[key] = effect.before
