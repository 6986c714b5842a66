"""PlaceBooking: seats are held, then the payment starts (requirements conflict-check, time-slot-lock)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from booking_contracts.booking import BookingPlaced, BookingRequested, PlaceBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import Actor, Customer, PaymentChoice

from services.booking import saga
from services.booking.lifecycle.admission import Admitted, admitted, take_over
from services.booking.lifecycle.hoarding import held_seconds
from services.booking.model import placing
from services.booking.model.actors import not_allowed
from services.booking.model.booking import Booking, Terms
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.people import Party
from services.booking.model.placing import Wish
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def place_booking(message: Message[PlaceBooking], work: BookingWork) -> Accepted:
    """Hold seats on a slot; what the sender says about price and availability is compared, never believed."""
    command = message.body
    if work.find(Booking, command.booking_id) is not None:
        raise Rejected(Code.BOOKING_EXISTS, "The booking id is taken; use a new one.", command.booking_id)
    offering = work.offering(command.offering_id)
    _require_own(command.actor, command.customer)
    party = Party(command.customer, command.attendee)
    wish = Wish(command.seats, expected_price=command.expected_price)
    room = admitted(work, offering, command.starts_at, party, wish)
    return open_booking(work, command.booking_id, offering, room, party, wish, command.actor, command.payment)


def _require_own(actor: Actor, customer: Customer) -> None:
    if actor.kind == "admin" or (actor.kind == "customer" and actor.id == customer.id):
        return
    raise not_allowed("A customer books in their own name; an admin books on booking.admin-commands.")


def _new_booking(
    work: BookingWork, booking_id: UUID, offering: Offering, slot: Slot, wish: Wish, party: Party
) -> Booking:
    """The booking as agreed now: price, commission and terms come from the offering and stay."""
    work.occupy(slot)
    limit = timedelta(hours=offering.approval_hours) if offering.approval else timedelta(minutes=offering.hold_minutes)
    return Booking(
        booking_id=booking_id,
        state=State.PENDING_APPROVAL if offering.approval else State.PENDING_PAYMENT,
        offering_id=offering.offering_id,
        provider_id=offering.provider_id,
        slot_id=slot.slot_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        seats=wish.seats,
        customer=party.customer,
        attendee=party.attendee,
        price=placing.total(offering.price, wish.seats),
        commission_bps=offering.commission_bps,
        approval=offering.approval,
        terms=_terms(offering, work.provider(offering.provider_id)),
        payment_id=work.new_id(),
        created_at=work.now,
        deadline=placing.deadline(work.now, limit, slot.starts_at),
        once_per_customer=offering.once_per_customer,
        held_seconds=held_seconds(work, slot, party.payer),
    )


def _terms(offering: Offering, provider: Provider) -> Terms:
    return Terms(
        offering_title=offering.title,
        provider_name=provider.name,
        provider_email=provider.email,
        provider_timezone=provider.timezone,
        payout_account=provider.payout_account,
        policy_version=f"{provider.policy}-{provider.policy_version}",
        tiers=provider.tiers,
        hold_minutes=offering.hold_minutes,
        payment_hours=offering.payment_hours,
        change_deadline_minutes=offering.change_deadline_minutes,
        no_refund_minutes=offering.no_refund_minutes,
        dispute_window_hours=offering.dispute_window_hours,
        auto_complete_hours=offering.auto_complete_hours,
    )


def open_booking(
    work: BookingWork,
    booking_id: UUID,
    offering: Offering,
    room: Admitted,
    party: Party,
    wish: Wish,
    actor: Actor,
    payment: PaymentChoice | None,
) -> Accepted:
    """Take the seats, say so, and start the payment where one is named and nobody has to approve first."""
    take_over(work, room, booking_id)
    booking = _new_booking(work, booking_id, offering, room.slot, wish, party)
    booking = work.create(replace(booking, payment=payment), actor)
    work.watch_deadline(booking)
    if booking.state is State.PENDING_APPROVAL:
        booking = work.say(booking, BookingRequested)
    else:
        booking = work.say(booking, BookingPlaced)
        if payment is not None:
            booking = saga.authorize(work, booking)
    assert booking.deadline is not None
    return Accepted(
        booking.booking_id,
        booking.state,
        {"price": booking.price.model_dump(), "deadline": rfc3339(booking.deadline)},
    )
