"""What the three applications share: broker, pool, inbox, outbox, and the relay that polls it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import uvloop
from aiokafka.errors import KafkaError
from asyncpg.pool import PoolConnectionProxy
from faststream import AckPolicy, FastStream
from faststream.exceptions import AckMessage
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.subscriber.usecase import ConcurrentBetweenPartitionsSubscriber

from tests.bench.plain.messages import Message

CONSUMERS = 4
"""For each topic: so many messages of it are in hand at a time, those of one partition in order. (With one
consumer it is slower, and dearer by the saga.)"""
POLL_SECONDS = 0.1
RELAYED = 100
"""Rows of one look at the outbox; after a full one the relay looks again at once."""

Transaction: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


def of(kind: type[Message]) -> Callable[[KafkaMessage], Awaitable[bool]]:
    """A filter of a subscriber: messages of this type."""
    wanted = kind.kind()

    async def is_wanted(message: KafkaMessage) -> bool:
        return message.headers.get("ce_type") == wanted

    return is_wanted


async def say(transaction: Transaction, message: Message) -> None:
    """Into the outbox, with the rows that it tells of."""
    await transaction.execute(
        "INSERT INTO outbox (topic, key, id, type, body) VALUES ($1, $2, $3, $4, $5)",
        message.topic,
        str(message.booking_id),
        uuid4(),
        message.kind(),
        message.model_dump_json().encode(),
    )


class Service:
    """One application; its modules register handlers on `listen(topic)`."""

    pool: asyncpg.Pool[asyncpg.Record]

    def __init__(self, name: str) -> None:
        self._group = f"plain-{name}"
        self._broker = KafkaBroker(
            os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
            client_id=self._group,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            log_level=logging.DEBUG,
        )
        self.app = FastStream(self._broker, lifespan=self._lifespan, after_startup=[self._begin, self._tell])

    def listen(self, topic: str) -> ConcurrentBetweenPartitionsSubscriber:
        """A message is acknowledged when its handler has committed, and comes again when it failed."""
        return self._broker.subscriber(
            topic,
            group_id=self._group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            max_workers=CONSUMERS,
        )

    @asynccontextmanager
    async def handling(self, message: KafkaMessage) -> AsyncIterator[Transaction]:
        """The transaction of a message, which is one message's and happens once."""
        async with self.pool.acquire() as connection, connection.transaction():
            new = await connection.fetchval(
                "INSERT INTO inbox (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true",
                UUID(message.headers["ce_id"]),
            )
            if not new:
                raise AckMessage
            yield connection

    def run(self) -> None:
        """Until SIGTERM."""
        uvloop.run(self.app.run())

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=16) as self.pool:
            yield

    async def _begin(self) -> None:
        self._relaying = asyncio.create_task(self._relay())

    def _tell(self) -> None:
        Path(os.environ["READY_FILE"]).touch()

    async def _relay(self) -> None:
        while True:
            try:
                published = await self._publish_some()
            except (OSError, asyncpg.PostgresError, KafkaError):
                logging.exception("the relay tries again")
                published = 0
            if published < RELAYED:
                await asyncio.sleep(POLL_SECONDS)

    async def _publish_some(self) -> int:
        async with self.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "SELECT number, topic, key, id, type, body FROM outbox ORDER BY number LIMIT $1 FOR UPDATE", RELAYED
            )
            for row in rows:
                headers = {"ce_id": str(row["id"]), "ce_type": row["type"], "content-type": "application/json"}
                await self._broker.publish(row["body"], row["topic"], key=row["key"].encode(), headers=headers)
            await connection.execute("DELETE FROM outbox WHERE number = ANY($1)", [row["number"] for row in rows])
        return len(rows)
