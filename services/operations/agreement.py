"""Do payments and bookings agree: each payment has its booking, and each booking the money that its state wants.

Requirement payment-booking-coupling. What a saga still works on is left out, and what seemed to differ is read again:
two databases are never read at one instant.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from services.booking.model.states import DEAD, FUNDED, INITIAL, State
from services.booking.saga import Status as SagaStatus
from services.chassis.database import Connection
from services.payments.model.payment import LIVE
from services.payments.model.payment import Status as PaymentStatus

CHUNK = 5000
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
IN_MOTION = frozenset(SagaStatus) - {SagaStatus.DONE, SagaStatus.STUCK}


@dataclass(frozen=True, slots=True)
class Booked:
    """What booking says of a booking's money; amounts in minor units. `saga` is None before anything was asked."""

    payment_id: UUID
    state: State
    price_minor: int
    currency: str
    saga: SagaStatus | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What payments says of it; `currency` is None for a payment that was voided before it was asked for."""

    payment_id: UUID
    status: PaymentStatus
    authorized_minor: int
    escrow_minor: int
    captured_minor: int
    disputes: int
    currency: str | None

    @property
    def held_minor(self) -> int:
        """Reserved, or in escrow."""
        return self.authorized_minor if self.status is PaymentStatus.AUTHORIZED else self.escrow_minor


@dataclass(frozen=True, slots=True)
class Difference:
    """One sentence about one booking."""

    booking_id: UUID
    payment_id: UUID
    detail: str


def differs(booked: Booked | None, paid: Paid | None) -> str | None:
    """What does not agree, in a sentence; None where all is well or a saga is still at it."""
    if booked is None:
        return "the payment's booking is not there" if paid and paid.currency else None
    if booked.saga in IN_MOTION:
        return None
    if paid is None:
        return f"a {booked.state} booking without a payment" if booked.state not in INITIAL | DEAD else None
    if paid.payment_id != booked.payment_id:
        return f"the booking names payment {booked.payment_id}"
    if paid.currency not in (None, booked.currency):
        return f"the booking is in {booked.currency}, the payment in {paid.currency}"
    return _money_differs(booked, paid)


def _money_differs(booked: Booked, paid: Paid) -> str | None:
    state, currency = booked.state, booked.currency
    if state in FUNDED:
        short = paid.held_minor < booked.price_minor
        return f"{state} holds {paid.held_minor} of {booked.price_minor} {currency}" if short else None
    if state in INITIAL:
        return f"{state}, and {paid.captured_minor} {currency} are captured" if paid.captured_minor else None
    if paid.status in LIVE:
        return f"{state}, and the payment is {paid.status}"
    if paid.escrow_minor and not paid.disputes:
        return f"{state}, and {paid.escrow_minor} {currency} are still in escrow"
    return None


async def compare(payments: Connection, booking: Connection) -> list[Difference]:
    """All bookings with all payments, in chunks."""
    found: list[Difference] = []
    async for first, last in _chunks(payments):
        paid, booked = await _paid(payments, first, last), await _booked(booking, first, last)
        for booking_id in sorted(paid.keys() | booked.keys()):
            sides = booked.get(booking_id), paid.get(booking_id)
            detail = differs(*sides)
            if detail is not None and await _once_more(payments, booking, booking_id) == sides:
                payment_id = next(side.payment_id for side in reversed(sides) if side is not None)
                found.append(Difference(booking_id, payment_id, detail))
    return found


async def _chunks(payments: Connection) -> AsyncIterator[tuple[UUID, UUID]]:
    """Ranges of booking ids, after the first and up to the last, that hold at most CHUNK payments."""
    first = FIRST
    while first != LAST:
        last = await payments.fetchval(
            "SELECT booking_id FROM payment WHERE booking_id > $1 ORDER BY booking_id OFFSET $2 LIMIT 1", first, CHUNK
        )
        yield first, last or LAST
        first = last or LAST


async def _once_more(payments: Connection, booking: Connection, booking_id: UUID) -> tuple[Booked | None, Paid | None]:
    before = UUID(int=booking_id.int - 1)
    paid, booked = await _paid(payments, before, booking_id), await _booked(booking, before, booking_id)
    return booked.get(booking_id), paid.get(booking_id)


async def _paid(connection: Connection, first: UUID, last: UUID) -> dict[UUID, Paid]:
    rows = await connection.fetch(
        """
        SELECT booking_id, payment_id, status, authorized_minor,
               captured_minor - refunded_minor - released_minor AS escrow_minor, captured_minor, disputes, currency
        FROM payment WHERE booking_id > $1 AND booking_id <= $2
        """,
        first,
        last,
    )
    return {
        booking_id: Paid(payment_id, PaymentStatus(status), *rest)
        for booking_id, payment_id, status, *rest in map(tuple, rows)
    }


async def _booked(connection: Connection, first: UUID, last: UUID) -> dict[UUID, Booked]:
    rows = await connection.fetch(
        """
        SELECT b.booking_id, b.payment_id, b.state, b.price_minor, b.currency, s.status AS saga
        FROM booking b LEFT JOIN saga s USING (booking_id) WHERE b.booking_id > $1 AND b.booking_id <= $2
        """,
        first,
        last,
    )
    return {
        row["booking_id"]: Booked(
            row["payment_id"],
            State(row["state"]),
            row["price_minor"],
            row["currency"],
            SagaStatus(row["saga"]) if row["saga"] else None,
        )
        for row in rows
    }
