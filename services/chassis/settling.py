"""The handler of a service's one subscriber: a batch has its turn until it is committed, put down or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from services.chassis import crash_points, offsets
from services.chassis.batch import BatchRunner, Committed
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.failures import Broken, backoff_seconds
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.ladder import Ladder, PutDown
from services.chassis.local import Local
from services.chassis.messages import Raw
from services.chassis.offsets import Fenced
from services.chassis.positions import GIVE_UP_SECONDS, Positions
from services.chassis.relay import Relay

log = structlog.get_logger()
FENCED_AT_MOST = 20


class Settling:
    """Owns the batch in hand. One batch at a time; what is not committed is read again."""

    def __init__(
        self,
        runner: BatchRunner,
        session: Session,
        positions: Positions,
        relay: Relay,
        local: Local,
        worker: GatewayWorker | None = None,
    ) -> None:
        self._session, self._positions, self._relay, self._worker = session, positions, relay, worker
        self._local = local
        self._ladder = Ladder(runner, session, self._settled)
        self._turn = asyncio.Lock()
        self._batch: asyncio.Task[None] | None = None
        self._failures = self._fences = 0
        self._commits = 0
        positions.give_up = self.give_up

    @property
    def busy(self) -> bool:
        """Whether a batch is in hand."""
        return self._turn.locked()

    async def idle(self) -> None:
        """Waits until no batch is in hand."""
        async with self._turn:
            return

    async def settle(self, batch: list[Raw]) -> None:
        """Handle a batch. Raises Broken when the service must not go on."""
        async with self._turn:
            before = self._commits
            self._batch = asyncio.create_task(self._ladder.settle(batch))
            try:
                await asyncio.shield(self._batch)
                self._failures = self._fences = 0
            except asyncio.CancelledError:
                if not self._batch.done():  # this task is cancelled: the process stops
                    self._batch.cancel()
                    raise
                await self._put_down()
            except PutDown as reason:
                log.warning("batch put down, read again", reason=str(reason), failures=self._failures)
                await self._put_down()
                await asyncio.sleep(backoff_seconds(self._failures))
                self._failures += 1
            except Fenced as error:
                await self._fenced(error)
            finally:
                self._batch = None
                waiting = any(not raw.from_kafka for raw in batch)
                self._positions.progress.saw_due(waiting=waiting, handled=self._commits > before)

    async def give_up(self) -> None:
        """Partitions are being revoked: wait at most 5 s for the batch in hand, then cancel it; it rolls back."""
        try:
            await asyncio.wait_for(self._turn.acquire(), GIVE_UP_SECONDS)
        except TimeoutError:
            if self._batch is not None:
                self._batch.cancel()
            log.warning("batch in hand was cancelled, its partitions are given up")
        else:
            self._turn.release()

    async def _fenced(self, error: Fenced) -> None:
        self._fences += 1
        if self._fences > FENCED_AT_MOST:
            raise Broken(
                f"{error}, {self._fences} times in a row although Kafka says that they are this replica's: is another "
                "service in its consumer group, or its database in use elsewhere? See `bookingctl positions show`"
            )
        log.warning("batch dropped", reason=str(error))
        await self._put_down()
        await asyncio.sleep(backoff_seconds(self._fences, most=1.0))

    async def _put_down(self) -> None:
        await self._session.close()
        self._positions.go_back()

    def _settled(self, part: Sequence[Raw], committed: Committed) -> None:
        """A part of the batch is in the database."""
        crash_points.reached(Point.AFTER_COMMIT)
        spans = offsets.span(raw for raw in part if raw.from_kafka)
        self._positions.done({partition: following for partition, (_, following) in spans.items()})
        self._commits += 1
        if committed.sent:
            self._relay.wake()
        if committed.due:
            self._local.wake()
        if self._worker is not None:
            self._worker.settled(part)
            self._worker.submit(committed.calls)
