"""Who waits for a slot that its provider cannot give is asked when the appointment that was in the way ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.booking import CloseSlot, LeaveWaitlist, OpenSlot, RescheduleBooking, WaitlistOffered
from booking_contracts.codes import Code

from services.booking.local_messages import DeadlineReached, EntryDue
from services.booking.model.booking import Booking
from services.booking.model.slots import Slot
from services.booking.model.waitlist import EntryState
from tests.booking.builders import NOW, OFFERING, START, TEACHER, World, a_slot, acting, place
from tests.booking.line import Line, cancel, join

EARLY = START - timedelta(minutes=30)
LATE = START + timedelta(minutes=30)
"""The slots of EARLY and LATE overlap that of START; they touch each other."""
FAR = START + timedelta(days=1)


class Displaced(Line):
    """Eve waits for START; Bob, who sits there, has moved to LATE, where one seat is left for others."""

    def __init__(self, **offering: Any) -> None:
        super().__init__(**offering)
        for start in (EARLY, LATE, FAR):
            self.work.load(a_slot(self.offering, start, capacity=2))
        self.eve = self.joined("eve")
        self.move(LATE)
        assert self.state(self.eve) is EntryState.WAITING

    def move(self, starts_at: datetime) -> None:
        self.tell(RescheduleBooking(booking_id=self.sitting.booking_id, starts_at=starts_at, actor=acting("bob")))

    def slot_at(self, starts_at: datetime) -> Slot:
        slot = self.work.slot(OFFERING, starts_at)
        assert slot is not None
        return slot

    def held_in_the_way(self) -> Booking:
        """Fay's hold takes Bob's place at LATE."""
        hold = self.place("fay", starts_at=LATE)
        self.tell(cancel(self.sitting))
        assert self.state(self.eve) is EntryState.WAITING
        return hold

    def offered(self) -> list[UUID]:
        return [offer.entry_id for offer in self.sent(WaitlistOffered)]


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
@pytest.mark.parametrize("way", ["cancelled", "moved", "closed"])
def test_the_end_of_the_appointment_in_the_way_makes_the_offer(way: str) -> None:
    world = Displaced()
    if way == "cancelled":
        world.tell(cancel(world.sitting))
    elif way == "moved":
        world.move(FAR)
    else:
        world.tell(CloseSlot(offering_id=OFFERING, starts_at=LATE, actor=TEACHER))
    assert world.state(world.eve) is EntryState.OFFERED
    assert (world.taken(), world.taken(world.slot_at(LATE))) == (1, 0)
    assert world.refused(place("fay", starts_at=EARLY)).code is Code.PROVIDER_BUSY


@pytest.mark.requirement("waitlist-handling", "provider-overlap", "deadline-enforcement")
@pytest.mark.parametrize("met_by", ["its timer", "a command for its slot", "a command for the line's slot"])
def test_a_hold_in_the_way_that_is_over_makes_the_offer_before_anything_else(met_by: str) -> None:
    world = Displaced()
    hold = world.held_in_the_way()
    world.at(NOW + timedelta(minutes=15))
    if met_by == "its timer":
        world.tell(DeadlineReached(booking_id=hold.booking_id))
    elif met_by == "a command for its slot":
        assert world.refused(place("dan", starts_at=LATE)).code is Code.PROVIDER_BUSY
    else:
        assert world.refused(place("dan")).code is Code.SLOT_FULL
    assert world.state(world.eve) is EntryState.OFFERED


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
@pytest.mark.parametrize("way", ["left", "expired"])
def test_an_offer_in_the_way_that_ends_makes_the_next(way: str) -> None:
    world = Displaced()
    hold = world.held_in_the_way()
    dan = world.joined("dan", starts_at=LATE, seats=2)
    world.tell(cancel(hold))
    assert (world.state(dan), world.state(world.eve)) == (EntryState.OFFERED, EntryState.WAITING)
    if way == "left":
        world.tell(LeaveWaitlist(entry_id=dan, actor=acting("dan")))
    else:
        world.at(NOW + timedelta(minutes=60)).tell(EntryDue(entry_id=dan))
    assert world.state(world.eve) is EntryState.OFFERED


@pytest.mark.requirement("waitlist-handling")
def test_the_freed_slots_own_line_comes_first() -> None:
    world = Displaced()
    dan = world.joined("dan", starts_at=LATE, seats=2)
    world.tell(cancel(world.sitting))
    assert world.offered() == [dan]


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
def test_no_offer_while_anything_else_is_in_the_way() -> None:
    world = Displaced()
    early = world.place("fay", starts_at=EARLY)
    world.tell(cancel(world.sitting))
    assert world.offered() == []
    world.tell(cancel(early))
    assert world.offered() == [world.eve]


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
@pytest.mark.parametrize("eve_rejoins", [False, True])
def test_of_two_lines_that_exclude_each_other_the_one_that_began_first_is_asked(eve_rejoins: bool) -> None:
    """Eve waits for START, Dan for LATE; Bob stands in the way of both when he leaves."""
    world = Displaced()
    world.at(NOW + timedelta(minutes=1))
    dan = world.joined("dan", starts_at=LATE, seats=2)
    if eve_rejoins:
        world.at(NOW + timedelta(minutes=2)).tell(LeaveWaitlist(entry_id=world.eve, actor=acting("eve")))
        world.move(START)
        world.eve = world.joined("eve")
    between = a_slot(world.offering, START + timedelta(minutes=15))
    world.work.load(between)
    world.move(between.starts_at)
    assert world.offered() == []
    world.tell(cancel(world.sitting))
    assert world.offered() == [dan if eve_rejoins else world.eve]


@pytest.mark.requirement("waitlist-handling", "provider-overlap")
def test_seats_added_while_the_provider_is_busy_are_offered_when_that_ends() -> None:
    """Nobody sits at START, which has become too small for Eve's party."""
    world = World(capacity=3)
    world.work.load(a_slot(world.offering, LATE))
    single, pair = world.place("bob"), world.place("cyd", seats=2)
    world.tell(entry := join("eve", seats=3))
    for message in (cancel(pair), capacity_of_start(2), cancel(single)):
        world.tell(message)
    late = world.place("dan", starts_at=LATE)
    world.tell(capacity_of_start(3))
    assert world.sent(WaitlistOffered) == []
    world.tell(cancel(late))
    assert [offer.entry_id for offer in world.sent(WaitlistOffered)] == [entry.entry_id]


def capacity_of_start(seats: int) -> OpenSlot:
    return OpenSlot(offering_id=OFFERING, starts_at=START, capacity=seats, actor=TEACHER)
