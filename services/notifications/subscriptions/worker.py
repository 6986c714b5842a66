"""Posts what is due to subscribers, many at once, and records what came of it (requirement notify-systems).

A delivery is a row; this process holds it by a lease. After a crash, or while the database is away, an event may be
posted again, under the same webhook-id.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from services.chassis import crash_points
from services.chassis.clock import Clock, real_seconds
from services.chassis.crash_points import Point
from services.chassis.database import Pool, Session
from services.notifications.model.subscriptions import SPREAD, wait_after
from services.notifications.subscriptions import health, metrics, outcomes, queue
from services.notifications.subscriptions.outcomes import Tried
from services.notifications.subscriptions.posting import Failed, Outcome, Poster, Taken
from services.notifications.subscriptions.queue import Due
from services.notifications.subscriptions.room import PER_SUBSCRIPTION, Room
from services.notifications.subscriptions.signing import signed
from services.notifications.subscriptions.telling import ended_told, owner_told, tell, tellable, told_of

log = structlog.get_logger()
LOOK_SECONDS = 1.0
"""How often it looks for what is due without being woken: tries whose time has come, rows of other replicas."""
ROUND_SECONDS = 0.02
"""The least time between two rounds: what comes meanwhile shares a transaction."""
END_SECONDS = 15.0
"""How often it looks for what is not to be tried any more."""
STOP_SECONDS = 2.0
"""For tries that are on their way when the process ends; the others are made by another replica."""


class SubscriptionWorker:
    """One of each replica. `wake_loop` is told when it has written local messages."""

    def __init__(self, session: Session, poster: Poster, clock: Clock) -> None:
        self._session, self._poster, self._clock = session, poster, clock
        self.wake_loop: Callable[[], None] = lambda: None
        self._room = Room()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[Due, Outcome]] = []
        self._unnoted = health.Round()
        self._woken = asyncio.Event()
        self._end_at = 0.0
        metrics.tries_open.set_function(lambda: len(self._tasks))

    def wake(self) -> None:
        """Deliveries were committed."""
        self._woken.set()

    async def run(self, _: Pool | None = None) -> None:
        """Until cancelled; then what is on its way has STOP_SECONDS."""
        try:
            while True:
                began = time.monotonic()
                try:
                    await self._round()
                except Exception as error:  # the database is away: rows wait, and what came of tries is kept
                    log.warning("webhooks wait for the database", error=repr(error))
                    await self._session.close()
                    await asyncio.sleep(LOOK_SECONDS)
                await asyncio.sleep(max(0.0, began + ROUND_SECONDS - time.monotonic()))
                await self._pause()
        finally:
            await self._stop()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
        except TimeoutError:
            return
        self._woken.clear()

    async def _round(self) -> None:
        await self._record()
        if time.monotonic() >= self._end_at:
            await self._end()
            self._end_at = time.monotonic() + END_SECONDS
        if self._room.quick > 0:
            await self._take_up()

    async def _take_up(self) -> None:
        connection = await self._session.connection()
        claimed = await queue.claim(
            connection,
            self._clock.now(),
            per_subscription=PER_SUBSCRIPTION,
            held=self._room.held(),
            most_doubtful=self._room.doubtful,
            most=self._room.quick,
        )
        for due in claimed:
            if due.delivery_id not in self._room:  # a lease ended while the loop stood still
                self._room.enter(due)
                task = asyncio.create_task(self._try(due), name=f"webhook {due.delivery_id}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _try(self, due: Due) -> None:
        started = time.perf_counter()
        outcome: Outcome | None = None
        try:
            headers = signed(due.event_id, due.content, due.secrets, real_seconds())
            outcome = await self._poster.post(due.url, headers, due.content)
        except Exception as error:  # a fault of ours: the delivery stays, and is seen
            log.error("a webhook failed", subscription_id=str(due.subscription_id), exc_info=True)
            outcome = Failed(f"a fault of ours: {type(error).__name__}")
        finally:
            self._room.leave(due)
            if outcome is not None:
                crash_points.reached(Point.AFTER_ANSWER)
                metrics.tries.labels(type(outcome).__name__.lower()).inc()
                metrics.try_seconds.observe(time.perf_counter() - started)
                self._ended.append((due, outcome))
                self._woken.set()

    async def _record(self) -> None:
        """What came of tries since the last time, in one transaction."""
        ended, now = self._ended, self._clock.now()
        if not ended and not self._unnoted.outcomes:
            return
        self._ended = []
        tried = [_tried(due, outcome, now) for due, outcome in ended]
        try:
            async with self._session.transaction() as connection:
                recorded = await outcomes.record(connection, now, tried)
                settled = [one for one in tried if one.state != "pending" and one.due.delivery_id in recorded.counted]
                if settled:
                    lines = [(one.due.subscription_id, one.due.key) for one in settled]
                    await outcomes.go_on(connection, now, lines)
                held = [one for one in ended if one[0].delivery_id in recorded.held]
                seen = [
                    (due.subscription_id, due.failures, outcome)
                    for due, outcome in ended
                    if due.delivery_id not in recorded.held
                ]
                noted = await health.note(connection, now, self._unnoted.after(seen))
                told = [told_of(one) for one in settled if tellable(one.due.type, one.due.key)]
                told += [owner_told(row) for row in noted.disabled]
                await tell(connection, now, told)
        except BaseException:
            self._ended = ended + self._ended
            raise
        self._ended, self._unnoted = held + self._ended, noted.left
        for one in settled:
            metrics.count(one.state, (now - one.due.created_at).total_seconds())
        if told:
            self.wake_loop()
        for row in noted.disabled:
            log.error("a subscriber is switched off", subscription_id=str(row["subscription_id"]))

    async def _end(self) -> None:
        """Give up what was tried for long enough, a slice at a time."""
        found = outcomes.SLICE
        while found >= outcomes.SLICE:
            now = self._clock.now()
            async with self._session.transaction() as connection:
                ended = await outcomes.end(connection, now)
                await outcomes.go_on(connection, now, [(row["subscription_id"], row["key"]) for row in ended])
                told = [
                    ended_told(row["key"], row["event_id"], row["subscription_id"], row["reason"])
                    for row in ended
                    if tellable(row["type"], row["key"])
                ]
                await tell(connection, now, told)
            found = len(ended)
            for _ in ended:
                metrics.count("failed")
            if told:
                self.wake_loop()

    async def _stop(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        left = [task.get_name().removeprefix("webhook ") for task in self._tasks]
        for task in self._tasks:
            task.cancel()
        try:
            await self._record()
            if left:
                await queue.give_back(await self._session.connection(), self._clock.now(), [*map(UUID, left)])
        except Exception as error:  # their leases run out
            log.warning("webhooks were not given back", error=repr(error))
        await self._poster.close()
        await self._session.close()


def _tried(due: Due, outcome: Outcome, now: datetime) -> Tried:
    if isinstance(outcome, Taken):
        return Tried(due, "succeeded", now, None, outcome.status, outcome.answer)
    gone = outcome.status == health.GONE
    try_at = now + wait_after(due.tries + 1, outcome.asked, random.uniform(*SPREAD))
    return Tried(due, "failed" if gone else "pending", try_at, outcome.reason, outcome.status, outcome.answer)
