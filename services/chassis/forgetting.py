"""Messages that a person stands in are forgotten: dead letters, and what is still to be handled or sent.

Dead letters and the outbox have no index by which a person could be found, and may have piled up; they are gone through
by their primary key, a slice in a statement.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.chassis.operator import NotPossible

SLICE = 250
ABOUT = "coalesce({key} = ANY($2), false) OR EXISTS (SELECT FROM unnest($3::bytea[]) t WHERE position(t IN body) > 0)"
LETTERS = f"""
SELECT id, {ABOUT.format(key="key")} AS about, status = 'open' AND kind <> 'refused' AS open FROM dead_letter
WHERE id > $1 ORDER BY id LIMIT {SLICE}
"""
UNSENT = f"""
SELECT id, {ABOUT.format(key="convert_to(key, 'UTF8')")} AS about FROM outbox
WHERE id > $1 ORDER BY id LIMIT {SLICE}
"""
DELETE = """
DELETE FROM dead_letter WHERE id = ANY(ARRAY(
    SELECT id FROM dead_letter WHERE id = ANY($1) AND (status <> 'open' OR kind = 'refused')
    ORDER BY id FOR UPDATE SKIP LOCKED))
"""
WAITING = """
SELECT count(*) FROM local_message m
WHERE kind = 'record' AND key = ANY($1) AND NOT EXISTS (SELECT FROM dead_letter d WHERE d.id = m.id)
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What a person still stands in: open dead letters, messages that wait behind one or for a lock, and messages that
    are on their way to Kafka."""

    letters: Sequence[UUID]
    waiting: int
    unsent: int

    def sentences(self, service: str) -> list[str]:
        """What an operator is to do before nothing is left."""
        said = [
            f"still in a dead letter: redrive or discard it, then erase again: {service} {letter}"
            for letter in self.letters
        ]
        if self.waiting:
            said.append(f"still in {self.waiting} messages that {service} has to handle: erase again when it has")
        if self.unsent:
            said.append(f"still in {self.unsent} messages that {service} is sending to Kafka: erase again when it has")
        return said


async def forget(connection: Connection, keys: Sequence[str], texts: Iterable[str]) -> Left:
    """Delete dead letters that were dealt with, or are refused input, of these keys or with one of `texts` as a string
    in their JSON. The other messages are somebody's to handle first; they are counted. May be repeated."""
    about = [key.encode() for key in keys], [form for text in texts for form in _in_json(text)]
    letters = await _walk(connection, LETTERS, UUID(int=0), about)
    closed = [row["id"] for row in letters if not row["open"]]
    for slice_ in slices(closed):
        await connection.execute(DELETE, slice_)
    waiting: int = await connection.fetchval(WAITING, list(keys))
    unsent = await _walk(connection, UNSENT, 0, about)
    return Left([row["id"] for row in letters if row["open"]], waiting, len(unsent))


async def in_slices(
    connection: Connection, ids: Sequence[UUID], forget_slice: Callable[[Sequence[UUID]], Awaitable[None]]
) -> None:
    """Each slice in a transaction of its own, so that no batch waits long for its rows. Raises NotPossible."""
    for slice_ in slices(ids):
        try:
            async with connection.transaction():
                await forget_slice(slice_)
        except asyncpg.LockNotAvailableError:
            raise NotPossible("a batch holds some of these rows: a part is erased, erase again for the rest") from None


def slices(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + SLICE] for start in range(0, len(ids), SLICE))


async def _walk(
    connection: Connection, query: str, after: UUID | int, about: tuple[list[bytes], list[bytes]]
) -> list[asyncpg.Record]:
    """The rows that are about it, of all that there are."""
    found: list[asyncpg.Record] = []
    while rows := await connection.fetch(query, after, *about):
        found += [row for row in rows if row["about"]]
        after = rows[-1]["id"]
    return found


def _in_json(text: str) -> set[bytes]:
    """As our messages spell it, and as those do that escape all that is not ASCII."""
    return {json.dumps(text, ensure_ascii=ascii_only).encode() for ascii_only in (False, True)}
