"""Whether this database was set back: restored to a point before, or taken over by a standby that lacked the end.

Kafka's group then remembers more than the database: its offsets follow the database's positions (positions.py), so that
in one life they are never ahead. What is noticed becomes rows before anything is handled, because the group's offsets
follow the database back. What it has forgotten may have been done once (docs/decisions/0037).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis import metrics
from services.chassis.database import Connection, Pool, Session, Where
from services.chassis.offsets import Partition, positions

log = structlog.get_logger()
LATELY_DAYS = 7
"""Longer than a timer waits here that was due in the life that is forgotten; and Kafka has no older records."""
ANSWER_SECONDS = 10.0
AFTERWARDS_SECONDS = 30.0
"""Calls that come of what was read last have their results by then; or the other side is away."""

NOTICE = """
WITH here AS (
    SELECT t.topic, t.partition, committed, begins, ends, coalesce(next_offset, 0) AS stands
    FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS t (topic, partition, committed, begins, ends)
    LEFT JOIN consumed_position p ON (p.topic, p.partition) = (t.topic, t.partition))
INSERT INTO read_again AS r (topic, partition, until_offset, handled_until)
SELECT topic, partition, CASE WHEN begins < ends THEN ends ELSE 0 END,
       CASE WHEN greatest(stands, begins) < least(committed, ends) THEN least(committed, ends) ELSE 0 END
FROM here WHERE stands < ends AND EXISTS (SELECT FROM here WHERE committed > stands)
ON CONFLICT (topic, partition) DO UPDATE
    SET until_offset = greatest(r.until_offset, EXCLUDED.until_offset), noticed_at = now(), read_at = NULL,
        handled_until = greatest(r.handled_until, EXCLUDED.handled_until)
    WHERE r.until_offset < EXCLUDED.until_offset OR r.read_at IS NOT NULL AND EXCLUDED.handled_until > 0
"""
"""Of every partition, up to its end: what was handled in the last second is in no offset of the group's. But a position
may never be at an end, behind which only a transaction's marker stands; at an offset of the group's it was. Where all
had been read again, it is another time: the group's offset has followed."""
KNOWN = """
SELECT topic, partition, until_offset, extract(epoch FROM noticed_at)::float8 AS noticed_at,
       extract(epoch FROM noticed_at + make_interval(days => $1) - statement_timestamp())::float8 AS lately_seconds
FROM read_again
"""


class SetBack:
    """What a replica knows of it; looked at whenever it goes to the database's positions."""

    def __init__(self, database: Where) -> None:
        self._database = database
        self._until: dict[Partition, int] = {}
        self._lately_until = 0.0

    @property
    def has_forgotten(self) -> bool:
        """Whether there is anything to ask about."""
        return bool(self._until)

    def is_read_again(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record, also one that waits as a row, may have been handled in the life that is forgotten."""
        return offset < self._until.get((topic, partition), 0)

    def lately(self) -> bool:
        """Whether what is about to be done may have been done in a life that was forgotten in the last days."""
        return time.monotonic() < self._lately_until

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Compare the group's offsets of all partitions, whoever reads them, with the database's positions.

        Raises what Kafka or the database raises, and TimeoutError.
        """
        places = [
            TopicPartition(topic, number)
            for topic in sorted(consumer.subscription())
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        async with asyncio.timeout(ANSWER_SECONDS):  # else it asks a broker that is away without end
            found = await consumer._coordinator.fetch_committed_offsets(places)  # all of them in one request
        committed = {(place.topic, place.partition): found[place].offset for place in places if place in found}
        session = Session(self._database, "set-back")
        try:
            connection = await session.connection()
            stands = await positions(connection, committed)  # after the offsets, which follow them
            if any(offset > stands.get(place, 0) for place, offset in committed.items()):
                await self._notice(connection, consumer, places, committed)
            rows = await connection.fetch(KNOWN, LATELY_DAYS)
        finally:
            await session.close()
        self._until = {(row["topic"], row["partition"]): row["until_offset"] for row in rows}
        metrics.set_back.set(max((row["noticed_at"] for row in rows), default=0.0))
        self._lately_until = time.monotonic() + max((row["lately_seconds"] for row in rows), default=0.0)

    async def _notice(
        self,
        connection: Connection,
        consumer: AIOKafkaConsumer,
        places: list[TopicPartition],
        committed: Mapping[Partition, int],
    ) -> None:
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        log.warning("the database was set back: it has forgotten records that this service has handled")
        await connection.execute(
            NOTICE,
            [place.topic for place in places],
            [place.partition for place in places],
            [committed.get((place.topic, place.partition), 0) for place in places],
            [begins[place] for place in places],
            [ends[place] for place in places],
        )


READS_AGAIN = """
WITH read AS (
    UPDATE read_again r SET read_at = statement_timestamp()
    WHERE read_at IS NULL AND handled_until <= coalesce(
        (SELECT next_offset FROM consumed_position p
         WHERE (p.topic, p.partition) = (r.topic, r.partition)), 0))
SELECT EXISTS (SELECT FROM read_again
    WHERE coalesce(read_at > statement_timestamp() - make_interval(secs => $1), true)
      AND noticed_at > statement_timestamp() - make_interval(days => $2))
"""
"""Rows that this finds read are told as they were before: a moment ago they were not."""


async def reads_again(database: Pool) -> bool:
    """Whether there are still records that this database has forgotten, or were a moment ago: what they led to is done
    after them."""
    again = await database.fetchval(READS_AGAIN, AFTERWARDS_SECONDS, LATELY_DAYS)  # older: it is not there any more
    return bool(again)
