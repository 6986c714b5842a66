"""Who is told of events over HTTP, and when a receiver is tried again or given up (requirement notify-systems)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from booking_contracts import booking, payments
from booking_contracts.booking import BookingEvent, WaitlistEvent
from booking_contracts.booking.catalogue import CatalogueEvent
from booking_contracts.envelope import Event
from booking_contracts.payments import PaymentEvent, WalletEvent

OFFERED: tuple[type[Event], ...] = (*booking.EVENTS, *booking.CATALOGUE_EVENTS, *payments.EVENTS)
"""Every event that this service hears. What became of deliveries is none: it would tell of itself for ever."""
TYPES = tuple(event.ce_type for event in OFFERED)

GIVE_UP_AFTER = timedelta(days=3)
"""How long one event is tried."""
DISABLE_AFTER = timedelta(days=5)
"""How long a subscriber may fail, without one success, until it is switched off."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=8)
"""Between two tries of one event: doubled each time, some 20 tries in three days."""
FIRST_REST, LONGEST_REST = timedelta(seconds=1), timedelta(minutes=5)
"""Between two tries of a subscriber whose last one failed, whatever the event."""
SPREAD = (0.75, 1.25)
"""Of what a wait may be multiplied with."""
LONGEST_ASKED = timedelta(days=1)
"""What a Retry-After is heeded to."""
SECRET_OVERLAP = timedelta(days=1)
"""How long both secrets are signed with after a rotation, where nobody says otherwise."""
BUSY = frozenset({429, 503})
"""With a Retry-After they are about the receiver, not about the one event."""


class DisabledFor(StrEnum):
    """GONE: it answered 410. FAILING: nothing was taken for DISABLE_AFTER. OPERATOR: somebody switched it off."""

    GONE = "gone"
    FAILING = "failing"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whose event it is. `booking_id`: the event names a booking and no people; those of the booking are concerned."""

    provider_id: UUID | None = None
    customer_id: str | None = None
    booking_id: UUID | None = None


def concerned_by(event: Event) -> Concerned:
    """The provider and customer that a subscription may be limited to."""
    if isinstance(event, BookingEvent | WaitlistEvent):
        return Concerned(event.provider_id, event.customer.id)
    if isinstance(event, CatalogueEvent):
        return Concerned(event.provider_id)
    if isinstance(event, WalletEvent):
        return Concerned(customer_id=event.customer_id)
    assert isinstance(event, PaymentEvent), f"{type(event).__name__} is in OFFERED"
    return Concerned(booking_id=event.booking_id)


class Subscriber(NamedTuple):
    """Who is told. One that is switched off is told nothing now, and can have it redelivered."""

    subscription_id: UUID
    active: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Who subscribes to an event, as far as it is known whose it is. It `waits` to be asked again where that is not
    known, and where an earlier event of its booking waits."""

    subscribers: Sequence[Subscriber]
    waits: bool


def delivery_id(event_id: UUID, subscription_id: UUID) -> UUID:
    """The same for the same event and subscription, so that it is told once only."""
    return uuid5(event_id, f"webhook:{subscription_id}")


def wait_after(tries: int, asked: timedelta | None = None, spread: float = 1.0) -> timedelta:
    """From the failure of try number `tries` (from 1 on) to the next one; never less than its Retry-After asked for.

    `spread`, of SPREAD, keeps those apart who failed together.
    """
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 20)) * spread
    return max(wait, min(asked or timedelta(0), LONGEST_ASKED))


def rest_after(failures: int, spread: float = 1.0) -> timedelta:
    """From the last of `failures` in a row to the next try of the same subscriber."""
    return min(LONGEST_REST, FIRST_REST * 2.0 ** min(failures - 1, 20)) * spread
