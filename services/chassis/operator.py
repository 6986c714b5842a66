"""What an operator does with a dead letter: redrive it, or discard it (docs/operating.md, Dead letters).

| kind       | what it is                           | redrive              | discard                              |
|------------|--------------------------------------|----------------------|--------------------------------------|
| failed     | a handler raised; its key is blocked | handled again, first | see below; what waits behind goes on |
| unread     | ours, and this build cannot read it  | read again           | given up                             |
| unsendable | a row of the outbox, too large       | back into the outbox | given up: a gap in its stream        |
| refused    | a client's input; its sender knows   | no, they send anew   | gone from the list                   |

Nothing is left waiting for what is discarded. A client's command is answered DISCARDED; a command of ours, or an event
that ends a step, is asked for again by the saga. A local message of ours is never just dropped, whatever its type: a
timer is put off, and for the result of a call that call is made again, under its own idempotency key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import uuid7

from services.chassis import inbox, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.inbox import Inbox
from services.chassis.messages import Headers, Message, Raw, Refused
from services.chassis.publishing import MAX_RECORD_BYTES, Row
from services.chassis.reading import Reader
from services.chassis.refused_input import CUT, kind_of
from services.chassis.service import Service
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Send, UnitOfWork

LETTER = """
    d.id, d.topic, d.partition, d."offset", d.kind, d.key, d.message_id, d.type, d.error, d.headers, d.body, d.status,
    d.created_at
"""
PUT_OFF = timedelta(hours=1)
"""When a discarded timer comes back: long enough for its key to go on, short compared with any deadline."""
OUTBOX = "outbox:"
"""Before the topic of a letter that is a row of the outbox."""
NOBODY = "an operator"
"""Who did it, where nobody says so."""


class NotPossible(Exception):
    """The dead letter cannot be treated so; the text says what can be done."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and how many messages of the key wait behind it and go on."""

    what: str
    behind: int = 0

    def __str__(self) -> str:
        return f"{self.what}; {self.behind} messages behind it go on" if self.behind else self.what


async def redrive(connection: Connection, letter_id: UUID) -> Done:
    """Handle it again, then what waits behind it, in order, past the inbox and never through Kafka.

    Raises NotPossible.
    """
    async with connection.transaction():
        letter = await _open_letter(connection, letter_id)
        if letter["topic"].startswith(OUTBOX):
            done = await _send_again(connection, letter)
        elif letter["kind"] == "failed":
            done = Done("redriven", await _let_go(connection, letter) - 1)
        else:
            done = await _read_again(connection, letter)
        await _close(connection, letter_id, "redriven")
        return done


async def discard(
    connection: Connection, service: Service, clock: Clock, letter_id: UUID, *, for_good: bool = False
) -> Done:
    """Give it up. `for_good` drops local messages too: what waits for one is the operator's then.

    Raises NotPossible.
    """
    async with connection.transaction():
        letter = await _open_letter(connection, letter_id)
        done = Done("discarded")
        if letter["topic"].startswith(OUTBOX):
            done = Done(f"discarded: its receivers miss it{_number(letter)}")
        elif letter["kind"] == "failed":
            await _lock_key(connection, letter)
            await connection.execute("DELETE FROM local_message WHERE id = $1", letter_id)
            if letter["topic"].startswith("local.") and not for_good:
                done = await _come_back(connection, clock, letter)
            done = Done(done.what, await _let_go(connection, letter))
        await _close(connection, letter_id, "discarded")
        await _answer_discarded(connection, service, clock, letter)
        return done


async def _open_letter(connection: Connection, letter_id: UUID) -> asyncpg.Record:
    letter = await connection.fetchrow(f"SELECT {LETTER} FROM dead_letter d WHERE id = $1 FOR UPDATE", letter_id)
    if letter is None or letter["status"] != "open":
        raise NotPossible(f"{letter_id} is no open dead letter; see `bookingctl dead-letters list`")
    return letter


async def _lock_key(connection: Connection, letter: asyncpg.Record) -> str:
    """Before the key's rows, as batches do."""
    key: str = letter["key"].decode()
    await connection.fetch("SELECT key FROM blocked_key WHERE key = $1 FOR UPDATE", key)
    return key


async def _let_go(connection: Connection, letter: asyncpg.Record) -> int:
    """Make the key's rows due, all at the same instant, so that they go in the order of their arrival; the block stays
    until the last of them is handled, so that nothing overtakes them.

    Their ids are new: patience is counted from a row's id (blocked_keys.py), and that of before is used up.
    """
    key = await _lock_key(connection, letter)
    rows = await connection.fetch("SELECT id FROM local_message WHERE key = $1 AND kind = 'record' FOR UPDATE", key)
    if rows:
        await connection.execute(
            """
            UPDATE local_message SET id = fresh.id, due_at = statement_timestamp()
            FROM unnest($1::uuid[], $2::uuid[]) AS fresh (old, id) WHERE local_message.id = fresh.old
            """,
            [row["id"] for row in rows],
            [uuid7() for _ in rows],
        )
        await connection.execute("UPDATE blocked_key SET draining = true WHERE key = $1", key)
    else:
        await connection.execute("DELETE FROM blocked_key WHERE key = $1", key)
    return len(rows)


