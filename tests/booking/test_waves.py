"""The order in which a batch's bookings are written: legal steps only, seats free before they are taken."""

from dataclasses import replace
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.booking.model.booking import Booking
from services.booking.model.states import INITIAL, OCCUPYING, TRANSITIONS, State
from services.booking.store.save_bookings import waves
from services.chassis.unit_of_work import Changed
from tests.booking.builders import World


def a_booking() -> Booking:
    return World().place()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=30), st.integers(0, 3))
def test_every_write_is_legal_and_no_statement_oversells(moves: list[tuple[int, int]], existing: int) -> None:
    """One seat: random bookings are placed, moved and ended; replaying the waves never sees two on the seat."""
    base = a_booking()
    stored: dict[object, State] = {}
    world: dict[int, Booking] = {}
    changes: list[Changed] = []
    for number in range(min(existing, 1)):
        world[number] = replace(base, booking_id=uuid4(), state=State.PENDING_PAYMENT)
        stored[world[number].booking_id] = State.PENDING_PAYMENT
    for number, choice in moves:
        current = world.get(number)
        if current is None:
            if any(other.occupies for other in world.values()):
                continue
            world[number] = replace(base, booking_id=uuid4(), state=State.PENDING_APPROVAL)
            changes.append(Changed(None, world[number]))
            continue
        options = [current.state, *sorted(TRANSITIONS.get(current.state, ()))]
        after = replace(current, state=options[choice % len(options)], sequence=current.sequence + 1)
        changes.append(Changed(current, after))
        world[number] = after
    for wave in waves(changes):
        for booking in wave.updates.values():
            before = stored[booking.booking_id]
            assert before is booking.state or booking.state in TRANSITIONS[before]
            stored[booking.booking_id] = booking.state
        for booking in wave.inserts.values():
            assert booking.state in INITIAL
            stored[booking.booking_id] = booking.state
        assert sum(state in OCCUPYING for state in stored.values()) <= 1
    assert stored == {booking.booking_id: booking.state for booking in world.values()}


def test_who_may_come_once_comes_after_they_have_left() -> None:
    """The index that lets nobody come twice looks at rows one by one; a statement writes them in any order."""
    for once, expected in ((True, 2), (False, 1)):
        here = replace(a_booking(), state=State.CONFIRMED, once_per_customer=once)
        elsewhere = replace(here, booking_id=uuid4(), slot_id=uuid4())
        left = Changed(here, replace(here, state=State.CANCELLED_BY_CUSTOMER))
        came = Changed(elsewhere, replace(elsewhere, slot_id=here.slot_id))
        assert len(waves([left, came])) == expected
        assert len(waves([came])) == 1
