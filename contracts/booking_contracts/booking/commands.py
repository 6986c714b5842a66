"""Commands about bookings and the waitlist (contract.md, Commands to booking)."""

from __future__ import annotations

from booking_contracts.envelope import Command
from booking_contracts.types import Actor, Attendee, Customer, Id, Instant, Money, PaymentChoice, Prose, Seats


class BookingCommand(Command, domain="booking", topic="booking.commands", key="booking_id"):
    """A command to booking; with an admin actor it belongs on `booking.admin-commands`."""

    actor: Actor


class PlaceBooking(BookingCommand):
    """Holds seats; price and availability come from booking's own tables."""

    booking_id: Id
    offering_id: Id
    starts_at: Instant
    seats: Seats = 1
    customer: Customer
    attendee: Attendee | None = None
    payment: PaymentChoice | None = None
    expected_price: Money | None = None


class ApproveBooking(BookingCommand):
    booking_id: Id


class RejectBooking(BookingCommand):
    booking_id: Id
    reason: Prose | None = None


class PayBooking(BookingCommand):
    booking_id: Id
    payment: PaymentChoice


class AbandonPayment(BookingCommand):
    booking_id: Id


class QuoteCancellation(BookingCommand):
    booking_id: Id


class CancelBooking(BookingCommand):
    booking_id: Id
    reason: Prose | None = None
    quote_id: Id | None = None


class RescheduleBooking(BookingCommand):
    booking_id: Id
    starts_at: Instant


class CompleteSession(BookingCommand):
    booking_id: Id


class ConfirmSession(BookingCommand):
    booking_id: Id


class RaiseDispute(BookingCommand):
    booking_id: Id
    reason: Prose


class ResolveDispute(BookingCommand):
    booking_id: Id
    refund: Money
    release: Money
    note: Prose


# ── Waitlist ───────────────────────────────────────────────────────────────────────────────────────


class JoinWaitlist(BookingCommand, key="entry_id"):
    entry_id: Id
    offering_id: Id
    starts_at: Instant
    seats: Seats = 1
    customer: Customer
    attendee: Attendee | None = None


class LeaveWaitlist(BookingCommand, key="entry_id"):
    entry_id: Id


class AcceptOffer(BookingCommand):
    """`attendee` replaces the one that JoinWaitlist named; left out, that one stays."""

    entry_id: Id
    booking_id: Id
    attendee: Attendee | None = None
    payment: PaymentChoice | None = None
