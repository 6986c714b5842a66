"""What the events of bookings carry, so that a consumer never has to call back."""

from __future__ import annotations

from typing import Any

from booking_contracts.booking import WaitlistEvent

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Provider
from services.booking.model.waitlist import Entry


def facts(booking: Booking) -> dict[str, Any]:
    """What every event of a booking carries, so that a consumer never has to call back."""
    terms = booking.terms
    return {
        "booking_id": booking.booking_id,
        "state": booking.state,
        "offering_id": booking.offering_id,
        "offering_title": terms.offering_title,
        "provider_id": booking.provider_id,
        "provider_name": terms.provider_name,
        "provider_email": terms.provider_email,
        "provider_timezone": terms.provider_timezone,
        "customer": booking.customer,
        "attendee": booking.attendee,
        "seats": booking.seats,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "price": booking.price,
        "deadline": booking.deadline,
    }


def facts_of_entry(entry: Entry, provider: Provider | None) -> dict[str, Any]:
    """What every event of a waitlist entry carries; the zone is its provider's of today."""
    known = {name: getattr(entry, name) for name in WaitlistEvent.model_fields if name != "provider_timezone"}
    return known | {"provider_timezone": provider.timezone if provider else None}
