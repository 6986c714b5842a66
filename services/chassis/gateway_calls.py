"""Calls to the outside as durable work (engine.md, Gateway calls).

A handler intends a call; the batch stores it with its parameters and idempotency key and commits; the worker makes it
and hands the result back as a message; message, effects and "done" commit together. A crash in between repeats the
call, byte-identical, under its key. One call per subject is open at a time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import structlog
from booking_contracts.envelope import uuid7

from services.chassis import crash_points, metrics
from services.chassis.crash_points import Point
from services.chassis.database import Connection, Session
from services.chassis.failures import backoff_seconds
from services.chassis.messages import Headers, LocalBody, Message, Raw, Refused
from services.chassis.unit_of_work import Call

log = structlog.get_logger()
WAITING = 512
"""Calls of a batch that wait in memory for one of those in flight to end."""
WAITING_SECONDS = 4.0
"""The longest of such waits: what begins later could outlast its lease, and goes back to its row."""
LEASE_SECONDS = 30
"""How long a replica may take for a call before another makes it again."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call to make. `tries` counts the attempts before this one, `age_seconds` is since it was intended."""

    id: UUID
    key: str
    operation: str
    parameters: str
    idempotency_key: str
    headers: Headers
    tries: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The outcome is unknown or the other side is busy: make the same call again, after a while."""

    reason: str
    after_seconds: float | None = None


class Gateway(Protocol):
    """The outside world. Never raises for its faults: a definite outcome is a LocalBody, the rest is TryAgain."""

    async def call(self, call: OpenCall) -> LocalBody | TryAgain: ...


async def save(connection: Connection, calls: Sequence[Call]) -> None:
    """Store intended calls, leased to this process for its first try."""
    if not calls:
        return
    await connection.execute(
        """
        INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at)
        SELECT *, clock_timestamp() + make_interval(secs => $8)
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        """,
        [call.id for call in calls],
        [call.subject for call in calls],
        [call.key for call in calls],
        [call.operation for call in calls],
        [call.parameters for call in calls],
        [call.idempotency_key for call in calls],
        [json.dumps(_headers(call)) for call in calls],
        LEASE_SECONDS,
    )


def _headers(call: Call) -> Headers:
    pairs = [("ce_correlationid", call.cause.correlation_id if call.cause else str(call.id))]
    if call.cause and call.cause.traceparent:
        pairs.append(("traceparent", call.cause.traceparent))
    return pairs


async def close(connection: Connection, items: Sequence[Message[Any] | Refused]) -> list[Message[Any] | Refused]:
    """Mark the calls of these results done; a result whose call is done already is dropped."""
    ids = sorted(_call_id(item.raw) for item in items if _is_result(item.raw))
    if not ids:
        return list(items)
    rows = await connection.fetch(
        "UPDATE gateway_call SET state = 'done' WHERE id = ANY($1) AND state = 'open' RETURNING id", ids
    )
    closed = {row["id"] for row in rows}
    return [item for item in items if not _is_result(item.raw) or _call_id(item.raw) in closed]


def _is_result(raw: Raw) -> bool:
    return raw.row is None and raw.topic.startswith("local.")


def _call_id(raw: Raw) -> UUID:
    return UUID(dict(raw.headers)["call_id"])


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
        self._later: list[tuple[UUID, float, str]] = []
        self._wake = asyncio.Event()

    def submit(self, calls: Sequence[Call]) -> None:
        """Make calls that were just committed; what finds no room is taken up from its row."""
        for call in calls:
            if len(self._waiting) >= WAITING:
                self._back_to_row(call.id)
                continue
            headers = _headers(call)
            self._start(
                OpenCall(call.id, call.key, call.operation, call.parameters, call.idempotency_key, headers, 0, 0.0)
            )

    async def run(self) -> None:
        """Give calls back that are to be tried later, and take up those whose time has come, until cancelled."""
        while True:
            try:
                await self._give_back()
                async with self._using_session:
                    due = await self._due()
                for call in due:
                    self._start(call)
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
        self._later.append((call_id, 0.0, ""))
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
            self._later.append((call.id, wait, outcome.reason))
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

    async def _give_back(self) -> None:
        later, self._later = self._later, []
        async with self._using_session:
            await self._postpone(later)

    async def _postpone(self, later: Sequence[tuple[UUID, float, str]]) -> None:
        if later:
            connection = await self._session.connection()
            await connection.execute(
                """
                UPDATE gateway_call SET try_at = clock_timestamp() + make_interval(secs => l.wait),
                       tries = tries + (l.error <> '')::int, last_error = l.error
                FROM unnest($1::uuid[], $2::float8[], $3::text[]) AS l (id, wait, error)
                WHERE gateway_call.id = l.id
                """,
                [call_id for call_id, _, _ in later],
                [wait for _, wait, _ in later],
                [error[:500] for _, _, error in later],
            )

    async def _due(self) -> list[OpenCall]:
        room = self._room - len(self._tasks) - len(self._waiting)
        if room <= 0:
            return []
        connection = await self._session.connection()
        rows = await connection.fetch(
            """
            UPDATE gateway_call SET try_at = clock_timestamp() + make_interval(secs => $2)
            WHERE id IN (SELECT id FROM gateway_call WHERE state = 'open' AND try_at <= clock_timestamp()
                         ORDER BY try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING *, extract(epoch FROM clock_timestamp() - opened_at)::float8 AS age_seconds
            """,
            room,
            LEASE_SECONDS,
        )
        return [
            OpenCall(
                row["id"],
                row["key"],
                row["operation"],
                row["parameters"],
                row["idempotency_key"],
                [(name, value) for name, value in json.loads(row["headers"])],
                row["tries"],
                row["age_seconds"],
            )
            for row in rows
        ]
