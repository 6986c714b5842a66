"""PlaceBooking: seats are held, then the payment starts (requirements conflict-check, time-slot-lock)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from booking_contracts.booking import BookingPlaced, BookingRequested, PlaceBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import Actor, PaymentChoice

from services.booking import saga
from services.booking.lifecycle import own_offers
from services.booking.lifecycle.hoarding import held_seconds
from services.booking.lifecycle.next_try import supersede
from services.booking.lifecycle.precedence import Admitted, admitted
from services.booking.model import actors, deadlines, terms
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.people import Party
from services.booking.model.price import total
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.wish import Wish
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def place_booking(message: Message[PlaceBooking], work: BookingWork) -> Accepted:
    """Hold seats on a slot; what the sender says about price and availability is compared, never believed."""
    command = message.body
    if work.find(Booking, command.booking_id) is not None:
        raise Rejected(Code.BOOKING_EXISTS, "The booking id is taken; use a new one.", command.booking_id)
    offering = work.offering(command.offering_id)
    actors.require_self(command.actor, command.customer, "A customer books in their own name; an admin books on")
    party = Party(command.customer, command.attendee)
    wish = Wish(command.seats, expected_price=command.expected_price)
    room = admitted(work, offering, command.starts_at, party, wish)
    return open_booking(work, command.booking_id, offering, room, party, wish, command.actor, command.payment)


def _new_booking(
    work: BookingWork, booking_id: UUID, offering: Offering, slot: Slot, wish: Wish, party: Party
) -> Booking:
    """The booking as agreed now: price, commission and terms come from the offering and stay."""
    work.occupy(slot)
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
        price=total(offering.price, wish.seats),
        commission_bps=offering.commission_bps,
        approval=offering.approval,
        terms=terms.agreed(offering, work.provider(offering.provider_id)),
        payment_id=uuid5(booking_id, "payment"),
        created_at=work.now,
        deadline=deadlines.of_new_booking(offering, slot.starts_at, work.now),
        once_per_customer=offering.once_per_customer,
        held_seconds=held_seconds(work, slot, party.payer),
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
    """Take the seats, say so, and start the payment where one is named and nobody has to approve first.

    Older tries and an offer that give their seats to it end in the same step.
    """
    for older in room.older:
        supersede(work, older)
    if room.offer is not None:
        own_offers.accept(work, room.offer, booking_id)
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
