"""The one consumer loop of a process: gather a batch, run it, go on (engine.md, Batch)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

import structlog

from services.chassis import crash_points, local_messages, metrics, offsets
from services.chassis.batch import BatchRunner, Committed
from services.chassis.clock import Clock
from services.chassis.consumer import Consumer
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.failures import Broken, Failure, backoff_seconds, classify
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.messages import Raw
from services.chassis.relay import Relay

log = structlog.get_logger()
MOST = 500
PEEK_SECONDS = 0.1
IDLE_SECONDS = 0.1
GIVE_UP_SECONDS = 5.0
ATTEMPTS_SECONDS = 25.0
"""How long the same batch is tried before the loop polls Kafka again, from the batch's first offsets."""


class Loop:
    """Owns the batch in hand."""

    consumer: Consumer
    worker: GatewayWorker | None = None

    def __init__(self, runner: BatchRunner, session: Session, clock: Clock, relay: Relay) -> None:
        self._runner, self._session, self._clock, self._relay = runner, session, clock, relay
        self._results: deque[Raw] = deque()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._batch: asyncio.Task[Committed] | None = None
        self._peek_at = 0.0
        self._given_up = False
        """Partitions were revoked while a batch was in hand that could not be finished."""
        self.stopping = False
        self.last_progress = time.monotonic()

    def deliver(self, result: Raw) -> None:
        """A gateway result that enters the next batch."""
        self._results.append(result)
        self._wake.set()

    def wake(self) -> None:
        """A local message was stored by another part of this process (a webhook)."""
        self._peek_at = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Until `stop` was called; raises Broken when the service must not go on."""
        while not self.stopping:
            self.last_progress = time.monotonic()
            records, local = await self._gather()
            if records or local:
                async with self._turn:
                    await self._settle(records, local)

    async def stop(self) -> None:
        """No new batch; the one in hand finishes."""
        self.stopping = True
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether a batch is in hand."""
        return self._turn.locked()

    async def finish(self) -> None:
        """After the last batch: results of calls that were still in flight; what fails is done again by who follows."""
        results = list(self._results)
        self._results.clear()
        if results:
            async with self._turn:
                await self._settle([], results)

    async def give_up(self) -> None:
        """Partitions are being revoked: wait at most 5 s for the batch in hand, then cancel it; it rolls back."""
        try:
            await asyncio.wait_for(self._turn.acquire(), GIVE_UP_SECONDS)
        except TimeoutError:
            self._given_up = True
            if self._batch is not None:
                self._batch.cancel()
            log.warning("batch in hand was cancelled, its partitions are given up")
        else:
            self._turn.release()

    async def _gather(self) -> tuple[list[Raw], list[Raw]]:
        """(records of Kafka, local messages); events and local messages first, commands get at least half the room."""
        local = await self._local()
        events = await self.consumer.events(MOST)
        waiting = bool(local or events)
        commands = await self.consumer.commands(MOST // 2 if waiting else MOST)
        if not waiting and not commands and not self._wake.is_set():
            return await self._next_record(), []
        self._wake.clear()
        return [*events, *commands], local

    async def _next_record(self) -> list[Raw]:
        fetch = asyncio.ensure_future(self.consumer.wait(MOST, IDLE_SECONDS))
        woken = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait((fetch, woken), return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()
        if not fetch.done():
            fetch.cancel()
        try:
            return await fetch
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return []

    async def _local(self) -> list[Raw]:
        results = [self._results.popleft() for _ in range(min(len(self._results), MOST))]
        if time.monotonic() < self._peek_at:
            return results
        try:
            connection, now = await self._session.connection(), self._clock.now()
            due = await local_messages.peek(connection, now, MOST, self._runner.local_types)
        except Exception as error:
            if classify(error) is Failure.BROKEN:
                raise Broken(f"the database does not fit this build: {error}") from error
            await self._session.close()
            self._results.extendleft(reversed(results))
            await asyncio.sleep(backoff_seconds(2))
            return []
        if len(due) < MOST:
            self._peek_at = time.monotonic() + PEEK_SECONDS
        return results + due

    async def _settle(self, records: Sequence[Raw], local: Sequence[Raw]) -> None:
        """Try the batch until it is committed, fenced off, or its time is over."""
        batch = [*local, *records]
        started, tries, self._given_up = time.monotonic(), 0, False
        spans = offsets.span(records)
        while True:
            self._batch = asyncio.create_task(self._runner.run(batch))
            try:
                committed = await asyncio.shield(self._batch)
            except asyncio.CancelledError:
                if not self._batch.done():
                    self._batch.cancel()
                    raise
                await self._session.close()
                return self._put_back(local)
            except Exception as error:
                failure = classify(error)
                metrics.batch_failures.labels(failure).inc()
                if failure is Failure.BROKEN or isinstance(error, Broken):
                    raise error if isinstance(error, Broken) else Broken(repr(error)) from error
                if failure is Failure.FENCED:
                    log.warning("batch dropped", reason=str(error))
                    self.consumer.seek_to_database()
                    return self._put_back(local)
                log.warning("batch failed, tried again", failure=failure, error=repr(error), tries=tries)
                await self._session.close()
                await asyncio.sleep(backoff_seconds(tries))
                tries += 1
                self.last_progress = time.monotonic()
                if self._given_up:
                    return self._put_back(local)
                if time.monotonic() - started > ATTEMPTS_SECONDS or self.stopping:
                    await self.consumer.rewind({partition: first for partition, (first, _) in spans.items()})
                    return self._put_back(local)
            else:
                crash_points.reached(Point.AFTER_COMMIT)
                self.consumer.done({partition: following for partition, (_, following) in spans.items()})
                self._after(committed)
                return None
            finally:
                self._batch = None

    def _put_back(self, local: Sequence[Raw]) -> None:
        """Gateway results live in memory alone; rows are found again."""
        self._results.extendleft(reversed([raw for raw in local if raw.row is None]))
        self._peek_at = 0.0

    def _after(self, committed: Committed) -> None:
        if committed.sent:
            self._relay.wake()
        if self.worker is not None:
            self.worker.submit(committed.calls)
