"""A booking on one page: what four databases know of it, read beside each other.

The page of the console, its JSON and `bookingctl booking show` show what stands here. Names, addresses and texts are in
it: who shows it masks them (formats.py; export.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
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
    booking, payments, notifications, operations = await asyncio.gather(
        _part(databases, "booking", in_booking, booking_id),
        _part(databases, "payments", in_payments, booking_id),
        _part(databases, "notifications", in_notifications, booking_id),
        _part(databases, "operations", in_operations, booking_id),
    )
    found = (
        booking.data or InBooking(),
        payments.data or InPayments(),
        notifications.data or InNotifications(),
        operations.data or InOperations(),
    )
    away = [one.why for one in (booking, payments, notifications, operations) if one.why is not None]
    return Shown(booking_id, *found, timeline(*found), away)


async def _part(
    databases: Databases, name: str, look: Callable[[Connection, UUID], Coroutine[Any, Any, T]], booking_id: UUID
) -> Part[T]:
    async def read() -> T:
        async with databases.reading(name) as connection:
            return await look(connection, booking_id)

    return await part(name, read())
