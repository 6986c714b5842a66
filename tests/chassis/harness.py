"""Runs the real engine and the real store on a real database, without Kafka: records in, outbox rows out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.envelope import MessageBody, uuid7

from services.booking.app import SERVICE
from services.chassis import local_messages
from services.chassis.batch import BatchRunner, Committed
from services.chassis.database import BATCH, Session
from services.chassis.ladder import Ladder
from services.chassis.messages import Raw
from services.chassis.service import Handler, Service


@dataclass
class SetClock:
    """A clock that a test sets; like the movable clock it is ahead of real time."""

    instant: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1))

    def now(self) -> datetime:
        return self.instant

    def advance(self, **delta: float) -> None:
        self.instant += timedelta(**delta)


@dataclass(frozen=True)
class Sent:
    """A row of the outbox."""

    topic: str
    key: str
    type: str
    id: UUID
    sequence: int | None
    body: dict[str, Any]


class Engine:
    """One replica of booking. `next_offset` counts records of topic and partition, as Kafka does."""

    def __init__(self, url: str, clock: SetClock, service: Service = SERVICE) -> None:
        self.session = Session(url, "test", BATCH)
        self.clock = clock
        self.service = service
        self.runner = BatchRunner(service, self.session, clock)
        self.ladder = Ladder(self.runner, self.session, self._settled)
        self._committed = Committed()
        self._offsets: dict[str, int] = {}

    def record(
        self,
        body: MessageBody | bytes,
        *,
        topic: str = "",
        key: str = "",
        message_id: UUID | None = None,
        kind: str = "",
    ) -> Raw:
        """A record as a client publishes it; an admin's command goes to the admin topic."""
        raw = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True).encode()
        if not topic:
            assert not isinstance(body, bytes)
            admin = getattr(getattr(body, "actor", None), "kind", "") == "admin"
            topic = "booking.admin-commands" if admin else body.topic
        key = key or (body.key if not isinstance(body, bytes) else "")
        kind = kind or (body.ce_type if not isinstance(body, bytes) else "")
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        headers = [("ce_id", str(message_id or uuid7())), ("ce_type", kind)]
        return Raw(topic, 0, offset, key.encode(), headers, raw)

    def adopt(self, other: Engine) -> None:
        """Go on with the offsets of another replica."""
        self._offsets = other._offsets

    async def run(self, *records: Raw, size: int = 500) -> Committed:
        """Handle records in batches of `size`."""
        self._committed = Committed()
        for start in range(0, len(records), size):
            await self.ladder.settle(records[start : start + size])
        return self._committed

    def _settled(self, part: Sequence[Raw], committed: Committed) -> None:
        self._committed += committed

    async def tell(self, *bodies: MessageBody, size: int = 500) -> None:
        """Handle messages, each under a new id."""
        await self.run(*(self.record(body) for body in bodies), size=size)

    async def run_local(self, partitions: Iterable[int] = local_messages.EVERY) -> int:
        """Handle the local messages that are due; returns how many there were."""
        connection, now = await self.session.connection(), self.clock.now()
        due = await local_messages.peek(connection, now, 500, self.service.local_types, partitions)
        if due:
            await self.ladder.settle(due)
        return len(due)

    async def run_waiting(self, seconds: float = 4.5) -> None:
        """Try again what waits, as the loop does, for so long; the clock goes on with real time."""
        now = time.monotonic()
        until = now + seconds
        while now < until:
            await asyncio.sleep(0.1)
            before, now = now, time.monotonic()
            self.clock.advance(seconds=now - before)  # a try that waited for a lock took its time, too
            await self.run_local()

    async def sent(self) -> list[Sent]:
        """Everything in the outbox, in order."""
        rows = await (await self.session.connection()).fetch("SELECT * FROM outbox ORDER BY id")
        return [_sent(row) for row in rows]

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        return await (await self.session.connection()).fetch(query, *arguments)

    async def statements(self, *records: Raw) -> list[str]:
        """What one batch of these executes, BEGIN and COMMIT included, and the beginning of each; without what asyncpg
        asks once a connection, how types are to be read."""
        heard: list[str] = []
        with (await self.session.connection()).query_logger(lambda statement: heard.append(statement.query)):
            await self.run(*records)
            await asyncio.sleep(0)  # it is told of the last one in the loop's next round
        heard = [" ".join(query.split())[:150] for query in heard]
        return [query for query in heard if "typeinfo_tree" not in query and "set_config('jit'" not in query]

    async def close(self) -> None:
        await self.session.close()


def _sent(row: asyncpg.Record) -> Sent:
    headers = dict(json.loads(row["headers"]))
    sequence = headers.get("ce_sequence")
    return Sent(
        row["topic"],
        row["key"],
        headers.get("ce_type", ""),
        UUID(headers["ce_id"]),
        int(sequence) if sequence else None,
        {} if row["topic"].endswith("dead-letters") else json.loads(row["body"]),
    )


def with_handler(service: Service, kind: str, decide: Any) -> Service:
    """The service with another handler for one message type."""
    handlers = [
        Handler(handler.body, decide) if handler.body.ce_type == kind else handler  # type: ignore[attr-defined]
        for handler in service.handlers
    ]
    return replace(service, handlers=tuple(handlers))
