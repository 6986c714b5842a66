"""Who may do what to a booking (requirement actors; rules.md, Who may)."""

from __future__ import annotations

from uuid import UUID

from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.model.booking import Booking


def require_customer(actor: Actor, booking: Booking, *, attendee_too: bool = False) -> None:
    """The booking's customer, an admin, and where said its attendee (student and parent)."""
    if actor.kind == "admin" or _is_customer(actor, booking, attendee_too=attendee_too):
        return
    raise not_allowed(f"Only the customer of booking {booking.booking_id} may do this.", booking.booking_id)


def require_provider(actor: Actor, booking: Booking) -> None:
    """The booking's provider, or an admin."""
    if actor.kind == "admin" or is_provider(actor, booking.provider_id):
        return
    raise not_allowed(f"Only the provider of booking {booking.booking_id} may do this.", booking.booking_id)


def require_party(actor: Actor, booking: Booking, *, attendee_too: bool = False) -> None:
    """Customer, provider or admin."""
    if is_provider(actor, booking.provider_id):
        return
    require_customer(actor, booking, attendee_too=attendee_too)


def require_owner(actor: Actor, provider_id: UUID) -> None:
    """The provider itself, or an admin."""
    if actor.kind == "admin" or is_provider(actor, provider_id):
        return
    raise not_allowed(f"Only provider {provider_id} may do this.")


def is_provider(actor: Actor, provider_id: UUID) -> bool:
    """A provider actor's id is its provider_id."""
    return actor.kind == "provider" and actor.id == str(provider_id)


def _is_customer(actor: Actor, booking: Booking, *, attendee_too: bool) -> bool:
    if actor.kind != "customer":
        return False
    by_attendee = attendee_too and booking.attendee is not None and actor.id == booking.attendee.id
    return actor.id == booking.customer.id or by_attendee


def not_allowed(message: str, subject: UUID | None = None) -> Rejected:
    """The refusal of somebody else's business."""
    return Rejected(Code.NOT_ALLOWED, message, subject)
