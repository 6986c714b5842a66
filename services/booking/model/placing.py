"""Whether seats can be had on a slot: one function for creation, accepted offers and reschedules.

Requirements conflict-check, modification-validation; the order of the checks: rules.md, Precedence of codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import Attendee, Money

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot
from services.booking.model.wording import lasting, named, of_lasting


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: `seats` on a slot; `own_seats` are theirs there already and count as free.

    `movable_until` is the instant from which a booking that moves there can no longer be moved by its mover.
    """

    seats: int
    own_seats: int = 0
    expected_price: Money | None = None
    movable_until: datetime | None = None


def check_seats(wish: Wish, offering: Offering, slot: Slot | None) -> None:
    """A party larger than the slot can never fit."""
    capacity = slot.capacity if slot else offering.capacity
    if wish.seats > capacity:
        problem = f"is more than the {capacity} seats of the slot"
        raise Rejected(Code.INVALID_COMMAND, f"seats {problem}.", field="seats", problem=problem)


def check_attendee(offering: Offering, attendee: Attendee | None) -> None:
    """Who comes is named where the offering wants that."""
    if offering.attendee_required and attendee is None:
        problem = "is required for this offering"
        raise Rejected(Code.INVALID_COMMAND, f"attendee {problem}.", field="attendee", problem=problem)


def booked_already(booking: Booking) -> Rejected:
    """The refusal of a second booking of the same person on a slot where one is all that can be had."""
    return Rejected(
        Code.BOOKING_EXISTS,
        "Who comes has a booking for this time already, and one is all that can be had; change or cancel that one.",
        booking_id=str(booking.booking_id),
    )


def check_payable(wish: Wish, offering: Offering) -> None:
    """What the party costs is an amount; only a slot that was opened before its price was raised can ask for more."""
    if not offering.can_charge(wish.seats):
        problem = "cost more than can be paid at once"
        raise Rejected(Code.INVALID_COMMAND, f"seats {problem}; book fewer.", field="seats", problem=problem)


def check_offered(starts_at: datetime, slot: Slot | None, now: datetime, *, offered: bool) -> None:
    """The slot lies ahead and is offered: by the schedule, or opened on its own, and not closed."""
    if now >= starts_at:
        raise Rejected(Code.SLOT_IN_PAST, "The slot has started; choose a later one.")
    if not offered or (slot is not None and slot.closed):
        raise Rejected(Code.SLOT_NOT_OFFERED, "No such slot is offered; ask for availability and choose one of those.")


def check_movable(wish: Wish, now: datetime) -> None:
    """Moving is possible before the mover's limit (requirement deadline-enforcement)."""
    if wish.movable_until is not None and now >= wish.movable_until:
        raise Rejected(Code.DEADLINE_PASSED, f"Moving was possible until {named(wish.movable_until)}.")


def window(offering: Offering, now: datetime) -> tuple[datetime, datetime]:
    """The first and the last start that can be booked now: minimum notice and horizon, both limits included."""
    return now + timedelta(minutes=offering.minimum_notice_minutes), now + timedelta(days=offering.horizon_days)


def check_window(offering: Offering, starts_at: datetime, now: datetime) -> None:
    """Neither too soon nor too far ahead; the details name the limit."""
    earliest, latest = window(offering, now)
    if starts_at < earliest:
        notice = of_lasting(offering.minimum_notice_minutes)
        raise Rejected(
            Code.NOTICE_TOO_SHORT,
            f"Bookings need {notice} notice; choose a slot that starts at {named(earliest, up=True)} or later.",
            earliest_starts_at=rfc3339(earliest),
        )
    if starts_at > latest:
        raise Rejected(
            Code.BEYOND_HORIZON,
            f"Bookings open {lasting(offering.horizon_days * 24 * 60)} ahead; choose a slot that starts by"
            f" {named(latest)}, or come back later.",
            latest_starts_at=rfc3339(latest),
        )


def check_price(wish: Wish, price: Money) -> None:
    """What the publisher believes about the price is never trusted, only compared (requirement price-integrity)."""
    if wish.expected_price is not None and wish.expected_price != price:
        raise Rejected(
            Code.PRICE_CHANGED, "The price is another now; show it and send it again.", price=price.model_dump()
        )


def check_provider_free(slot: Slot, others: Iterable[Slot]) -> None:
    """A provider is never in two overlapping active slots, buffers included (requirement provider-overlap)."""
    if not provider_free(slot, others):
        raise provider_busy()


def provider_busy() -> Rejected:
    """The refusal of a slot that overlaps another active one."""
    return Rejected(Code.PROVIDER_BUSY, "The provider has another appointment then; choose another slot.")


def provider_free(slot: Slot, others: Iterable[Slot]) -> bool:
    """Whether none of the provider's other active slots overlaps, buffers included; touching is allowed."""
    return not any(other.slot_id != slot.slot_id and other.active and slot.overlaps(other) for other in others)


def fits(wish: Wish, slot: Slot) -> bool:
    """Whether the seats can be had: held and confirmed never exceed capacity (requirement overbooking-prevention)."""
    return wish.seats <= slot.seats_left + wish.own_seats


def total(price: Money, seats: int) -> Money:
    """Price is per seat."""
    return Money(amount=price.amount * seats, currency=price.currency)


def deadline(now: datetime, limit: timedelta, starts_at: datetime) -> datetime:
    """A hold, approval or payment deadline: its rule, but never after the start (rules.md, Time)."""
    return min(now + limit, starts_at)
