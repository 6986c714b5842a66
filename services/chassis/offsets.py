"""Offsets and the fence (engine.md, Offsets and rebalances).

The database is the truth: a batch's transaction advances `consumed_position`, and Kafka's offsets are committed
behind it. A replica that lost a partition finds the position past its batch and drops the batch; so it does where the
position went back under it, because a standby that lacks the end has taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.database import Connection, Session, Where
from services.chassis.messages import Raw
from services.chassis.statements import Row, Statements

Partition = tuple[str, int]
Spans = Mapping[Partition, tuple[int, int]]
"""The first and the next offset of each partition in a batch."""


class Fenced(Exception):
    """Another replica owns a partition of this batch: roll back and drop the batch."""


def span(records: Iterable[Raw]) -> Spans:
    """Those of a batch."""
    spans: dict[Partition, tuple[int, int]] = {}
    for record in records:
        partition = (record.topic, record.partition)
        first = spans.get(partition, (record.offset, 0))[0]
        spans[partition] = (first, record.offset + 1)
    return spans


def advance(writes: Statements, spans: Spans, stood: Mapping[Partition, int]) -> list[Row]:
    """Move the positions past this batch, but for those that are past its first offset already, and those that are not
    where this replica knew them to be (`stood`): what lies between has been forgotten. `fence` looks."""
    if not spans:
        return []
    ordered = sorted(spans.items())
    return writes.change(
        "topic",
        """
        INSERT INTO consumed_position AS p (topic, partition, next_offset)
        SELECT topic, partition, next_offset
        FROM unnest($1::text[], $2::int[], $4::bigint[], $5::bigint[]) AS t (topic, partition, next_offset, stood)
        WHERE stood IS NULL OR EXISTS (SELECT FROM consumed_position h
                                       WHERE (h.topic, h.partition) = (t.topic, t.partition))
        ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
            WHERE (SELECT p.next_offset <= u.first AND p.next_offset = coalesce(u.stood, p.next_offset)
                   FROM unnest($1::text[], $2::int[], $3::bigint[], $5::bigint[]) AS u (topic, partition, first, stood)
                   WHERE (u.topic, u.partition) = (EXCLUDED.topic, EXCLUDED.partition))
        RETURNING topic
        """,
        [topic for (topic, _), _ in ordered],
        [partition for (_, partition), _ in ordered],
        [first for _, (first, _) in ordered],
        [following for _, (_, following) in ordered],
        [stood.get(partition) for partition, _ in ordered],
    )


def fence(spans: Spans, moved: Sequence[Row]) -> None:
    """Raises Fenced where not all of a batch's positions could be moved."""
    if len(moved) != len(spans):
        count = f"{len(spans) - len(moved)} of {len(spans)} partitions"
        raise Fenced(f"{count} are another replica's now, or the database was set back")


async def read_positions(database: Where, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The database's positions, on a connection of their own: the loop's may be busy."""
    session = Session(database, "positions")
    try:
        return await positions(await session.connection(), partitions)
    finally:
        await session.close()


async def positions(connection: Connection, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Where to go on reading; partitions never consumed are left out."""
    wanted = set(partitions)
    rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed_position")
    found = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    return {partition: found[partition] for partition in wanted if partition in found}
