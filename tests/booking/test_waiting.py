"""The waitlist: who waits gets what is freed, first come first served, and only in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    AcceptOffer,
    BookingRequested,
    CancelBooking,
    CloseSlot,
    JoinWaitlist,
    LeaveWaitlist,
    OpenSlot,
    RescheduleBooking,
    WaitlistAccepted,
    WaitlistClosed,
    WaitlistEvent,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistOffered,
    WaitlistOfferExpired,
)
from booking_contracts.codes import Code
from booking_contracts.types import Actor, Money

from services.booking.model.booking import Booking
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.waitlist import TRANSITIONS, Entry, EntryState
from services.booking.timers import DeadlineReached, EntryDue
from services.chassis.unit_of_work import Send
from tests.booking.builders import (
    ADMIN,
    CARD,
    NOW,
    OFFERING,
    START,
    TEACHER,
    World,
    a_customer,
    a_slot,
    acting,
    an_offering,
    answer,
    place,
)


def join(customer: str = "eve", **changes: Any) -> JoinWaitlist:
    fields: dict[str, Any] = {
        "entry_id": uuid4(),
        "offering_id": OFFERING,
        "starts_at": START,
        "customer": a_customer(customer),
        "actor": acting(customer),
    }
    return JoinWaitlist(**{**fields, **changes})


def accept(entry: UUID, customer: str = "eve", **changes: Any) -> AcceptOffer:
    return AcceptOffer(
        **{"entry_id": entry, "booking_id": uuid4(), "payment": CARD, "actor": acting(customer), **changes}
    )


def cancel(booking: Booking, actor: Actor | None = None) -> CancelBooking:
    return CancelBooking(booking_id=booking.booking_id, actor=actor or Actor(kind="customer", id=booking.customer.id))


class Line(World):
    """A full slot, and who waits for it."""

    def __init__(self, seats: int = 1, **offering: Any) -> None:
        super().__init__(**{"capacity": seats, **offering})
        self.sitting = self.confirmed("bob", seats=seats) if not offering.get("approval") else self.place(seats=seats)

    def joined(self, customer: str = "eve", **changes: Any) -> UUID:
        command = join(customer, **changes)
        self.tell(command)
        return command.entry_id

    def entry(self, entry_id: UUID) -> Entry:
        found = self.work.find(Entry, entry_id)
        assert found is not None
        return found

    def state(self, entry_id: UUID) -> EntryState:
        return self.entry(entry_id).state


@pytest.mark.requirement("waitlist-handling")
def test_joining_names_the_position() -> None:
    world = Line()
    accepted = [world.tell(join(name)) for name in ("eve", "dan")]
    assert [a.result if a else None for a in accepted] == [{"position": 1}, {"position": 2}]
    assert [event.position for event in world.sent(WaitlistJoined)] == [1, 2]


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