async def _come_back(connection: Connection, clock: Clock, letter: asyncpg.Record) -> Done:
    """A timer, a stored webhook: in a while, as it is. The result of a call: by that call, made again."""
    call_id = _headers(letter).get("call_id")
    if call_id is not None:
        return await _call_again(connection, UUID(call_id))
    await connection.execute(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body, partition)
        VALUES ($1, 'timer', $2, $3, $4, $5, $6, $7)
        """,
        uuid7(),
        letter["topic"],
        letter["key"].decode(),
        clock.now() + PUT_OFF,
        letter["headers"],
        letter["body"],
        letter["partition"],
    )
    return Done(f"put off by {PUT_OFF}: something waits for it")


async def _call_again(connection: Connection, call_id: UUID) -> Done:
    """Unless another call about the same subject is open: then its result is waited for."""
    found = await connection.fetchrow("SELECT subject, state FROM gateway_call WHERE id = $1 FOR UPDATE", call_id)
    if found is None:
        raise NotPossible(
            "the call it is the result of is not kept any more: mend what failed and redrive it, "
            "or discard it --for-good and see to what waits for it"
        )
    await connection.execute(
        """
        UPDATE gateway_call SET state = 'open', try_at = clock_timestamp(), tries = 0
        WHERE id = $1 AND NOT EXISTS (SELECT FROM gateway_call WHERE subject = $2 AND state = 'open')
        """,
        call_id,
        found["subject"],
    )
    return Done("its call is made again, under the same idempotency key: something waits for the result")


async def _send_again(connection: Connection, letter: asyncpg.Record) -> Done:
    """Under the same id and number: the stream has no gap any more, though the event comes late."""
    headers = json.loads(letter["headers"])
    row = Row(0, "", letter["key"], [(name, value.encode("latin-1")) for name, value in headers], letter["body"])
    if row.size > MAX_RECORD_BYTES:
        raise NotPossible(
            f"it has {row.size} bytes and the relay sends at most {MAX_RECORD_BYTES}: raise MAX_RECORD_BYTES in a new "
            f"build and max.message.bytes of {letter['topic'].removeprefix(OUTBOX)}, then redrive it; or discard it"
        )
    await connection.execute(
        "INSERT INTO outbox (topic, key, headers, body) VALUES ($1, $2, $3, $4)",
        letter["topic"].removeprefix(OUTBOX),
        None if letter["key"] is None else letter["key"].decode(),
        letter["headers"],
        letter["body"],
    )
    await connection.execute("SELECT pg_notify('outbox', '')")
    return Done("sent again")


async def _read_again(connection: Connection, letter: asyncpg.Record) -> Done:
    """A message of ours, for a build that can read it; a client's was answered, and has to come anew."""
    if kind_of(letter["topic"]) == "refused":
        raise NotPossible("it was refused and its sender was told: they have to send it again; discard it")
    try:
        key = (letter["key"] or b"").decode()
    except UnicodeDecodeError:
        key = ""
    if not key or "\x00" in key or CUT in _headers(letter):
        raise NotPossible("it has no key that can be read, or not all of it was kept: no build can read it; discard it")
    await connection.execute(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body, topic, partition, "offset")
        VALUES ($1, 'record', $2, $3, clock_timestamp(), $4, $5, $6, $7, $8)
        """,
        uuid7(),
        letter["type"] or "unknown",
        key,
        letter["headers"],
        letter["body"],
        letter["topic"],
        letter["partition"],
        letter["offset"],
    )
    return Done("read again")


async def _close(connection: Connection, letter_id: UUID, status: str) -> None:
    await connection.execute("UPDATE dead_letter SET status = $2 WHERE id = $1", letter_id, status)


async def _answer_discarded(connection: Connection, service: Service, clock: Clock, letter: asyncpg.Record) -> None:
    """A client's command has its one reply; what was refused has had it."""
    make = service.command_topics.get(letter["topic"])
    if make is None or letter["kind"] != "failed":
        return
    raw = Raw(letter["topic"], letter["partition"], letter["offset"], letter["key"], _pairs(letter), letter["body"])
    item = Reader(service).read(raw, clock.now())
    if not isinstance(item, Message | Refused) or item.id is None:
        return
    async with Statements(connection) as writes:
        handled = Inbox(writes, [item], service.replied)
    if not handled.fresh():
        return
    work = UnitOfWork(clock.now())
    if isinstance(item, Message):
        work.begin(item)
    refusal = Rejected(Code.DISCARDED, "An operator gave this command up; nothing was changed by it.")
    work.send(make(item, refusal), key=(raw.key or b"").decode(), reply_to=item.reply_to)
    reply = work.journal[-1]
    assert isinstance(reply, Send)
    async with Statements(connection) as writes:
        inbox.save_receipts(writes, [(item, reply)])
        outbox.append(writes, [outbox.from_send(reply, service.name, clock)])
    await connection.execute("SELECT pg_notify('outbox', '')")


def _pairs(letter: asyncpg.Record) -> Headers:
    return [(name, value) for name, value in json.loads(letter["headers"])]


def _headers(letter: asyncpg.Record) -> dict[str, str]:
    return dict(_pairs(letter))


def _number(letter: asyncpg.Record) -> str:
    """Where its receivers will see a gap."""
    sequence = _headers(letter).get("ce_sequence")
    return f", and find a gap at ce_sequence {sequence}" if sequence else ""
