"""What the events of bookings carry, so that a consumer never has to call back."""

from __future__ import annotations

from typing import Any

from booking_contracts.booking import WaitlistEvent

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Provider
from services.booking.model.waitlist import Entry


def facts(booking: Booking, provider: Provider) -> dict[str, Any]:
    """What every event of a booking carries, so that a consumer never has to call back.

    What was agreed is the booking's own; how to reach the provider is as of now.
    """
    return {
        "booking_id": booking.booking_id,
        "state": booking.state,
        "offering_id": booking.offering_id,
        "offering_title": booking.terms.offering_title,
        "provider_id": booking.provider_id,
        **_reaching(provider),
        "customer": booking.customer,
        "attendee": booking.attendee,
        "seats": booking.seats,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "price": booking.price,
        "deadline": booking.deadline,
    }


def facts_of_entry(entry: Entry, provider: Provider) -> dict[str, Any]:
    """The same for a waitlist entry, as far as its events carry it."""
    reaching = _reaching(provider)
    names = WaitlistEvent.model_fields
    return {name: reaching[name] if name in reaching else getattr(entry, name) for name in names}


def _reaching(provider: Provider) -> dict[str, str]:
    return {
        "provider_name": provider.name,
        "provider_email": provider.email,
        "provider_timezone": provider.timezone,
    }
