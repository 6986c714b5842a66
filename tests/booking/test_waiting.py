"""The waitlist: who waits gets what is freed, first come first served, and only in time."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from booking_contracts.booking import (
    BookingRequested,
    CloseSlot,
    LeaveWaitlist,
    WaitlistAccepted,
    WaitlistClosed,
    WaitlistEvent,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistOffered,
    WaitlistOfferExpired,
)
from booking_contracts.codes import Code
from booking_contracts.types import Money

from services.booking.local_messages import EntryDue
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.waitlist import TRANSITIONS, EntryState
from services.chassis.unit_of_work import Send
from tests.booking.builders import (
    ADMIN,
    NOW,
    OFFERING,
    START,
    TEACHER,
    a_slot,
    acting,
    an_offering,
    place,
)
from tests.booking.line import Line, accept, cancel, join


@pytest.mark.requirement("waitlist-handling")
def test_joining_names_the_position() -> None:
    world = Line()
    accepted = [world.tell(join(name)) for name in ("eve", "dan")]
    assert [a.result if a else None for a in accepted] == [{"position": 1}, {"position": 2}]
    assert [event.position for event in world.sent(WaitlistJoined)] == [1, 2]


@pytest.mark.requirement("waitlist-handling")
def test_places_are_counted_from_one_and_who_joined_when_is_kept() -> None:
    world = Line()
    first = world.joined("eve")
    world.at(NOW + timedelta(minutes=1))
    second = world.joined("dan")
    found = [(world.entry(entry).place, world.entry(entry).joined_at) for entry in (first, second)]
    assert found == [(1, NOW), (2, NOW + timedelta(minutes=1))]


@pytest.mark.requirement("waitlist-handling")
def test_when_joining_is_refused() -> None:
    world = Line(2, minimum_notice_minutes=60)
    entry = world.joined()
    assert world.refused(join()).code is Code.ALREADY_WAITING
    assert world.refused(join("dan", entry_id=entry)).code is Code.ALREADY_WAITING
    assert world.refused(join("dan", seats=3)).details["field"] == "seats"
    assert world.refused(join("dan", actor=acting("eve"))).code is Code.NOT_ALLOWED
    assert world.refused(join("dan", offering_id=uuid4())).code is Code.OFFERING_NOT_FOUND
    never = START + timedelta(hours=9)
    assert world.refused(join("dan", starts_at=never)).code is Code.SLOT_NOT_OFFERED
    busy = a_slot(world.offering, START + timedelta(minutes=30))
    free = a_slot(world.offering, START + timedelta(minutes=60))
    for slot in (busy, free):
        world.work.load(slot)
    assert world.refused(join("dan", starts_at=busy.starts_at)).code is Code.PROVIDER_BUSY
    assert world.refused(join("dan", starts_at=free.starts_at)).code is Code.SLOT_AVAILABLE
    assert world.at(START - timedelta(minutes=60)).refused(join("dan")).code is Code.WAITLIST_CLOSED


@pytest.mark.requirement("waitlist-handling")
def test_an_offering_without_a_waitlist_has_none() -> None:
    world = Line(waitlist=False)
    assert world.refused(join()).code is Code.WAITLIST_CLOSED
    assert world.refused(place("eve")).details["waitlist_open"] is False
    assert Line().refused(place("eve")).details["waitlist_open"] is True


@pytest.mark.requirement("waitlist-handling")
def test_a_closed_slot_has_no_line() -> None:
    world = Line()
    entry = world.joined()
    world.tell(CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER))
    assert world.state(entry) is EntryState.CLOSED
    assert world.sent(WaitlistOffered) == []
    assert len(world.sent(WaitlistClosed)) == 1
    assert world.refused(join()).code is Code.SLOT_NOT_OFFERED


@pytest.mark.requirement("waitlist-handling", "price-integrity")
def test_accepting_makes_a_booking_at_todays_price() -> None:
    world = Line()
    entry = world.joined()
    world.tell(cancel(world.sitting))
    world.work.put(an_offering(price=Money(amount=5000, currency="EUR")))
    command = accept(entry)
    accepted = world.tell(command)
    booking = world.booking(command.booking_id)
    assert (booking.state, booking.price.amount, world.taken()) == (State.PENDING_PAYMENT, 5000, 1)
    assert accepted is not None
    assert accepted.result["price"] == {"amount": 5000, "currency": "EUR"}
    assert world.sent(WaitlistAccepted)[0].booking_id == command.booking_id
    assert world.state(entry) is EntryState.ACCEPTED
    assert world.refused(accept(entry)).details == {"state": "ACCEPTED"}
    assert world.refused(accept(entry, booking_id=command.booking_id)).code is Code.BOOKING_EXISTS


@pytest.mark.requirement("waitlist-handling")
def test_accepting_asks_for_approval_where_that_is_needed() -> None:
    world = Line(approval=True)
    entry, following = world.joined(), world.joined("dan")
    world.tell(cancel(world.sitting))
    command = accept(entry)
    world.tell(command)
    assert world.booking(command.booking_id).state is State.PENDING_APPROVAL
    assert len(world.sent(BookingRequested)) == 2
    world.tell(cancel(world.booking(command.booking_id)))
    assert world.state(following) is EntryState.OFFERED


@pytest.mark.requirement("waitlist-handling", "deadline-enforcement")
def test_an_offer_that_is_over_passes_on_whether_or_not_its_timer_ran() -> None:
    for by_timer in (True, False):
        world = Line()
        first, second = world.joined(), world.joined("dan")
        world.tell(cancel(world.sitting))
        world.at(NOW + timedelta(minutes=60))
        if by_timer:
            world.tell(EntryDue(entry_id=first))
        assert world.refused(accept(first)).code is Code.OFFER_EXPIRED
        assert (world.state(first), world.state(second)) == (EntryState.EXPIRED, EntryState.OFFERED)
        assert len(world.sent(WaitlistOfferExpired)) == 1
        assert world.refused(LeaveWaitlist(entry_id=first, actor=acting("eve"))).code is Code.OFFER_EXPIRED


@pytest.mark.requirement("waitlist-handling")
def test_a_stale_timer_of_an_entry_does_nothing() -> None:
    world = Line()
    entry = world.joined()
    world.tell(EntryDue(entry_id=entry))
    world.tell(EntryDue(entry_id=uuid4()))
    assert world.state(entry) is EntryState.WAITING


@pytest.mark.requirement("waitlist-handling", "actors")
def test_leaving_gives_the_offer_to_the_next() -> None:
    world = Line()
    first, second = world.joined(), world.joined("dan")
    world.tell(cancel(world.sitting))
    leave = LeaveWaitlist(entry_id=first, actor=acting("eve"))
    assert world.refused(LeaveWaitlist(entry_id=first, actor=acting("dan"))).code is Code.NOT_ALLOWED
    assert world.refused(LeaveWaitlist(entry_id=uuid4(), actor=acting("dan"))).code is Code.ENTRY_NOT_FOUND
    world.tell(leave)
    assert (world.state(first), world.state(second)) == (EntryState.LEFT, EntryState.OFFERED)
    assert len(world.sent(WaitlistLeft)) == 1
    assert world.refused(leave).details == {"state": "LEFT"}
    world.tell(LeaveWaitlist(entry_id=second, actor=ADMIN))
    assert world.taken() == 0


@pytest.mark.requirement("ordering")
def test_an_entrys_events_are_numbered_by_themselves() -> None:
    world = Line()
    entry = world.joined()
    world.tell(cancel(world.sitting))
    world.tell(accept(entry))
    kinds = {kind.ce_type for kind in WaitlistEvent.__subclasses__()}
    sends = [e for e in world.work.journal if isinstance(e, Send) and e.type in kinds]
    assert [(send.sequence, send.key) for send in sends] == [(n, str(entry)) for n in (1, 2, 3)]


@pytest.mark.requirement("waitlist-handling")
def test_no_entry_leaves_a_last_state() -> None:
    assert set(TRANSITIONS) == {EntryState.WAITING, EntryState.OFFERED}
    assert not any(EntryState.WAITING in following for following in TRANSITIONS.values())


def test_a_slot_never_counts_more_than_it_has() -> None:
    world = Line(2)
    entry = world.joined(seats=2)
    world.tell(cancel(world.sitting))
    world.tell(accept(entry))
    row = world.work.find(Slot, world.slot.slot_id)
    assert row is not None
    assert row.taken == row.capacity == 2
