"""What ended stays ended: bookings, and entries of a waitlist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.booking.model import states, waitlist
from services.booking.model.states import DEAD, FUNDED, State
from services.booking.model.waitlist import OPEN, EntryState

SETTLED = {State.COMPLETED, State.RESOLVED_REFUNDED, State.RESOLVED_RELEASED, State.RESOLVED_SPLIT}


def ways(state: State = State.PENDING_APPROVAL) -> Iterator[tuple[State, ...]]:
    """Every way from a state to an end."""
    following = [to for to in State if states.may_become(state, to)]
    if not following:
        yield (state,)
    for to in following:
        yield from ((state, *rest) for rest in ways(to))


@pytest.mark.requirement("cancellation-state-machine", "initial-booking-state")
def test_every_booking_enters_a_state_once_and_ends_dead_or_settled() -> None:
    found = list(ways())
    assert {state for way in found for state in way} == set(State)
    assert {way[-1] for way in found} == DEAD | SETTLED
    assert all(len(way) == len(set(way)) for way in found)


@pytest.mark.requirement("escrow")
def test_money_covers_the_price_from_the_confirmation_until_all_is_decided() -> None:
    after_confirmation = {state for way in ways(State.CONFIRMED) for state in way}
    assert after_confirmation - DEAD - SETTLED == FUNDED


@pytest.mark.requirement("waitlist-handling")
def test_an_entry_that_no_longer_hopes_stays_as_it_is() -> None:
    left = {entry for entry in EntryState if any(waitlist.may_become(entry, to) for to in EntryState)}
    assert left == OPEN == {EntryState.WAITING, EntryState.OFFERED}
    assert waitlist.may_become(EntryState.OFFERED, EntryState.ACCEPTED)
    for never in (EntryState.ACCEPTED, EntryState.EXPIRED):
        assert not waitlist.may_become(EntryState.WAITING, never), "nobody accepts or misses what was not offered"
