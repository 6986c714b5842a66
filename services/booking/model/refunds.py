"""How much goes back (requirement refund-policy; rules.md, Amounts). Money in minor units, shares in percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from booking_contracts.currencies import card_step_minor
from booking_contracts.types import Actor, Money, Tier

from services.booking.model.booking import Booking
from services.booking.model.states import State


def _tiers(*pairs: tuple[int, int]) -> tuple[Tier, ...]:
    return tuple(Tier(hours_before=hours, percent=percent) for hours, percent in pairs)


POLICIES: dict[str, tuple[Tier, ...]] = {
    "flexible": _tiers((24, 100), (2, 50)),
    "moderate": _tiers((72, 100), (24, 50)),
    "strict": _tiers((168, 100), (72, 50)),
}
"""Share refunded when a customer cancels, by hours before the start; a tier holds at exactly its hours."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a cancellation does with the escrow; refund + kept = escrow."""

    refund: Money
    kept: Money


def percent_due(tiers: Sequence[Tier], starts_at: datetime, no_refund_minutes: int, now: datetime) -> int:
    """The policy's share at `now`; strictly inside the no-refund buffer it is always 0."""
    left = starts_at - now
    if left < timedelta(minutes=no_refund_minutes):
        return 0
    due = [tier for tier in tiers if left >= timedelta(hours=tier.hours_before)]
    return max(due, key=lambda tier: tier.hours_before).percent if due else 0


def share(escrow: Money, percent: int) -> Amounts:
    """Percent of what was paid, half up, in steps that a card can be refunded in; the rest is kept."""
    step = card_step_minor(escrow.currency)
    refund = min(escrow.amount, (escrow.amount * percent * 2 + 100 * step) // (200 * step) * step)
    return Amounts(
        Money(amount=refund, currency=escrow.currency),
        Money(amount=escrow.amount - refund, currency=escrow.currency),
    )


def due(booking: Booking, actor: Actor, now: datetime) -> Amounts:
    """What a cancellation by this actor gives back now."""
    if booking.state is not State.CONFIRMED or actor.kind == "system":
        return nothing(booking.price)
    return on_cancellation(booking, actor.kind, now)


def on_cancellation(booking: Booking, by: Literal["customer", "provider", "admin"], now: datetime) -> Amounts:
    """What a cancellation of a paid booking gives back: providers and admins always 100 %."""
    return share(booking.escrow, 100 if by != "customer" else due_percent(booking, now))


def due_percent(booking: Booking, now: datetime) -> int:
    """The share that the customer would get back at `now`, in percent."""
    if booking.full_refund:
        return 100
    terms = booking.terms
    percent = percent_due(terms.tiers, booking.starts_at, terms.no_refund_minutes, now)
    return min(percent, booking.refund_cap_percent)


def nothing(price: Money) -> Amounts:
    """Unpaid: refund 0, kept 0."""
    zero = Money(amount=0, currency=price.currency)
    return Amounts(zero, zero)


def after_move(booking: Booking, actor: Actor, now: datetime) -> dict[str, int | bool]:
    """A move does not make cancelling free: a customer's move caps what comes back at what was due at that instant.

    Whom the provider moves gets everything back, whatever moves came before.
    """
    if actor.kind == "customer":
        return {"refund_cap_percent": due_percent(booking, now)}
    return {"refund_cap_percent": 100, "full_refund": True}
