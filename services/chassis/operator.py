"""What an operator does with dead letters: look, redrive, discard (engine.md, Dead letters and blocked keys)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import uuid7

from services.chassis import inbox, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.handlers import Service
from services.chassis.messages import Message, Raw, Refused
from services.chassis.reading import Reader
from services.chassis.unit_of_work import Send, UnitOfWork

LETTER = """
    d.id, d.topic, d.partition, d."offset", d.kind, d.key, d.message_id, d.type, d.error, d.headers, d.body, d.status,
    d.created_at
"""


class NotPossible(Exception):
    """The dead letter cannot be treated so; the text says what can be done."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A dead letter with the number of messages that wait behind it."""

    row: asyncpg.Record
    behind: int


async def dead_letters(connection: Connection, *, every: bool = False) -> list[Waiting]:
    """The open ones, oldest first; with `every` also those dealt with."""
    rows = await connection.fetch(
        f"""
        SELECT {LETTER}, (SELECT count(*) FROM local_message m
                     WHERE m.kind = 'record' AND convert_to(m.key, 'UTF8') = d.key AND m.id <> d.id)::int AS behind
        FROM dead_letter d WHERE $1 OR status = 'open' ORDER BY created_at
        """,
        every,
    )
    return [Waiting(row, row["behind"]) for row in rows]


async def redrive(connection: Connection, letter_id: UUID) -> str:
    """Handle it again, then what waits behind it, in order, past the inbox and never through Kafka.

    Returns what was done. Raises NotPossible.
    """
    async with connection.transaction():
        letter = await _open_letter(connection, letter_id)
        if letter["kind"] == "refused":
            return await _read_again(connection, letter)
        behind = await _let_go(connection, letter)
        await _close(connection, letter_id, "redriven")
        return f"redriven, with {behind - 1} messages behind it"


async def discard(connection: Connection, service: Service, clock: Clock, letter_id: UUID) -> str:
    """Give it up; a command is answered DISCARDED, and what waited behind it goes on. Raises NotPossible."""
    async with connection.transaction():
        letter = await _open_letter(connection, letter_id)
        await connection.execute("DELETE FROM local_message WHERE id = $1", letter_id)
        behind = await _let_go(connection, letter) if letter["kind"] == "failed" else 0
        await _close(connection, letter_id, "discarded")
        await _answer_discarded(connection, service, clock, letter)
        return f"discarded, {behind} messages behind it go on"


async def _open_letter(connection: Connection, letter_id: UUID) -> asyncpg.Record:
    letter = await connection.fetchrow(f"SELECT {LETTER} FROM dead_letter d WHERE id = $1 FOR UPDATE", letter_id)
    if letter is None or letter["status"] != "open":
        raise NotPossible(f"{letter_id} is no open dead letter; see `bookingctl dead-letters list`")
    return letter


async def _let_go(connection: Connection, letter: asyncpg.Record) -> int:
    """Make the key's rows due; the block stays until the last of them is handled, so that nothing overtakes them."""
    key = letter["key"].decode()
    await connection.fetch("SELECT key FROM blocked_key WHERE key = $1 FOR UPDATE", key)
    rows = await connection.fetch(
        "UPDATE local_message SET due_at = clock_timestamp() WHERE key = $1 AND kind = 'record' RETURNING id", key
    )
    if rows:
        await connection.execute("UPDATE blocked_key SET draining = true WHERE key = $1", key)
    else:
        await connection.execute("DELETE FROM blocked_key WHERE key = $1", key)
    return len(rows)


async def _read_again(connection: Connection, letter: asyncpg.Record) -> str:
    """A refused event, for a build that can read it; a refused command has had its one reply."""
    answered = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM command_receipt WHERE command_id = $1)", letter["message_id"]
    )
    if answered or letter["key"] is None:
        raise NotPossible("it was refused and answered, or has no key: its sender has to send it again; discard it")
    await connection.execute(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body, topic, partition, "offset")
        VALUES ($1, 'record', $2, $3, clock_timestamp(), $4, $5, $6, $7, $8)
        """,
        uuid7(),
        letter["type"] or "unknown",
        letter["key"].decode(),
        letter["headers"],
        letter["body"],
        letter["topic"],
        letter["partition"],
        letter["offset"],
    )
    await _close(connection, letter["id"], "redriven")
    return "read again"


async def _close(connection: Connection, letter_id: UUID, status: str) -> None:
    await connection.execute("UPDATE dead_letter SET status = $2 WHERE id = $1", letter_id, status)


async def _answer_discarded(connection: Connection, service: Service, clock: Clock, letter: asyncpg.Record) -> None:
    make = service.command_topics.get(letter["topic"])
    headers = [(name, value) for name, value in json.loads(letter["headers"])]
    raw = Raw(letter["topic"], letter["partition"], letter["offset"], letter["key"], headers, letter["body"])
    item = Reader(service).read(raw, datetime.now(UTC))
    if make is None or not isinstance(item, Message | Refused) or item.id is None:
        return
    if await inbox.drop_repeated(connection, [item]) == []:
        return  # it was answered when it was refused
    work = UnitOfWork(clock.now())
    if isinstance(item, Message):
        work.begin(item)
    refusal = Rejected(Code.DISCARDED, "An operator gave this command up; nothing was changed by it.")
    work.send(make(item, refusal), key=(raw.key or b"").decode(), reply_to=item.reply_to)
    reply = work.journal[-1]
    assert isinstance(reply, Send)
    await inbox.save_receipts(connection, [(item, reply)])
    await outbox.append(connection, [outbox.from_send(reply, service.name, clock)])
