"""Freed seats go down the line: every way that frees them, and none inside the notice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    CancelBooking,
    OpenSlot,
    RescheduleBooking,
    WaitlistOffered,
)
from booking_contracts.codes import Code

from services.booking.local_messages import DeadlineReached, EntryDue
from services.booking.model.waitlist import Entry, EntryState
from tests.booking.builders import (
    NOW,
    OFFERING,
    START,
    TEACHER,
    World,
    a_slot,
    acting,
    answer,
    place,
)
from tests.booking.line import Line, cancel, join


@pytest.mark.requirement("waitlist-handling")
def test_freed_seats_are_offered_and_held_in_the_message_that_frees_them() -> None:
    world = Line()
    first, second = world.joined("eve"), world.joined("dan")
    world.tell(cancel(world.sitting))
    assert (world.state(first), world.state(second)) == (EntryState.OFFERED, EntryState.WAITING)
    (offer,) = world.sent(WaitlistOffered)
    assert (offer.entry_id, offer.deadline) == (first, NOW + timedelta(minutes=60))
    assert world.taken() == 1
    assert world.refused(place("fay")).code is Code.SLOT_FULL
    assert [r.due_at for r in world.reminders(EntryDue)][-1] == offer.deadline


@pytest.mark.requirement("waitlist-handling")
@pytest.mark.parametrize("way", ["declined", "expired by timer", "expired by command", "failed", "moved", "capacity"])
def test_every_way_that_frees_seats_offers_them(way: str) -> None:
    world = World()
    booking = world.confirmed("bob", captured=False) if way in {"failed", "moved"} else world.place("bob")
    command = join()
    world.tell(command)
    later = a_slot(world.offering, START + timedelta(days=1))
    world.work.load(later)
    if way == "declined":
        world.tell(answer(payments.PaymentDeclined, booking, code="card_declined", retryable=False))
    elif way == "expired by timer":
        world.at(NOW + timedelta(minutes=15)).tell(DeadlineReached(booking_id=booking.booking_id))
    elif way == "expired by command":
        assert world.at(NOW + timedelta(minutes=15)).refused(place("fay")).code is Code.SLOT_FULL
    elif way == "failed":
        world.tell(answer(payments.CaptureFailed, booking, code="gone", retryable=False))
    elif way == "moved":
        world.tell(RescheduleBooking(booking_id=booking.booking_id, starts_at=later.starts_at, actor=acting("bob")))
    else:
        world.tell(OpenSlot(offering_id=OFFERING, starts_at=START, capacity=2, actor=TEACHER))
    entry = world.work.find(Entry, command.entry_id)
    assert entry is not None
    assert entry.state is EntryState.OFFERED


@pytest.mark.requirement("waitlist-handling")
def test_the_first_that_fits_is_asked_and_what_fits_nobody_is_open_to_all() -> None:
    world = World(capacity=3)
    first, second = world.confirmed("ann"), world.confirmed("bob", seats=2)
    big, small = join("eve", seats=3), join("dan", seats=2)
    world.tell(big)
    world.tell(small)
    world.tell(cancel(first))
    assert world.sent(WaitlistOffered) == []
    ann = world.place("ann")
    world.tell(cancel(second))
    assert [offer.entry_id for offer in world.sent(WaitlistOffered)] == [small.entry_id]
    world.tell(cancel(ann))
    assert world.taken() == 2


@pytest.mark.requirement("waitlist-handling")
def test_several_parties_are_asked_when_there_is_room() -> None:
    world = Line(3)
    entries = [world.joined("eve", seats=2), world.joined("dan", seats=2), world.joined("fay")]
    world.tell(cancel(world.sitting))
    assert [world.state(entry) for entry in entries] == ["OFFERED", "WAITING", "OFFERED"]


@pytest.mark.requirement("waitlist-handling")
def test_nobody_waits_or_is_asked_inside_the_notice() -> None:
    world = Line(minimum_notice_minutes=60)
    entry, other = world.joined(), world.joined("dan")
    world.at(START - timedelta(minutes=90))
    world.tell(CancelBooking(booking_id=world.sitting.booking_id, actor=TEACHER))
    assert world.sent(WaitlistOffered)[0].deadline == START - timedelta(minutes=60)
    world.at(START - timedelta(minutes=60)).tell(EntryDue(entry_id=entry))
    world.tell(EntryDue(entry_id=other))
    assert (world.state(entry), world.state(other)) == (EntryState.EXPIRED, EntryState.CLOSED)
    assert len(world.sent(WaitlistOffered)) == 1
    assert world.taken() == 0


@pytest.mark.requirement("waitlist-handling")
def test_no_offer_while_the_provider_is_elsewhere() -> None:
    world = Line()
    entry = world.joined()
    world.work.load(a_slot(world.offering, START + timedelta(minutes=30)))
    half_past = START + timedelta(minutes=30)
    world.tell(RescheduleBooking(booking_id=world.sitting.booking_id, starts_at=half_past, actor=acting("bob")))
    assert world.state(entry) is EntryState.WAITING


@pytest.mark.requirement("failure-handling", "waitlist-handling")
def test_an_own_try_that_is_replaced_keeps_its_seats_from_the_line() -> None:
    world = World()
    world.place("bob")
    command = join()
    world.tell(command)
    world.place("bob")
    assert world.sent(WaitlistOffered) == []
