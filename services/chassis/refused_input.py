"""What is kept of input that was refused: enough to see what is wrong, not enough to fill a disk (bad-input).

A client's record that cannot be read was answered, where its id could be read: nobody has to do anything about it. So
it is kept for a week, cut, and no more than MOST_PER_KEY of a key and MOST_PER_PARTITION of a partition in an hour;
what comes beyond that is counted in one row for the partition and hour. A message of our own services that cannot be
read is another matter: it is kept whole until a build reads it or an operator gives it up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from booking_contracts.envelope import uuid7
from booking_contracts.rights import SERVICES
from booking_contracts.topics import TOPICS

from services.chassis import metrics
from services.chassis.database import Connection
from services.chassis.messages import Raw, Refused

CLIENTS = frozenset(topic.name for topic in TOPICS if not {*topic.writers} <= {*SERVICES})
"""The topics that others than our services write to, as the contract has it."""

MOST_BODY_BYTES = 4096
MOST_KEY_BYTES = 256
MOST_HEADERS = 20
MOST_HEADER_CHARS = 256
MOST_PER_KEY = 100
MOST_PER_PARTITION = 500
"""Every partition of booking's topics flooded for a whole week: two million rows of at most 4 KiB."""
CUT = "dead_letter_cut"
"""A header of ours, last among those of a record of which not everything was kept."""

KEPT = """
SELECT topic, partition, key, count(*) AS n FROM dead_letter
WHERE kind = 'refused' AND created_at >= date_trunc('hour', statement_timestamp()) AND "offset" >= 0
GROUP BY topic, partition, key
"""
"""At most MOST_PER_PARTITION rows of each partition."""

Kept = Mapping[tuple[str, int, bytes | None], int]
"""How many rows of a topic, partition and key this hour has already."""


def kind_of(topic: str) -> str:
    """What a record that cannot be read is: `refused` input of a client, or `unread`, a message of ours."""
    return "refused" if topic in CLIENTS else "unread"


def cut(raw: Raw) -> Raw:
    """What is kept of refused input; a header CUT says how much of the body there was, where not all is there."""
    key = None if raw.key is None else raw.key[:MOST_KEY_BYTES]
    if raw.undecodable:
        return replace(raw, headers=[(CUT, "it could not be decoded")])
    headers = [(name[:MOST_HEADER_CHARS], value[:MOST_HEADER_CHARS]) for name, value in raw.headers[:MOST_HEADERS]]
    body = raw.body[:MOST_BODY_BYTES]
    if (key, headers, body) != (raw.key, raw.headers, raw.body):
        headers.append((CUT, f"not all is kept; the body had {len(raw.body)} bytes"))
    return replace(raw, key=key, headers=headers, body=body)


def within_limits(kept: Kept, refused: Iterable[Refused]) -> tuple[list[Refused], list[Refused]]:
    """(what is kept, what is only counted) of refused records that are cut already, in order."""
    of_key = Counter(dict(kept))
    of_partition: Counter[tuple[str, int]] = Counter()
    for (topic, partition, _), count in kept.items():
        of_partition[topic, partition] += count
    keep: list[Refused] = []
    leave: list[Refused] = []
    for item in refused:
        where = (item.raw.topic, item.raw.partition)
        if (item.raw.key is None or of_key[*where, item.raw.key] < MOST_PER_KEY) and of_partition[
            where
        ] < MOST_PER_PARTITION:
            of_key[*where, item.raw.key] += 1
            of_partition[where] += 1
            keep.append(item)
        else:
            leave.append(item)
    return keep, leave


async def bounded(connection: Connection, refused: Sequence[Refused]) -> list[Refused]:
    """What is to be kept of what could not be read, cut; the rest is counted, and gets no copy on any topic either.

    One replica handles a partition's records at a time, so that no two of them count at once.
    """
    ours = [
        replace(item, raw=cut(item.raw)) if item.raw.undecodable else item
        for item in refused
        if kind_of(item.raw.topic) == "unread"
    ]
    of_clients = [replace(item, raw=cut(item.raw)) for item in refused if kind_of(item.raw.topic) == "refused"]
    kept, left_out = within_limits(await _kept(connection, of_clients), of_clients)
    await _count(connection, left_out)
    return [*ours, *kept]


async def _kept(connection: Connection, refused: Sequence[Refused]) -> Kept:
    if not refused:
        return {}
    rows = await connection.fetch(KEPT)
    return {(row["topic"], row["partition"], row["key"]): row["n"] for row in rows}


async def _count(connection: Connection, left_out: Sequence[Refused]) -> None:
    """The summarising row of each partition and hour; its offset is the hour's number, negative."""
    if not left_out:
        return
    metrics.refused_not_kept.inc(len(left_out))
    counts = sorted(Counter((item.raw.topic, item.raw.partition) for item in left_out).items())
    await connection.execute(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, error, headers, body, records)
        SELECT id, topic, partition, -(extract(epoch FROM statement_timestamp())::bigint / 3600), 'refused', $5, '[]',
               '', records
        FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[]) AS t (id, topic, partition, records)
        ON CONFLICT (topic, partition, "offset") DO UPDATE
            SET records = dead_letter.records + EXCLUDED.records, status = 'open'
        """,
        [uuid7() for _ in counts],
        [topic for (topic, _), _ in counts],
        [partition for (_, partition), _ in counts],
        [count for _, count in counts],
        f"more refused records than {MOST_PER_KEY} of a key or {MOST_PER_PARTITION} of a partition in this hour: "
        "answered, and not kept",
    )
