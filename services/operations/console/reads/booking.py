"""A booking on one page: what four databases know of it, read beside each other.

The page of the console, its JSON and `bookingctl booking show` show what stands here. Names, addresses and texts are in
it: who shows it masks them (formats.py; export.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from services.chassis.database import Connection
from services.operations.console.databases import Databases
from services.operations.console.parts import Part, part
from services.operations.console.reads.in_booking import InBooking, in_booking
from services.operations.console.reads.in_notifications import InNotifications, in_notifications
from services.operations.console.reads.in_operations import InOperations, in_operations
from services.operations.console.reads.in_payments import InPayments, in_payments
from services.operations.console.reads.states import Stay, stays
from services.operations.console.reads.timeline.whole import Timeline, timeline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """`away`: a sentence for each database that does not answer; its part is empty then."""

    booking_id: UUID
    booking: InBooking
    payments: InPayments
    notifications: InNotifications
    operations: InOperations
    timeline: Timeline
    away: Sequence[str]

    @property
    def known(self) -> bool:
        """Whether anybody has heard of it, as far as those say that answer."""
        return bool(self.booking.booking or self.payments.payment or self.notifications.known or self.timeline.marks)

    @property
    def stays(self) -> Sequence[Stay]:
        """Its states, one after the other."""
        return stays(self.booking.history)


async def booking_shown(databases: Databases, booking_id: UUID) -> Shown:
    """All that is known of a booking. Its bounds: few.py."""
    booking, payments, notifications = await asyncio.gather(
        _part(databases, "booking", in_booking, booking_id),
        _part(databases, "payments", in_payments, booking_id),
        _part(databases, "notifications", in_notifications, booking_id),
    )
    known = booking.data or InBooking(), payments.data or InPayments(), notifications.data or InNotifications()
    operations = await _part(databases, "operations", partial(in_operations, things=list(_things(*known))), booking_id)
    found = (*known, operations.data or InOperations())
    away = [one.why for one in (booking, payments, notifications, operations) if one.why is not None]
    return Shown(booking_id, *found, timeline(*found), away)


def _things(booking: InBooking, payments: InPayments, notifications: InNotifications) -> Iterator[object]:
    """Ids of what belongs to it, and of its people: an operator's act on one of them concerns it."""
    if booking.booking is not None:
        yield from filter(None, (booking.booking["customer_id"], booking.booking["attendee_id"]))
    yield from (row["refund_id"] for row in payments.refunds.rows)
    yield from (row["payout_id"] for row in payments.payouts.rows)
    yield from (row["delivery_id"] for row in (*notifications.letters.rows, *notifications.webhooks.rows))
    yield from (row["id"] for of in (booking, payments, notifications) for row in of.aside.letters.rows)


async def _part(
    databases: Databases, name: str, look: Callable[[Connection, UUID], Coroutine[Any, Any, T]], booking_id: UUID
) -> Part[T]:
    async def read() -> T:
        async with databases.reading(name) as connection:
            return await look(connection, booking_id)

    return await part(name, read())
