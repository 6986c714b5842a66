"""Do payments and bookings agree: each payment has its booking, and each booking the money that its state wants.

Requirement payment-booking-coupling. What a saga still works on is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.booking.model.states import DEAD, FUNDED, INITIAL, State
from services.booking.saga import Status as SagaStatus
from services.operations.amounts import money
from services.operations.auditor.check_types import Walk
from services.operations.auditor.databases import Databases, literals
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import FIRST, Scope
from services.payments.model.payment import LIVE
from services.payments.model.payment import Status as PaymentStatus

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
        return (
            f"{state} holds {money(paid.held_minor, currency)} of {money(booked.price_minor, currency)}"
            if short
            else None
        )
    if state in INITIAL:
        return f"{state}, and {money(paid.captured_minor, currency)} are captured" if paid.captured_minor else None
    if paid.status in LIVE:
        return f"{state}, and the payment is {paid.status}"
    if paid.escrow_minor and not paid.disputes:
        return f"{state}, and {money(paid.escrow_minor, currency)} are still in escrow"
    return None


WANTED = f"""
SELECT sum(hashtextextended(concat_ws(' ', booking_id, payment_id, currency,
                                      CASE WHEN state IN ({literals(FUNDED)}) THEN price_minor ELSE 0 END), 0))
FROM booking
WHERE {{bookings}} AND state NOT IN ({literals(INITIAL)}) AND (attempt > 0 OR state NOT IN ({literals(DEAD)}))
"""
HELD = f"""
SELECT sum(hashtextextended(concat_ws(' ', booking_id, payment_id, currency,
    CASE WHEN status = '{PaymentStatus.AUTHORIZED}' THEN authorized_minor WHEN status IN ({literals(LIVE)}) THEN -1
         ELSE captured_minor - refunded_minor - released_minor END), 0))
FROM payment WHERE {{payments}} AND currency IS NOT NULL
"""
"""Where both are the same, every booking has just the money that its state wants, by the payment that it names: the
rows of such a stretch need not be read. Of others the rule decides."""
PAID = """
SELECT booking_id, payment_id, status, authorized_minor,
       captured_minor - refunded_minor - released_minor AS escrow_minor, captured_minor, disputes, currency
FROM payment WHERE {payments}
"""
BOOKED = """
SELECT b.booking_id, b.payment_id, b.state, b.price_minor, b.currency, s.status AS saga
FROM booking b LEFT JOIN (SELECT booking_id, status FROM saga WHERE {sagas}) s USING (booking_id) WHERE {bookings}
"""


async def look(databases: Databases, scope: Scope) -> list[Finding]:
    """Bookings and payments that do not agree."""
    held = await databases.within("payments", scope, HELD, payments="booking_id")
    if held == await databases.within("booking", scope, WANTED, bookings="booking_id"):
        return []
    return await of_rows(databases, scope)


async def of_rows(databases: Databases, scope: Scope) -> list[Finding]:
    """The same, by the rule alone."""
    rows = await databases.within("payments", scope, PAID, payments="booking_id")
    paid = {row["booking_id"]: tuple(row) for row in rows}
    rows = await databases.within("booking", scope, BOOKED, bookings="b.booking_id", sagas="booking_id")
    booked = {row["booking_id"]: tuple(row) for row in rows}
    found = []
    for booking_id in paid.keys() | booked.keys():
        ours, theirs = booked.get(booking_id), paid.get(booking_id)
        if ours is not None and theirs is not None and ours[1] == theirs[1] and _agree(ours[2:], theirs[2:]):
            continue
        detail = differs(None if ours is None else _booked(*ours[1:]), None if theirs is None else _paid(*theirs[1:]))
        if detail is not None:
            payment_id = (theirs or ours or ())[1]
            found.append(
                Finding(
                    Kind.BOOKING_PAYMENT,
                    str(booking_id),
                    detail,
                    {"booking_id": str(booking_id)},
                    booking_id,
                    payment_id,
                )
            )
    return found


@lru_cache(10_000)
def _agree(booked: tuple[Any, ...], paid: tuple[Any, ...]) -> bool:
    """Of rows without their ids, which are few and come again and again: a pass has a million of them to decide."""
    return differs(_booked(FIRST, *booked), _paid(FIRST, *paid)) is None


def _booked(payment_id: UUID, state: str, price_minor: int, currency: str, saga: str | None) -> Booked:
    return Booked(payment_id, State(state), price_minor, currency, SagaStatus(saga) if saga else None)


def _paid(payment_id: UUID, status: str, *rest: Any) -> Paid:
    return Paid(payment_id, PaymentStatus(status), *rest)


CHECK = Walk("agreement", frozenset({Kind.BOOKING_PAYMENT}), "payments", "payment", "booking_id", look)
