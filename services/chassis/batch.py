"""One batch, one transaction (engine.md, Batch): inbox, load, decide, save, commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from services.chassis import blocked_keys, dead_letters, gateway_calls, inbox, local_messages, metrics, offsets, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection, Session
from services.chassis.dead_letters import Failed
from services.chassis.deciding import Decided, Decider, Verdict, count
from services.chassis.failures import BadRelease
from services.chassis.inbox import Inbox, Item
from services.chassis.messages import Message, Raw, Refused
from services.chassis.offsets import Partition
from services.chassis.reading import Reader, Unread
from services.chassis.service import Service, load
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Call, Remind, Send, UnitOfWork


@dataclass(frozen=True, slots=True)
class Committed:
    """What has to happen after the commit: wake the relay, make the calls, find the timers that are due at once."""

    calls: tuple[Call, ...] = ()
    sent: bool = False
    due: bool = False

    def __add__(self, other: Committed) -> Committed:
        return Committed(self.calls + other.calls, self.sent or other.sent, self.due or other.due)


class BatchRunner:
    """Runs batches of one service on one connection; ladder.py says what happens when one fails."""

    def __init__(
        self,
        service: Service,
        session: Session,
        clock: Clock,
        was_set_back: Callable[[], bool] = lambda: False,
        stood: Mapping[Partition, int] = MappingProxyType({}),
    ) -> None:
        """`stood`: where this replica knows the database's positions to be."""
        self.service, self._session, self._clock = service, session, clock
        self.was_set_back, self._stood = was_set_back, stood
        self._reader = Reader(service)
        self.release = BadRelease()

    async def run(
        self, batch: Sequence[Raw], *, verdict: Verdict | None = None, lock_timeout_ms: int | None = None
    ) -> Committed:
        """Handle `batch`, in order: local messages and events, then commands; each partition's records in order.

        With a `verdict` nothing is loaded or decided: every message of the batch gets it. `lock_timeout_ms` is how
        long a row's lock is waited for, the session's own limit when left out. Raises what `failures.classify` knows.
        """
        started = time.perf_counter()
        now = self._clock.now()
        read = [item for raw in batch if (item := self._reader.read(raw, now)) is not None]
        items = [item for item in read if not isinstance(item, Unread)]
        async with self._session.transaction() as connection:
            if lock_timeout_ms is not None:
                await connection.execute(f"SET LOCAL lock_timeout = {lock_timeout_ms:d}")
            work: UnitOfWork = self.service.new_work(now)
            work.was_set_back = self.was_set_back()
            fresh = await self._admit(connection, batch, items, work if verdict is None else None)
            unread = [item for item in read if isinstance(item, Unread)]
            decided, free = await _claim(connection, batch, fresh, unread, work, deciding=verdict is None)
            decider = Decider(self.service, decided, self.release, verdict)
            decider.decide_all(free)
            decider.refuse_all()
            sent = await self._save(connection, decided)
            drained = [(raw.key or b"").decode() for raw in batch if raw.held]
            await blocked_keys.release_drained(connection, drained, skip_locked=verdict is not None)
        metrics.messages_unknown.inc(len(batch) - len(read))
        count(decided, self.release)
        self.service.count(decided.work)
        metrics.batch_messages.observe(len(batch))
        metrics.batch_seconds.observe(time.perf_counter() - started)
        due = any(timer.due_at <= now for timer in decided.effects(Remind))
        return Committed(tuple(decided.effects(Call)), sent=sent, due=due)

    async def pass_over(self, raw: Raw, error: Exception) -> None:
        """Leave one record behind with a note of where it was: nothing else of it can be kept."""
        async with self._session.transaction() as connection:
            await self._admit(connection, [raw], [], None)
            async with Statements(connection) as writes:
                local_messages.take(writes, [raw])
                gateway_calls.close(writes, [raw])
            await dead_letters.pass_over(connection, raw, repr(error))

    async def _admit(
        self, connection: Connection, batch: Sequence[Raw], items: Sequence[Item], work: UnitOfWork | None
    ) -> list[Item]:
        """Past the fence with the batch's positions, and of its items those that were not handled before.

        Where there is a `work`, what they are about is loaded into it; the first of it is asked for at once.
        """
        spans = offsets.span(raw for raw in batch if raw.from_kafka)
        store, go_on = self.service.store, None
        async with Statements(connection) as writes:
            moved, handled = offsets.advance(writes, spans, self._stood), Inbox(writes, items, self.service.replied)
            if work is not None:
                go_on = store.begin(writes, _messages(items), work)
        offsets.fence(spans, moved)
        fresh = handled.fresh()
        if work is not None and len(fresh) < len(items):
            await load(store, connection, _messages(fresh), work)
        elif go_on is not None:
            await go_on()
        return fresh

    async def _save(self, connection: Connection, decided: Decided) -> bool:
        """Write all of it; whether the outbox has something."""
        work, name = decided.work, self.service.name
        writes = Statements(connection)
        if work.journal:
            await self.service.store.save(writes, work)
        local_messages.save_timers(writes, decided.effects(Remind))
        gateway_calls.save(writes, decided.effects(Call))
        await dead_letters.set_aside_failed(connection, decided.failed)  # first in its key's queue
        await blocked_keys.keep_waiting(connection, decided.waiting, work.now)
        await blocked_keys.keep_behind(connection, decided.behind, work.now)
        refused = await dead_letters.set_aside_refused(connection, decided.refused)
        inbox.save_receipts(writes, decided.answered)
        asked = {reply.id: item.raw.sent_at for item, reply in decided.answered}
        sends = [outbox.from_send(send, name, self._clock, asked.get(send.id)) for send in decided.effects(Send)]
        set_aside: list[Failed | Refused] = [*decided.failed, *refused]
        outgoing = [*sends, *(outbox.from_dead_letter(item, name) for item in set_aside)]
        outbox.append(writes, outgoing)
        await writes.send()
        return bool(outgoing)


def _messages(items: Sequence[Item]) -> list[Message[Any]]:
    return [item for item in items if isinstance(item, Message)]


async def _claim(
    connection: Connection,
    batch: Sequence[Raw],
    fresh: Sequence[Item],
    unread: Sequence[Unread],
    work: UnitOfWork,
    *,
    deciding: bool,
) -> tuple[Decided, list[Message[Any]]]:
    """Take what no other replica has taken; (what is decided already, the messages whose turn has come).

    Where nothing is decided, nobody's locks are waited for either.
    """
    messages = _messages(fresh)
    async with Statements(connection) as writes:
        blocks = blocked_keys.look(writes, messages, lock=deciding)  # before the rows, as operators do
        taken = local_messages.take(writes, batch, skip_locked=not deciding)
        closed = gateway_calls.close(writes, batch, skip_locked=not deciding)
    claimed = {row["id"] for row in (*taken, *closed)}
    ours = {id(raw) for raw in batch if raw.from_kafka or (raw.row or gateway_calls.call_id(raw)) in claimed}
    free, blocked = blocked_keys.split(messages, blocks)
    free = [message for message in free if id(message.raw) in ours]
    if deciding:
        free, early = await blocked_keys.in_turn(connection, free)
        blocked += early
    decided = Decided(
        work,
        failed=[Failed(item.message, item.error) for item in unread if id(item.message.raw) in ours and not item.newer],
        waiting=[item.message for item in unread if id(item.message.raw) in ours and item.newer],
        behind=[message for message in blocked if id(message.raw) in ours],
        refused=[item for item in fresh if isinstance(item, Refused) and id(item.raw) in ours],
    )
    return decided, free
