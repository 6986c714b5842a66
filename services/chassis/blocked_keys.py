"""Keys whose messages wait, so that nothing overtakes (engine.md, Blocked keys).

Behind a failed message they wait until an operator redrives or discards it; behind one that may be handled later (its
row is locked, a newer build wrote it) until its next try. Either way they are rows of `local_message`, in the order of
their arrival. A key that drains lets its rows go, one after the other; the block goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking_contracts.envelope import uuid7

from services.chassis.clock import real_seconds
from services.chassis.database import Connection
from services.chassis.local_messages import NEVER, hold_back
from services.chassis.messages import Message
from services.chassis.statements import Row, Statements

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 30.0
NEVER_ARRIVES = 1 << 62


def look(writes: Statements, messages: Sequence[Message[Any]], *, lock: bool) -> list[Row]:
    """The blocks of these messages' keys. With `lock` FOR SHARE, so that redrive and discard wait for this batch."""
    query = f"SELECT key, draining FROM blocked_key WHERE key = ANY($1) ORDER BY key{' FOR SHARE' if lock else ''}"
    keys = sorted({message.key for message in messages})
    return writes.read("key, draining", query, keys) if keys else []


def split(messages: Sequence[Message[Any]], blocks: Sequence[Row]) -> tuple[list[Message[Any]], list[Message[Any]]]:
    """(free, blocked)."""
    draining = {row["key"]: row["draining"] for row in blocks}
    free: list[Message[Any]] = []
    blocked: list[Message[Any]] = []
    for message in messages:
        is_free = message.key not in draining or (message.raw.held and draining[message.key])
        (free if is_free else blocked).append(message)
    return free, blocked


async def in_turn(
    connection: Connection, free: Sequence[Message[Any]]
) -> tuple[list[Message[Any]], list[Message[Any]]]:
    """(whose turn it is, those that came too early), after the batch's rows were taken; rows in order of arrival.

    A row is early while one before it is left: it is not due yet, somebody holds it, or another replica found it.
    """
    held = [message for message in free if message.raw.held]
    if not held:
        return list(free), []
    rows = await connection.fetch(
        "SELECT key, min(arrival) AS first FROM local_message WHERE key = ANY($1) AND kind = 'record' GROUP BY key",
        sorted({message.key for message in held}),
    )
    first = {row["key"]: row["first"] for row in rows}
    held.sort(key=_arrival)  # they come by when they were due
    early = [message for message in held if _arrival(message) > first.get(message.key, NEVER_ARRIVES)]
    ids = {id(message) for message in early}
    turn = (message for message in held if id(message) not in ids)
    return [next(turn) if message.raw.held else message for message in free if id(message) not in ids], early


def _arrival(message: Message[Any]) -> int:
    return message.raw.arrival or 0


async def keep_behind(connection: Connection, blocked: Sequence[Message[Any]], now: datetime) -> None:
    """Messages of blocked keys become rows, due when the last row before them is; a row keeps its id.

    Where an operator or a batch has the key in hand, they are due at once: whether to wait is decided by then.
    """
    if not blocked:
        return
    keys = await connection.fetch(
        "SELECT key FROM blocked_key WHERE key = ANY($1) ORDER BY key FOR SHARE SKIP LOCKED",
        sorted({message.key for message in blocked}),
    )
    rows = await connection.fetch(
        """
        SELECT b.key, CASE WHEN draining THEN greatest($2, max(m.due_at)) ELSE $3 END AS due_at
        FROM blocked_key b LEFT JOIN local_message m ON m.key = b.key AND m.kind = 'record'
        WHERE b.key = ANY($1) GROUP BY b.key
        """,
        [row["key"] for row in keys],
        now,
        NEVER,
    )
    due = {row["key"]: row["due_at"] for row in rows}
    rows_behind = [(message, due.get(message.key, now), _kept_id(message) or uuid7()) for message in blocked]
    await hold_back(connection, rows_behind)


async def keep_waiting(connection: Connection, waiting: Sequence[Message[Any]], now: datetime) -> None:
    """Messages to be tried again by themselves, after half of the time that they have waited; their keys wait too."""
    if not waiting:
        return
    due = {message.key: now + timedelta(seconds=wait_seconds(message)) for message in reversed(waiting)}
    keys = sorted(due)
    await connection.execute(
        "INSERT INTO blocked_key (key, draining) SELECT unnest($1::text[]), true ON CONFLICT DO NOTHING", keys
    )
    await connection.execute(
        """
        UPDATE local_message m SET due_at = greatest(m.due_at, w.due_at)
        FROM unnest($1::text[], $2::timestamptz[]) AS w (key, due_at)
        WHERE m.key = w.key AND m.id = ANY(ARRAY(
            SELECT id FROM local_message WHERE key = ANY($1) AND kind = 'record' ORDER BY id FOR UPDATE SKIP LOCKED))
        """,
        keys,
        [due[key] for key in keys],
    )
    await hold_back(connection, [(message, due[message.key], _kept_id(message) or uuid7()) for message in waiting])


def waited_seconds(message: Message[Any]) -> float:
    """How long ago a message was first kept as a row: the row's id, which it keeps, tells. 0 for a new one."""
    row = _kept_id(message)
    return 0.0 if row is None else max(0.0, real_seconds() - (row.int >> 80) / 1000)


def _kept_id(message: Message[Any]) -> UUID | None:
    return message.raw.row if message.raw.held else None


def wait_seconds(message: Message[Any]) -> float:
    """How long it waits until its next try."""
    return min(max(FIRST_WAIT_SECONDS, waited_seconds(message) / 2), LONGEST_WAIT_SECONDS)


async def block(connection: Connection, keys: Sequence[str]) -> None:
    """Nothing of these keys goes on until an operator says so."""
    await connection.execute(
        """
        INSERT INTO blocked_key (key) SELECT unnest($1::text[])
        ON CONFLICT (key) DO UPDATE SET draining = false
        """,
        keys,
    )
    await connection.execute(
        "UPDATE local_message SET due_at = $2 WHERE key = ANY($1) AND kind = 'record'", keys, NEVER
    )


async def release_drained(connection: Connection, keys: Sequence[str], *, skip_locked: bool = False) -> None:
    """Lift the block of keys whose waiting rows have all been handled; with `skip_locked` those that nobody holds.

    Locked first, looked at in a second statement: one that waits for a lock does not look again at what it had read.
    A block that stays without rows goes with the next message of its key, which queues behind it.
    """
    if not keys:
        return
    locked = await connection.fetch(
        "SELECT key FROM blocked_key WHERE draining AND key = ANY($1) ORDER BY key FOR UPDATE"
        + (" SKIP LOCKED" if skip_locked else ""),
        sorted(set(keys)),
    )
    await connection.execute(
        """
        DELETE FROM blocked_key b WHERE key = ANY($1)
          AND NOT EXISTS (SELECT FROM local_message m WHERE m.key = b.key AND m.kind = 'record')
        """,
        [row["key"] for row in locked],
    )
