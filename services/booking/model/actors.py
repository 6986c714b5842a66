"""Who may do what, and by which topic (requirement actors; rules.md, Who may)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from booking_contracts.booking import (
    AbandonPayment,
    ApproveBooking,
    BookingCommand,
    CancelBooking,
    CompleteSession,
    ConfirmSession,
    PayBooking,
    QuoteCancellation,
    RaiseDispute,
    RejectBooking,
    RescheduleBooking,
)
from booking_contracts.codes import Code, Rejected
from booking_contracts.topics import BOOKING_ADMIN_COMMANDS
from booking_contracts.types import Actor, Customer

from services.booking.model.booking import Booking


class Role(StrEnum):
    """What an actor can be to a booking."""

    CUSTOMER = "customer"
    ATTENDEE = "attendee"
    PROVIDER = "provider"


CUSTOMER, ATTENDEE, PROVIDER = Role.CUSTOMER, Role.ATTENDEE, Role.PROVIDER
MAY: Mapping[type[BookingCommand], tuple[Role, ...]] = {
    PayBooking: (CUSTOMER,),
    AbandonPayment: (CUSTOMER,),
    ConfirmSession: (CUSTOMER, ATTENDEE),
    RaiseDispute: (CUSTOMER, ATTENDEE),
    ApproveBooking: (PROVIDER,),
    RejectBooking: (PROVIDER,),
    CompleteSession: (PROVIDER,),
    CancelBooking: (CUSTOMER, ATTENDEE, PROVIDER),
    RescheduleBooking: (CUSTOMER, PROVIDER),
    QuoteCancellation: (CUSTOMER, PROVIDER),
}
"""Who may send which command about a booking; an admin may all. The first is whom a refusal names."""


def require(command: BookingCommand, booking: Booking) -> None:
    """The sender of a command may send it about this booking."""
    may, actor = MAY[type(command)], command.actor
    if actor.kind != "admin" and _roles(actor, booking).isdisjoint(may):
        raise not_allowed(f"Only the {may[0]} of booking {booking.booking_id} may do this.", booking.booking_id)


def _roles(actor: Actor, booking: Booking) -> set[Role]:
    """An attendee (student and parent) comes as a customer does."""
    if actor.kind == "provider":
        return {PROVIDER} if is_provider(actor, booking.provider_id) else set()
    if actor.kind != "customer":
        return set()
    ids = {CUSTOMER: booking.customer.id, ATTENDEE: booking.attendee and booking.attendee.id}
    return {role for role, known in ids.items() if known == actor.id}


def require_owner(actor: Actor, provider_id: UUID) -> None:
    """The provider itself, or an admin."""
    if actor.kind == "admin" or is_provider(actor, provider_id):
        return
    raise not_allowed(f"Only provider {provider_id} may do this.")


def require_self(actor: Actor, customer: Customer, sentence: str) -> None:
    """The customer in person, or an admin; `sentence` ends with the admin's topic."""
    if actor.kind == "admin" or (actor.kind == "customer" and actor.id == customer.id):
        return
    raise not_allowed(f"{sentence} {BOOKING_ADMIN_COMMANDS.name}.")


def require_admin(actor: Actor, what: str, subject: UUID | None = None) -> None:
    """Nobody else."""
    if actor.kind != "admin":
        raise not_allowed(f"Only an admin {what}, on {BOOKING_ADMIN_COMMANDS.name}.", subject)


def require_topic(actor: Actor, topic: str) -> None:
    """Admins come on their own topic, whose access is theirs alone; `system` never comes from outside."""
    on_admin_topic = topic == BOOKING_ADMIN_COMMANDS.name
    if actor.kind == "system" or (actor.kind == "admin") != on_admin_topic:
        raise not_allowed(f"An actor of kind {actor.kind} may not use {topic}.")


def is_provider(actor: Actor, provider_id: UUID) -> bool:
    """A provider actor's id is its provider_id."""
    return actor.kind == "provider" and actor.id == str(provider_id)


def not_allowed(message: str, subject: UUID | None = None) -> Rejected:
    """The refusal of somebody else's business."""
    return Rejected(Code.NOT_ALLOWED, message, subject)
