"""A promise of what a cancellation gives back (requirement refund-policy; rules.md, Amounts)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor, Money

from services.booking.model.booking import Booking
from services.booking.model.deadlines import last_cancellation, overdue
from services.booking.model.refunds import Amounts, nothing, on_cancellation
from services.booking.model.states import PENDING, State

QUOTE_VALID_FOR = timedelta(minutes=15)
MOST_QUOTES = 10
"""Quotes of one booking that hold at the same time, for each: its customer, its provider, admins."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What one actor was promised for one booking; a reschedule makes it `dead`."""

    quote_id: UUID
    booking_id: UUID
    actor: Actor
    refund: Money
    kept: Money
    policy_version: str
    valid_until: datetime
    dead: bool = False

    @property
    def row_key(self) -> UUID:
        return self.quote_id

    def honoured(self, booking: Booking, actor: Actor, now: datetime) -> bool:
        """Whether it still holds. One given before the payment promises nothing about the money paid since."""
        paid = booking.escrow.amount if booking.state is State.CONFIRMED else 0
        same = self.booking_id == booking.booking_id and self.actor == actor
        return same and not self.dead and now < self.valid_until and self.refund.amount + self.kept.amount == paid

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.refund, self.kept)


def preview(booking: Booking, now: datetime) -> Amounts | None:
    """What its customer's cancellation would give back at `now`; None where they cannot cancel."""
    if booking.state in PENDING and not overdue(booking, now):
        return nothing(booking.price)
    if booking.state is State.CONFIRMED and now < last_cancellation(booking, "customer"):
        return on_cancellation(booking, "customer", now)
    return None


def valid_until(booking: Booking, kind: str, now: datetime) -> datetime:
    """15 minutes, but never past the instant from which the same actor can no longer cancel."""
    if booking.state is not State.CONFIRMED:
        return min(now + QUOTE_VALID_FOR, booking.deadline or booking.starts_at)
    return min(now + QUOTE_VALID_FOR, last_cancellation(booking, kind))


def promised(quote: Quote | None, booking: Booking, actor: Actor, now: datetime) -> Amounts:
    """What a quote promised. Raises QUOTE_EXPIRED where it is unknown, dead, or another actor's."""
    if quote is None or not quote.honoured(booking, actor, now):
        raise Rejected(Code.QUOTE_EXPIRED, "The quote no longer holds; ask for a new one.", booking.booking_id)
    return quote.amounts


def supplanted(new: Quote, quotes: Iterable[Quote]) -> list[Quote]:
    """The oldest of `quotes`, oldest first, that end because a new one makes them more than MOST_QUOTES."""
    others = [
        other
        for other in quotes
        if other.booking_id == new.booking_id and other.actor.kind == new.actor.kind and not other.dead
    ]
    others.remove(new)
    return others[: 1 - MOST_QUOTES]
