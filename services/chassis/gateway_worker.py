"""Makes calls to the outside, many at once, and sees that none is forgotten (engine.md, Gateway calls)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from booking_contracts.envelope import uuid7

from services.chassis import crash_points, metrics
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.failures import backoff_seconds
from services.chassis.gateway_calls import Gateway, OpenCall, Postponed, TryAgain, due, headers_of, postpone
from services.chassis.messages import Raw
from services.chassis.unit_of_work import Call

log = structlog.get_logger()
WAITING = 512
"""Calls of a batch that wait in memory for one of those in flight to end."""
WAITING_SECONDS = 4.0
"""The longest of such waits: what begins later could outlast its lease, and goes back to its row."""


class GatewayWorker:
    """Makes the open calls of one service, many at once, and hands results to `deliver`.

    Memory is bounded: `in_flight` calls are being made, WAITING more wait here for their turn, which comes as soon as
    one ends; the others wait as rows and are found by `run`.
    """

    def __init__(
        self, gateway: Gateway, session: Session, deliver: Callable[[Raw], None], *, in_flight: int = 64
    ) -> None:
        self._gateway, self._session, self._deliver = gateway, session, deliver
        self._using_session = asyncio.Lock()
        self._room = in_flight
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._waiting: deque[tuple[OpenCall, float]] = deque()
        self._later: list[Postponed] = []
        self._wake = asyncio.Event()

    def submit(self, calls: Sequence[Call]) -> None:
        """Make calls that were just committed; what finds no room is taken up from its row."""
        for call in calls:
            if len(self._waiting) >= WAITING:
                self._back_to_row(call.id)
                continue
            headers = headers_of(call)
            self._start(
                OpenCall(call.id, call.key, call.operation, call.parameters, call.idempotency_key, headers, 0, 0.0)
            )

    async def run(self) -> None:
        """Give calls back that are to be tried later, and take up those whose time has come, until cancelled."""
        while True:
            try:
                await self._give_back()
                await self._take_up()
            except Exception as error:  # the database is away: the rows wait, and so do we
                log.warning("gateway worker waits for the database", error=str(error))
                await self._session.close()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), 0.25)
            except TimeoutError:
                continue

    async def drain(self, seconds: float) -> None:
        """Let calls in flight finish; the others are given back, so that another replica makes them at once."""
        self._room = 0
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for call_id, task in self._tasks.items():
            task.cancel()
            self._back_to_row(call_id)
        while self._waiting:
            self._back_to_row(self._waiting.popleft()[0].id)
        try:
            await self._give_back()
        except Exception as error:  # their leases run out
            log.warning("calls were not given back", error=repr(error))

    def _start(self, call: OpenCall) -> None:
        if len(self._tasks) >= self._room:
            self._waiting.append((call, time.monotonic()))
        elif call.id not in self._tasks:
            task = asyncio.create_task(self._make(call), name=f"call {call.operation}")
            self._tasks[call.id] = task
            task.add_done_callback(lambda _: self._forget(call.id))

    def _forget(self, call_id: UUID) -> None:
        self._tasks.pop(call_id, None)
        while self._waiting and len(self._tasks) < self._room:
            call, since = self._waiting.popleft()
            if time.monotonic() - since > WAITING_SECONDS:
                self._back_to_row(call.id)
            else:
                self._start(call)
        metrics.gateway_open.set(len(self._tasks))

    def _back_to_row(self, call_id: UUID) -> None:
        self._later.append(Postponed(call_id))
        self._wake.set()

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
        headers = [("ce_id", str(uuid7())), *call.headers, ("call_id", str(call.id))]
        self._deliver(
            Raw(
                topic=outcome.ce_type,
                partition=0,
                offset=call.id.int & (1 << 62) - 1,
                key=call.key.encode(),
                headers=headers,
                body=outcome.model_dump_json().encode(),
            )
        )

    async def _take_up(self) -> None:
        room = self._room - len(self._tasks) - len(self._waiting)
        if room > 0:
            async with self._using_session:
                calls = await due(await self._session.connection(), room)
            for call in calls:
                self._start(call)

    async def _give_back(self) -> None:
        later, self._later = self._later, []
        if later:
            async with self._using_session:
                await postpone(await self._session.connection(), later)
