"""How long somebody who does not pay may keep a slot from others (rules.md, Hoarding).

A hold is never extended, but who starts again takes their own seats over, or books what has just expired. All that time
is one: `held_seconds` of a booking are those for which its payer's tries have held seats of its slot, those before it
included. A try is a booking that ended before it was paid: expired, failed or cancelled by its customer; one that the
provider rejected or anybody else ended is not. Tries side by side (for several attendees) count once.

When others want the slot, no try begins that could bring the whole to more than MOST_HOLDS times what one may take.
Others want it while somebody else waits in its line, and for as long again after somebody who holds nothing there was
refused for lack of seats (`wanted_at` and `wanted_by` of the slot). Who takes an offer of the line has waited for it,
and is let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.people import Person
from services.booking.model.slots import Slot
from services.booking.model.states import PENDING, State

MOST_HOLDS = 3
TRIED = frozenset({State.EXPIRED, State.PAYMENT_FAILED, State.CANCELLED_BY_CUSTOMER})
"""How a try ends that its customer, or time, has ended."""
NOTED_EVERY = timedelta(minutes=1)
"""Refusals of a sought-after slot come by the hundred; its row is written for one a minute."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a batch knows of a payer's tries on a slot: for how long they held it, and whether one is going on."""

    slot_id: UUID
    payer: Person
    seconds: int
    going_on: bool

    @property
    def row_key(self) -> tuple[UUID, Person]:
        return self.slot_id, self.payer


def held_until(booking: Booking, now: datetime) -> int:
    """A booking's `held_seconds`, were it to end now; what is past its deadline is no hold."""
    end = now if booking.deadline is None else min(now, booking.deadline)
    return booking.held_seconds + max(0, int((end - booking.created_at).total_seconds()))


def as_of(booking: Booking, now: datetime) -> int:
    """A booking's `held_seconds` now, whether it goes on or not."""
    return held_until(booking, now) if booking.state in PENDING else booking.held_seconds


def held_after(booking: Booking, to: State, now: datetime) -> int:
    """A booking's `held_seconds` after a step of its state."""
    tried = booking.state in PENDING and to in TRIED
    return held_until(booking, now) if tried else booking.held_seconds


def one_try(offering: Offering) -> timedelta:
    """How long a booking may be unpaid; the provider's time to approve is part of it."""
    if offering.approval:
        return timedelta(hours=offering.approval_hours + offering.payment_hours)
    return timedelta(minutes=offering.hold_minutes)


def is_used_up(held_seconds: int, offering: Offering) -> bool:
    """Whether one more try could make it more than MOST_HOLDS in all; a first one never does."""
    longest = one_try(offering)
    return held_seconds > 0 and timedelta(seconds=held_seconds) + longest > MOST_HOLDS * longest


def wanted_until(slot: Slot, offering: Offering, payer: Person) -> datetime | None:
    """Until when a refusal counts as somebody else who wants it still."""
    others = slot.wanted_by != payer.id
    return slot.wanted_at + MOST_HOLDS * one_try(offering) if slot.wanted_at and others else None


def is_noted(slot: Slot, now: datetime) -> bool:
    """Whether the slot's row says already that it is wanted now."""
    return slot.wanted_at is not None and now - slot.wanted_at < NOTED_EVERY
