"""The relay: from outbox rows to Kafka, in order, at least once (engine.md, Outbox and relay).

One per database, inside the service processes: the leader holds a session advisory lock on its own direct connection,
the others stand by and pass wake-ups on to it by one coalesced NOTIFY. A failed acknowledgement stops it; it makes a
new producer and begins again from the oldest row.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from services.chassis import dead_letters, metrics
from services.chassis.database import Connection, connect
from services.chassis.failures import backoff_seconds
from services.chassis.messages import Raw
from services.chassis.outbox_cursor import OutboxCursor

log = structlog.get_logger()
LOCK = 0x0B0C5
CHUNK = 500
IDLE_SECONDS = 0.1
STANDBY_SECONDS = 1.0


class Relay:
    """Publishes one database's outbox while it leads; stands by otherwise."""

    def __init__(self, database_url: str, bootstrap_servers: str, name: str) -> None:
        self._url, self._servers, self._name = database_url, bootstrap_servers, name
        self._wake = asyncio.Event()
        self._published: list[int] = []
        self.last_progress = time.monotonic()

    def wake(self) -> None:
        """Rows were committed; call after the commit."""
        self._wake.set()

    async def run(self) -> None:
        """Lead or stand by, until cancelled."""
        tries = 0
        while True:
            try:
                await self._term()
                tries = 0
            except asyncio.CancelledError:
                raise
            except Exception as error:
                metrics.relay_restarts.inc()
                log.warning("relay begins again from the oldest row", error=repr(error))
                await asyncio.sleep(backoff_seconds(tries))
                tries += 1
            finally:
                metrics.relay_leader.set(0)

    async def _term(self) -> None:
        connection = await connect(self._url, f"{self._name}-relay")
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                self.last_progress = time.monotonic()
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
            ) as producer:
                await self._lead(connection, producer)
        finally:
            connection.terminate()

    async def _lead(self, connection: Connection, producer: AIOKafkaProducer) -> None:
        metrics.relay_leader.set(1)
        allocated = await connection.fetchval("SELECT pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id'))")
        cursor = OutboxCursor(time.monotonic(), allocated or 0)
        await self._forget(connection)
        while True:
            self.last_progress = time.monotonic()
            floor, missing = cursor.window(self.last_progress)
            if floor == 0 or len(self._published) >= CHUNK:
                await self._forget(connection)
            rows = await connection.fetch(
                """
                SELECT id, topic, key, headers, body FROM outbox
                WHERE id > $1 OR id = ANY($2) ORDER BY id LIMIT $3
                """,
                floor,
                missing,
                CHUNK,
            )
            if rows:
                cursor.saw([row["id"] for row in rows], self.last_progress)
                await self._publish(connection, producer, rows)
            else:
                await self._forget(connection)
                await self._woken(IDLE_SECONDS)

    async def _publish(
        self, connection: Connection, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> None:
        """Send in id order and wait for every acknowledgement; raises the first that failed."""
        waiting = []
        for row in rows:
            headers = [(name, value.encode("latin-1")) for name, value in json.loads(row["headers"])]
            key = None if row["key"] is None else row["key"].encode()
            try:
                waiting.append(await producer.send(row["topic"], row["body"], key=key, headers=headers))
            except MessageSizeTooLargeError as error:
                await _set_aside(connection, row, error)
        await asyncio.gather(*waiting)
        self._published.extend(row["id"] for row in rows)
        metrics.relay_published.inc(len(rows))

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


async def _set_aside(connection: Connection, row: asyncpg.Record, error: Exception) -> None:
    """A record that Kafka will never take must not stop those behind it."""
    log.error("outbox row is too large for Kafka and is set aside", row=row["id"], topic=row["topic"])
    key = None if row["key"] is None else row["key"].encode()
    headers = [(name, value) for name, value in json.loads(row["headers"])]
    raw = Raw(f"outbox:{row['topic']}", 0, row["id"], key, headers, row["body"])
    await dead_letters.set_aside_unsendable(connection, raw, str(error))
