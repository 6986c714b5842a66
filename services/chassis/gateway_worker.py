"""Makes calls to the outside, many at once, and sees that none is forgotten (engine.md, Gateway calls)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import structlog
from booking_contracts.envelope import uuid7

from services.chassis import crash_points, metrics
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.failures import backoff_seconds
from services.chassis.gateway_calls import (
    LEASE_SECONDS,
    Gateway,
    OpenCall,
    Postponed,
    TryAgain,
    call_id,
    due,
    headers_of,
    is_result,
    postpone,
    renew,
)
from services.chassis.local_messages import partition_of
from services.chassis.messages import OPERATION, Raw
from services.chassis.unit_of_work import Call

log = structlog.get_logger()
MOST_HELD = 512
"""Calls and results in the hands of this process; while there are more, none is taken up."""
LOOK_SECONDS = 0.25
"""How often it looks for calls whose time has come, while some that it gave back have a time."""
IDLE_SECONDS = 2.0
"""How often otherwise: for what other replicas gave back or left behind, and what an operator opens again."""
RENEW_SECONDS = LEASE_SECONDS / 3


class GatewayWorker:
    """Makes the open calls of one service, many at once. Their results wait in `results` until a batch has them.

    Memory is bounded: at most MOST_HELD calls and results are in this process's hands, `in_flight` of them are being
    made; the others wait as rows. What it holds keeps its lease: nobody makes it a second time while the loop stands
    still.
    """

    def __init__(self, gateway: Gateway, session: Session, wake: Callable[[], None], *, in_flight: int = 64) -> None:
        self._gateway, self._session, self._wake_loop = gateway, session, wake
        self._using_session = asyncio.Lock()
        self._making = asyncio.Semaphore(in_flight)
        self._draining = False
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self.results: dict[UUID, Raw] = {}
        self._later: list[Postponed] = []
        self._more = False
        """Whether rows may wait for room."""
        self._last_due = 0.0
        """When all calls that it gave back are due; monotonic."""
        self._wake = asyncio.Event()
        self._renew_at = time.monotonic() + RENEW_SECONDS
        metrics.gateway_open.set_function(lambda: len(self._tasks))

    def submit(self, calls: Sequence[Call]) -> None:
        """Make calls that were just committed; what finds no room goes back to its row, to be taken up from there."""
        for call in calls:
            if self._free_room() > 0:
                headers = headers_of(call)
                self._start(
                    OpenCall(call.id, call.key, call.operation, call.parameters, call.idempotency_key, headers, 0, 0.0)
                )
            else:
                self._back_to_row(call.id)
                self._wake.set()

    def settled(self, batch: Iterable[Raw]) -> None:
        """A batch has committed: the results in it are done."""
        for raw in batch:
            if is_result(raw):
                self.results.pop(call_id(raw), None)
        self._room_came()

    async def run(self) -> None:
        """Give calls back that are to be tried later, and take up those whose time has come, until cancelled."""
        while True:
            try:
                await self._give_back()
                await self._renew()
                await self._take_up()
            except Exception as error:  # the database is away: the rows wait, and so do we
                log.warning("gateway worker waits for the database", error=str(error))
                await self._session.close()
            self._wake.clear()
            waits = self._later or time.monotonic() < self._last_due + LOOK_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS if waits else IDLE_SECONDS)
            except TimeoutError:
                continue

    async def drain(self, seconds: float) -> None:
        """Let calls in flight finish; the others are given back, so that another replica makes them at once."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for unfinished, task in self._tasks.items():
            task.cancel()
            self._back_to_row(unfinished)
        try:
            await self._give_back()
        except Exception as error:  # their leases run out
            log.warning("calls were not given back", error=repr(error))

    def _free_room(self) -> int:
        return 0 if self._draining else MOST_HELD - len(self._tasks) - len(self.results)

    def _start(self, call: OpenCall) -> None:
        if call.id not in self._tasks and call.id not in self.results:
            task = asyncio.create_task(self._take_turn(call), name=f"call {call.operation}")
            self._tasks[call.id] = task
            task.add_done_callback(lambda _: self._ended(call.id))

    def _ended(self, ended: UUID) -> None:
        self._tasks.pop(ended, None)
        self._room_came()

    def _room_came(self) -> None:
        """Rows that wait are taken up many at a time."""
        if self._more and self._free_room() >= MOST_HELD // 2:
            self._wake.set()

    def _back_to_row(self, call: UUID) -> None:
        self._later.append(Postponed(call))
        self._more = True

    async def _take_turn(self, call: OpenCall) -> None:
        async with self._making:
            if self._draining:
                self._back_to_row(call.id)
            else:
                await self._make(call)

    async def _make(self, call: OpenCall) -> None:
        started = time.perf_counter()
        try:
            outcome = await self._gateway.call(call)
        except Exception as error:  # a fault of ours in the gateway: the call stays open and is seen
            log.error("gateway failed", operation=call.operation, key=call.key, exc_info=True)
            outcome = TryAgain(f"{type(error).__name__}: {error}")
        metrics.gateway_seconds.labels(call.operation).observe(time.perf_counter() - started)
        if isinstance(outcome, TryAgain):
            metrics.gateway_outcomes.labels(call.operation, "try_again").inc()
            wait = outcome.after_seconds or backoff_seconds(call.tries, first=0.5, most=60)
            log.warning("call is tried again", operation=call.operation, key=call.key, reason=outcome.reason)
            self._later.append(Postponed(call.id, wait, outcome.reason))
            self._wake.set()
            return
        metrics.gateway_outcomes.labels(call.operation, "answered").inc()
        crash_points.reached(Point.AFTER_ANSWER)
        self.results[call.id] = Raw(
            topic=outcome.ce_type,
            partition=partition_of(call.key),
            offset=call.id.int & (1 << 62) - 1,
            key=call.key.encode(),
            headers=[("ce_id", str(uuid7())), *call.headers, ("call_id", str(call.id)), (OPERATION, call.operation)],
            body=outcome.model_dump_json().encode(),
        )
        self._wake_loop()

    async def _take_up(self) -> None:
        if (room := self._free_room()) > 0:
            async with self._using_session:
                calls = await due(await self._session.connection(), room)
            self._more = len(calls) == room
            for call in calls:
                self._start(call)

    async def _give_back(self) -> None:
        later, self._later = self._later, []
        if later:
            try:
                async with self._using_session:
                    await postpone(await self._session.connection(), later)
                longest = max(call.wait_seconds for call in later)
                self._last_due = max(self._last_due, time.monotonic() + longest)
            except Exception:
                self._later = later + self._later
                raise

    async def _renew(self) -> None:
        now = time.monotonic()
        if now >= self._renew_at and (held := [*self._tasks, *self.results]):
            async with self._using_session:
                await renew(await self._session.connection(), held)
        if now >= self._renew_at:
            self._renew_at = now + RENEW_SECONDS
