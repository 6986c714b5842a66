"""The relay: from outbox rows to Kafka, in order, at least once (engine.md, Outbox and relay).

One per database, inside the service processes: the leader holds a session advisory lock on its own direct connection,
the others stand by and pass wake-ups on to it by one coalesced NOTIFY. A failed acknowledgement stops it; it makes a
new producer and begins again from the oldest row. A leader that is frozen loses its session, and with it the lock,
after 15 s; what it still sends when it wakes has been sent before, in the same order.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping, Sequence

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from services.chassis import crash_points, dead_letters, metrics
from services.chassis.clock import real_seconds
from services.chassis.crash_points import Point
from services.chassis.database import SILENT_SECONDS, Connection, Where, connect
from services.chassis.failures import backoff_seconds
from services.chassis.messages import Raw
from services.chassis.outbox_cursor import OutboxCursor
from services.chassis.publishing import BATCH_BYTES, NotTogether, Row, TooLarge, give_up, publish

log = structlog.get_logger()
LOCK = 0x0B0C5
CHUNK = 500
QUIET_SECONDS = 0.3
"""Rows that are published go when nothing has come for so long, those of one saga together, or when they are many."""
IDLE_SECONDS = 1.0
"""How often an outbox is looked at of which nobody has said anything; whoever writes rows does."""
STANDBY_SECONDS = 1.0
LEADER_IDLE = "15s"
"""A leader's session that asks nothing for so long is ended by the server: longer than an acknowledgement takes."""


class Relay:
    """Publishes one database's outbox while it leads; stands by otherwise."""

    def __init__(
        self, database: Where, bootstrap_servers: str, name: str, security: Mapping[str, object] | None = None
    ) -> None:
        self._database, self._servers, self._name = database, bootstrap_servers, name
        self._security = dict(security or {})
        self._wake = asyncio.Event()
        self._published: list[int] = []
        self._one_by_one = self._stopping = False
        self._tries = 0
        self.last_progress = math.inf
        """Monotonic time; a relay that has not begun cannot be late."""

    def wake(self) -> None:
        """Rows were committed; call after the commit."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the rows in hand, forget them, and let another lead."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Lead or stand by, until stopped or cancelled. Trying again counts as progress: a restart would not help."""
        while not self._stopping:
            self.last_progress = time.monotonic()
            try:
                await self._term()
            except Exception as error:
                metrics.relay_restarts.inc()
                log.warning("relay begins again from the oldest row", error=repr(error))
                await asyncio.sleep(backoff_seconds(self._tries))
                self._tries += 1
            finally:
                metrics.relay_leader.set(0)

    async def _term(self) -> None:
        connection = await connect(self._database, f"{self._name}-relay", answer_seconds=SILENT_SECONDS)
        try:
            await connection.execute(f"SET idle_session_timeout = '{LEADER_IDLE}'")
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                self.last_progress = time.monotonic()
                if self._stopping:
                    return
                if await self._woken(STANDBY_SECONDS):
                    await connection.execute("SELECT pg_notify('outbox', '')")
            await connection.add_listener("outbox", lambda *_: self.wake())
            async with AIOKafkaProducer(
                bootstrap_servers=self._servers,
                client_id=f"{self._name}-relay",
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                request_timeout_ms=10_000,
                max_batch_size=BATCH_BYTES,
                **self._security,
            ) as producer:
                try:
                    await self._lead(connection, producer)
                except BaseException:
                    await give_up(producer)
                    raise
        finally:
            connection.terminate()
            self._published.clear()  # a restored database may give these ids to other rows

    async def _lead(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        metrics.relay_leader.set(1)
        allocated = await connection.fetchval("SELECT pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id'))")
        cursor = OutboxCursor(time.monotonic(), allocated or 0)
        while not self._stopping:
            self.last_progress = time.monotonic()
            floor, missing = cursor.window(self.last_progress)
            if floor == 0 or len(self._published) >= CHUNK:
                await self._forget(connection)
            rows = await connection.fetch(NEXT, floor, missing, CHUNK)
            if rows:
                cursor.saw([row["id"] for row in rows], self.last_progress)
                try:
                    await self._publish(connection, producer, rows)
                except Exception:
                    await self._forget(connection)
                    raise
                self._tries = 0
            if len(rows) == CHUNK or (self._published and await self._woken(QUIET_SECONDS)):
                continue
            await self._forget(connection)
            await self._woken(IDLE_SECONDS)
        await self._forget(connection)

    async def _publish(
        self, connection: Connection, producer: AIOKafkaProducer, found: Sequence[asyncpg.Record]
    ) -> None:
        """Wait for every acknowledgement. What Kafka will never take is set aside; then the term begins anew."""
        rows = [_row(record) for record in found]
        before = len(self._published)
        try:
            await publish(producer, rows, self._acknowledged, one_by_one=self._one_by_one)
        except TooLarge as error:
            for row in error.rows:
                await _set_aside(connection, row, error)
                self._published.append(row.id)
            raise
        except NotTogether:
            self._one_by_one = True
            raise
        finally:
            metrics.relay_published.inc(len(self._published) - before)
        self._one_by_one = False
        crash_points.reached(Point.AFTER_ACKNOWLEDGEMENT)

    def _acknowledged(self, row: Row) -> None:
        self._published.append(row.id)
        if row.asked_at is not None:
            metrics.command_answer_seconds.observe(max(0.0, real_seconds() - row.asked_at.timestamp()))

    async def _forget(self, connection: Connection) -> None:
        if self._published:
            await connection.execute("DELETE FROM outbox WHERE id = ANY($1)", self._published)
            self._published.clear()

    async def _woken(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return False
        self._wake.clear()
        return True


NEXT = """
SELECT * FROM (
    (SELECT id, topic, key, headers, body, asked_at FROM outbox WHERE id > $1 ORDER BY id LIMIT $3)
    UNION ALL
    (SELECT id, topic, key, headers, body, asked_at FROM outbox WHERE id = ANY($2))
) rows ORDER BY id LIMIT $3
"""
"""Two ranges of the primary key: rows that are dead but kept for somebody's old snapshot are not walked over."""


def _row(found: asyncpg.Record) -> Row:
    headers = [(name, value.encode("latin-1")) for name, value in json.loads(found["headers"])]
    key = None if found["key"] is None else found["key"].encode()
    return Row(found["id"], found["topic"], key, headers, found["body"], found["asked_at"])


async def _set_aside(connection: Connection, row: Row, error: Exception) -> None:
    """A record that Kafka will never take must not stop those behind it."""
    log.error("outbox row is too large for Kafka and is set aside", row=row.id, topic=row.topic)
    headers = [(name, value.decode("latin-1")) for name, value in row.headers]
    raw = Raw(f"outbox:{row.topic}", 0, row.id, row.key, headers, row.body)
    await dead_letters.set_aside_unsendable(connection, raw, str(error))
