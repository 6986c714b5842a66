"""QuoteCancellation, and cancelling with a quote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts import payments
from booking_contracts.booking import QuoteCancellation
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.model.booking import Booking
from services.booking.model.quotes import Quote, preview, promised, supplanted, valid_until
from services.booking.model.refunds import Amounts
from services.booking.model.states import PENDING, State
from tests.booking.builders import NOW, START, TEACHER, World, acting, authorized
from tests.booking.lives import END, NEEDS_APPROVAL, euros, in_state
from tests.booking.test_rescheduling import a_world, cancel, move

MINUTE = timedelta(minutes=1)


def quote(world: World, booking: Booking, actor: Actor | None = None) -> dict[str, Any]:
    accepted = world.tell(QuoteCancellation(booking_id=booking.booking_id, actor=actor or acting()))
    assert accepted is not None
    found = accepted.result["quote"]
    assert isinstance(found, dict)
    return found


@pytest.mark.requirement("refund-policy")
def test_a_quote_is_honoured_until_it_ends() -> None:
    for minutes, refund in ((14, 4500), (15, None)):
        world = World()
        booking = world.confirmed()
        world.at(START - timedelta(hours=24))
        found = quote(world, booking)
        assert found["refund"] == {"amount": 4500, "currency": "EUR"}
        assert found["policy_version"] == "flexible-1"
        assert found["valid_until"] == "2030-01-09T12:15:00Z"
        world.at(START - timedelta(hours=24) + timedelta(minutes=minutes))
        command = cancel(booking, quote_id=UUID(found["quote_id"]))
        if refund is None:
            assert world.refused(command).code is Code.QUOTE_EXPIRED
            assert world.booking(booking.booking_id).state is State.CONFIRMED
        else:
            world.tell(command)
            assert world.sent(payments.SettlePayment)[0].refund.amount == refund


@pytest.mark.requirement("refund-policy")
def test_a_quote_ends_at_the_change_deadline() -> None:
    world = World()
    booking = world.confirmed()
    world.at(START - timedelta(minutes=65))
    assert quote(world, booking)["valid_until"] == "2030-01-10T11:00:00Z"
    assert quote(world, booking, TEACHER)["refund"]["amount"] == 4500
    world.at(START - timedelta(minutes=60))
    refused = world.refused(QuoteCancellation(booking_id=booking.booking_id, actor=acting()))
    assert refused.code is Code.DEADLINE_PASSED


@pytest.mark.requirement("refund-policy")
def test_a_quote_dies_with_a_move_and_serves_its_actor_alone() -> None:
    world = a_world()
    booking = world.confirmed()
    mine, theirs = quote(world, booking), quote(world, booking, TEACHER)
    refused = [cancel(booking, quote_id=UUID(theirs["quote_id"])), cancel(booking, quote_id=uuid4())]
    for command in refused:
        assert world.refused(command).code is Code.QUOTE_EXPIRED
    world.tell(move(booking))
    world.tell(move(booking, starts_at=START))
    assert world.refused(cancel(booking, quote_id=UUID(mine["quote_id"]))).code is Code.QUOTE_EXPIRED


@pytest.mark.requirement("refund-policy")
def test_a_quote_from_before_the_payment_promises_nothing_after_it() -> None:
    world = World()
    booking = world.place()
    found = quote(world, booking)
    assert found["refund"]["amount"] == found["kept"]["amount"] == 0
    world.tell(authorized(world.booking(booking.booking_id)))
    assert world.refused(cancel(booking, quote_id=UUID(found["quote_id"]))).code is Code.QUOTE_EXPIRED


@pytest.mark.requirement("refund-policy")
def test_a_quote_from_before_the_payment_holds_while_nothing_is_paid() -> None:
    world = World()
    booking = world.place()
    found = quote(world, booking)
    world.tell(cancel(booking, quote_id=UUID(found["quote_id"])))
    assert world.booking(booking.booking_id).state is State.CANCELLED_BY_CUSTOMER


@pytest.mark.requirement("refund-policy")
def test_a_quote_of_half_the_price_is_honoured() -> None:
    world = World()
    booking = world.confirmed()
    world.at(START - timedelta(hours=2))
    found = quote(world, booking)
    world.at(START - timedelta(hours=2) + timedelta(minutes=1))
    world.tell(cancel(booking, quote_id=UUID(found["quote_id"])))
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (2250, 2250)


@pytest.mark.requirement("refund-policy", "deadline-enforcement")
def test_a_quote_never_outlives_the_cancellation() -> None:
    booking = World().place()
    assert booking.deadline == NOW + 15 * MINUTE
    assert valid_until(booking, "customer", NOW - 5 * MINUTE) == NOW + 10 * MINUTE
    assert valid_until(booking, "customer", NOW + 10 * MINUTE) == booking.deadline
    booking = World().confirmed()
    limits = {"customer": START - 60 * MINUTE, "provider": END + 120 * MINUTE, "admin": END + 120 * MINUTE}
    for kind, limit in limits.items():
        assert valid_until(booking, kind, limit - 20 * MINUTE) == limit - 5 * MINUTE
        assert valid_until(booking, kind, limit - 5 * MINUTE) == limit


@pytest.mark.requirement("refund-policy")
def test_a_preview_shows_what_the_customers_cancellation_would_give() -> None:
    unpaid = World().place()
    assert unpaid.deadline is not None
    assert preview(unpaid, unpaid.deadline - MINUTE) == Amounts(euros(0), euros(0))
    assert preview(unpaid, unpaid.deadline) is None
    paid = World().confirmed()
    shown = {
        START - timedelta(hours=24): Amounts(euros(4500), euros(0)),
        START - timedelta(hours=23): Amounts(euros(2250), euros(2250)),
        START - timedelta(minutes=61): Amounts(euros(0), euros(4500)),
        START - timedelta(minutes=60): None,
    }
    assert {now: preview(paid, now) for now in shown} == shown


@pytest.mark.requirement("refund-policy", "cancellation-state-machine")
@pytest.mark.parametrize("state", [s for s in State if s not in PENDING | {State.CONFIRMED}])
def test_nothing_is_previewed_where_nothing_can_be_cancelled(state: State) -> None:
    booking = in_state(World(approval=state in NEEDS_APPROVAL), state)
    assert preview(booking, NOW) is None


def some_quote(**changes: Any) -> Quote:
    fields: dict[str, Any] = {
        "quote_id": uuid4(),
        "booking_id": UUID(int=1),
        "actor": acting(),
        "refund": euros(0),
        "kept": euros(0),
        "policy_version": "flexible-1",
        "valid_until": NOW,
    }
    return Quote(**{**fields, **changes})


@pytest.mark.requirement("refund-policy")
def test_the_oldest_of_more_than_ten_quotes_end_and_nobody_elses() -> None:
    new, tenth = some_quote(), [some_quote() for _ in range(9)]
    others = [some_quote(booking_id=UUID(int=2)), some_quote(actor=TEACHER), some_quote(dead=True)]
    assert supplanted(new, [*others, *tenth, new]) == []
    older = [some_quote(), some_quote()]
    assert supplanted(new, [*others, *older, *tenth, new]) == older


@pytest.mark.requirement("refund-policy")
def test_a_quote_that_does_not_hold_is_told_to_ask_again() -> None:
    booking = World().confirmed()
    with pytest.raises(Rejected) as refused:
        promised(None, booking, acting(), NOW)
    told = (refused.value.code, refused.value.message, refused.value.subject)
    assert told == (Code.QUOTE_EXPIRED, "The quote no longer holds; ask for a new one.", booking.booking_id)
