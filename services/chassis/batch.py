"""One batch, one transaction (engine.md, Batch): inbox, load, decide, save, commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from services.chassis import dead_letters, gateway_calls, inbox, local_messages, metrics, offsets, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection, Session
from services.chassis.dead_letters import Failed
from services.chassis.deciding import Decided, Decider
from services.chassis.failures import Busy, DeadLetterLimit, Failure, classify
from services.chassis.handlers import PlanChanged, Service
from services.chassis.messages import Message, Raw, Refused
from services.chassis.reading import Reader, unread
from services.chassis.unit_of_work import Call, Remind, Send, UnitOfWork

log = structlog.get_logger()
PLANS = 5


@dataclass(frozen=True, slots=True)
class Committed:
    """What has to happen after the commit: wake the relay, make the calls."""

    calls: tuple[Call, ...] = ()
    sent: bool = False

    def __add__(self, other: Committed) -> Committed:
        return Committed(self.calls + other.calls, self.sent or other.sent)


class BatchRunner:
    """Runs batches of one service on one connection."""

    def __init__(self, service: Service, session: Session, clock: Clock) -> None:
        self._service, self._session, self._clock = service, session, clock
        self._reader = Reader(service)
        self._limit = DeadLetterLimit()

    @property
    def local_types(self) -> list[str]:
        """The local messages that this build can read."""
        return self._service.local_types

    async def run(self, batch: Sequence[Raw]) -> Committed:
        """Handle `batch`, in order: local messages and events, then commands; each partition's records in order.

        Raises what `failures.classify` knows, for the loop to act on; constraint violations are settled here.
        """
        error: Exception | None = None
        for _ in range(2):
            try:
                return await self._replanned(batch)
            except Exception as caught:
                if classify(caught) is not Failure.MESSAGE:
                    raise
                metrics.batch_failures.labels(Failure.MESSAGE).inc()
                log.warning("batch failed on a message, loading again", size=len(batch), error=str(caught))
                error = caught
        if len(batch) > 1:
            middle = len(batch) // 2
            return await self.run(batch[:middle]) + await self.run(batch[middle:])
        return await self._replanned(batch, poison=error)

    async def _replanned(self, batch: Sequence[Raw], poison: Exception | None = None) -> Committed:
        for _ in range(PLANS):
            try:
                return await self._transact(batch, poison=poison)
            except PlanChanged:
                metrics.batch_failures.labels("plan_changed").inc()
        raise Busy(f"the plan of a batch changed {PLANS} times")

    async def _transact(self, batch: Sequence[Raw], *, poison: Exception | None) -> Committed:
        started = time.perf_counter()
        now = self._clock.now()
        items, unreadable = self._read(batch)
        async with self._session.transaction() as connection:
            await offsets.advance(
                connection,
                offsets.span(raw for raw in batch if raw.row is None and not raw.topic.startswith("local.")),
            )
            fresh = await inbox.drop_repeated(connection, items)
            messages = [item for item in fresh if isinstance(item, Message)]
            work: UnitOfWork = self._service.new_work(now)
            await self._service.store.load(connection, messages, work)
            decided, free = await _claim(connection, batch, fresh, unreadable, work)
            decider = Decider(self._service, decided)
            for message in free:
                decider.decide(message, poison)
            for refused in decided.refused:
                decider.refuse(refused)
            self._limit.check(len(decided.failed))
            await self._save(connection, decided)
            await dead_letters.release_drained(connection, [(raw.key or b"").decode() for raw in batch if raw.held])
        self._limit.count(len(decided.failed))
        metrics.batch_messages.observe(len(batch))
        metrics.batch_seconds.observe(time.perf_counter() - started)
        return Committed(tuple(decided.effects(Call)), sent=bool(work.journal or decided.refused))

    def _read(self, batch: Sequence[Raw]) -> tuple[list[Message[Any] | Refused], list[Failed]]:
        """(what can be decided on, local messages of ours that no build of this version can read)."""
        items: list[Message[Any] | Refused] = []
        unreadable: list[Failed] = []
        for raw in batch:
            try:
                item = self._reader.read(raw, self._clock.now())
            except Exception as error:
                if raw.row is None:
                    raise
                unreadable.append(Failed(unread(raw), f"{type(error).__name__}: {error}"))
                continue
            if item is None:
                metrics.messages_unknown.inc()
            else:
                items.append(item)
        return items, unreadable

    async def _save(self, connection: Connection, decided: Decided) -> None:
        work, name = decided.work, self._service.name
        if work.journal:
            await self._service.store.save(connection, work)
        await local_messages.save_timers(connection, decided.effects(Remind))
        await gateway_calls.save(connection, decided.effects(Call))
        await dead_letters.set_aside_failed(connection, decided.failed)  # first in its key's queue
        await dead_letters.keep_behind(connection, decided.held, work.now)
        await dead_letters.set_aside_refused(connection, decided.refused)
        await inbox.save_receipts(connection, decided.answered)
        sends = [outbox.from_send(send, name, self._clock) for send in decided.effects(Send)]
        set_aside: list[Failed | Refused] = [*decided.failed, *decided.refused]
        copies = [outbox.from_dead_letter(item, name) for item in set_aside]
        await outbox.append(connection, [*sends, *copies])


async def _claim(
    connection: Connection,
    batch: Sequence[Raw],
    fresh: Sequence[Message[Any] | Refused],
    unreadable: Sequence[Failed],
    work: UnitOfWork,
) -> tuple[Decided, list[Message[Any]]]:
    """Take what no other replica has taken; (what is decided already, the messages whose turn has come)."""
    messages = [item for item in fresh if isinstance(item, Message)]
    free, held = await dead_letters.split_blocked(connection, messages)  # before the rows, as operators do
    taken = await local_messages.take(connection, batch)
    claimed = await gateway_calls.close(connection, [item for item in fresh if taken.has(item.raw)])
    ours = {id(item) for item in claimed}
    decided = Decided(
        work,
        failed=[failed for failed in unreadable if taken.has(failed.message.raw)],
        held=[pair for pair in held if id(pair[0]) in ours],
        refused=[item for item in claimed if isinstance(item, Refused)],
    )
    return decided, [message for message in free if id(message) in ours]
