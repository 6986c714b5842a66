"""What an operator sees of a booking and its saga, and may do to one that waits (requirement saga)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from services.booking import saga
from services.booking.app import SERVICE
from services.booking.local_messages import AskAgain
from services.booking.model.booking import Booking
from services.booking.model.deadlines import overdue
from services.booking.model.states import State
from services.booking.saga import Saga, Status, Step
from services.booking.store.tables import SAGA, SAGA_LOG
from services.booking.work import BookingWork
from services.chassis import local_messages, outbox
from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.messages import Message, Origin, Raw
from services.chassis.operator import NOBODY, NotPossible
from services.chassis.service import load
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind, Send


async def sagas(connection: Connection, *, status: str | None, most: int = 500) -> list[asyncpg.Record]:
    """Sagas by status, the longest waiting first; without a status those that are not done."""
    condition = "s.status <> 'done'" if status is None else f"s.status = '{Status(status)}'"  # as its index has it
    return await connection.fetch(
        f"""
        SELECT {SAGA.columns("s")}, b.state FROM saga s JOIN booking b USING (booking_id)
        WHERE {condition} ORDER BY s.ask_again_at LIMIT $1
        """,
        most,
    )


async def saga_of(connection: Connection, booking_id: UUID) -> tuple[asyncpg.Record, Sequence[asyncpg.Record]]:
    """A saga and its log. Raises NotPossible."""
    row = await connection.fetchrow(
        f"SELECT {SAGA.columns('s')}, b.state FROM saga s JOIN booking b USING (booking_id) WHERE booking_id = $1",
        booking_id,
    )
    if row is None:
        raise NotPossible(f"booking {booking_id} has no saga; see `bookingctl booking show`")
    log = await connection.fetch(SAGA_LOG.select("WHERE booking_id = $1 ORDER BY line"), booking_id)
    return row, log


async def retry(connection: Connection, clock: Clock, booking_id: UUID, *, by: str = NOBODY, note: str = "") -> str:
    """Ask the step of a saga that is not done again, counting from one; who did it and why stand in its log.

    Raises NotPossible.

    Asked twice does no harm: payments knows (booking, step, attempt or settlement) and says its outcome again, an
    answer to a step that is done changes nothing, and the timer of the asking before is stale.
    """
    async with connection.transaction():
        work, booking, found = await _loaded(connection, clock, booking_id)
        if found.status is Status.DONE:
            raise NotPossible(f"the saga of {booking_id} is done; see `bookingctl saga show`")
        if found.step is Step.AUTHORIZE and (booking.state is not State.PENDING_PAYMENT or overdue(booking, work.now)):
            raise NotPossible(
                f"booking {booking_id} is {booking.state} and may not be paid any more: its next command or timer "
                "gives back what was reserved; `bookingctl saga resolve` where it is stuck"
            )
        _kept(work, found, "retried", by, note)
        saga.retry(work, found)
        await _save(connection, clock, work)
    return f"{found.step} is asked again"


async def resolve(
    connection: Connection,
    clock: Clock,
    booking_id: UUID,
    note: str,
    *,
    by: str = NOBODY,
    agreed: Callable[[Saga], None] = lambda _: None,
) -> str:
    """Done by hand: nothing more is asked; who did it and the note stand in the saga's log. Raises NotPossible.

    `agreed` gets the locked saga, and raises where its step is not the one that was meant.
    """
    async with connection.transaction():
        work, _, found = await _loaded(connection, clock, booking_id)
        if found.status is not Status.STUCK:
            raise NotPossible(f"the saga of {booking_id} is {found.status}, not stuck; see `bookingctl saga list`")
        agreed(found)
        work.put(replace(found, status=Status.DONE, problem=None))
        _kept(work, found, "resolved by hand", by, note)
        await _save(connection, clock, work)
    return f"{found.step} is resolved"


def _kept(work: BookingWork, of: Saga, what: str, by: str, note: str) -> None:
    said = f"{what} by {by}: {note}" if note else f"{what} by {by}"
    work.record(saga.SagaLogLine(of.booking_id, work.now, of.step, of.attempt, said))


async def _loaded(connection: Connection, clock: Clock, booking_id: UUID) -> tuple[BookingWork, Booking, Saga]:
    """A booking and its saga, locked."""
    work = BookingWork(clock.now())
    timer = AskAgain(booking_id=booking_id, step="", attempt=0, asked=0)
    await load(SERVICE.store, connection, [_operators(timer)], work)
    booking, found = work.find(Booking, booking_id), work.find(Saga, booking_id)
    if booking is None or found is None:
        raise NotPossible(f"booking {booking_id} has no saga; see `bookingctl booking show`")
    return work, booking, found


def _operators(body: BaseModel) -> Message[BaseModel]:
    raw = Raw("local.operator", 0, 0, b"", [], b"")
    return Message(UUID(int=0), "local.operator", "", body, Origin.LOCAL, raw, "operator")


async def _save(connection: Connection, clock: Clock, work: BookingWork) -> None:
    timers = [effect for effect in work.journal if isinstance(effect, Remind)]
    sends = [effect for effect in work.journal if isinstance(effect, Send)]
    async with Statements(connection) as writes:
        await SERVICE.store.save(writes, work)
        local_messages.save_timers(writes, timers)
        outbox.append(writes, [outbox.from_send(send, SERVICE.name, clock) for send in sends])
    await connection.execute("SELECT pg_notify('outbox', '')")
