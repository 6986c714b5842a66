"""What somebody who wants money, or a seat, for nothing would try."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from booking_contracts import booking as messages
from booking_contracts import payments
from booking_contracts.booking import BookingCancelled
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Money
from pydantic import ValidationError

from services.booking.model import expected_outcomes as outcomes
from services.booking.model.deadlines import due_at
from services.booking.model.states import CANCELLED, State
from services.booking.work import HistoryItem
from services.chassis.unit_of_work import Record
from tests.booking import lives
from tests.booking.builders import ADMIN, START, TEACHER, World, acting, answer, authorized, place
from tests.booking.lives import END, euros

WINDOW = timedelta(hours=48)
ABOUT_A_BOOKING = sorted(set(outcomes.COMMANDS) - {"PlaceBooking", "QuoteCancellation by customer"})


@pytest.mark.requirement("price-integrity")
def test_a_lesson_for_one_cent() -> None:
    world = World()
    assert world.refused(place(expected_price=euros(1))).code is Code.PRICE_CHANGED
    with pytest.raises(ValidationError):
        place(price=euros(1))
    booking = world.place()
    world.tell(authorized(booking, amount=euros(1)))
    assert world.booking(booking.booking_id).state is State.PENDING_PAYMENT
    assert world.sent(payments.CapturePayment) == []


@pytest.mark.requirement("ghost-provider")
def test_a_provider_who_never_comes_is_disputed_before_anything_is_released() -> None:
    world = World()
    booking = world.confirmed()
    due = due_at(booking)
    assert due is not None
    world.at(due).tell(lives.dispute(booking))
    world.tell(lives.split(booking, 4500))
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (4500, 0)


@pytest.mark.requirement("refund-policy")
def test_a_flash_cancel_in_the_no_refund_buffer() -> None:
    world = World()
    booking = world.confirmed()
    world.at(START - timedelta(minutes=61))
    world.tell(lives.command("CancelBooking by customer", booking))
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (0, 4500)


@pytest.mark.requirement("double-confirmation", "disputes")
@pytest.mark.parametrize("first", ["ConfirmSession", "RaiseDispute"])
def test_confirming_and_disputing_at_the_same_instant(first: str) -> None:
    second = {"ConfirmSession": "RaiseDispute", "RaiseDispute": "ConfirmSession"}[first]
    world = World()
    booking = lives.completed_by_provider(world)
    world.tell(lives.command(first, booking))
    refused = world.refused(lives.command(second, booking))  # type: ignore[arg-type]
    code, state, settled = {
        "ConfirmSession": (Code.WINDOW_CLOSED, State.COMPLETED, 1),
        "RaiseDispute": (Code.ILLEGAL_TRANSITION, State.DISPUTED, 0),
    }[first]
    assert (refused.code, world.booking(booking.booking_id).state) == (code, state)
    assert len(world.sent(payments.SettlePayment)) == settled


@pytest.mark.requirement("deadline-enforcement")
def test_completing_before_the_end_to_be_paid_early() -> None:
    world = World()
    booking = world.confirmed()
    for instant in (START - WINDOW, START, END - timedelta(seconds=1)):
        refused = world.at(instant).refused(messages.CompleteSession(booking_id=booking.booking_id, actor=TEACHER))
        assert refused.code is Code.TOO_EARLY


@pytest.mark.requirement("payment-booking-coupling", "late-payment")
@pytest.mark.parametrize("state", [State.CONFIRMED, State.PENDING_CONFIRMATION, State.DISPUTED, State.COMPLETED])
@pytest.mark.parametrize("kind", ["PaymentAuthorized", "PaymentCaptured"])
@pytest.mark.parametrize(("attempt", "minor"), [(1, 1), (2, 4500), (0, 4500), (-1, 4500)])
def test_a_forged_payment_event_takes_no_money_from_a_paid_booking(
    state: State, kind: str, attempt: int, minor: int
) -> None:
    world = World()
    booking = lives.in_state(world, state)
    settled = len(world.sent(payments.SettlePayment))
    world.tell(answer(getattr(payments, kind), booking, attempt=attempt, amount=euros(minor)))
    assert world.booking(booking.booking_id).state is state
    assert len(world.sent(payments.SettlePayment)) == settled
    assert [void.attempt for void in world.sent(payments.VoidPayment)] == ([2] if attempt == 2 else [])


@pytest.mark.requirement("payment-booking-coupling", "confirmation-record")
@pytest.mark.parametrize("attempt", [0, 1])
def test_an_authorisation_that_nobody_asked_for_confirms_nothing(attempt: int) -> None:
    for approval in (True, False):
        world = World(approval=approval)
        booking = world.place(payment=None)
        world.tell(authorized(booking, attempt=attempt))
        assert world.booking(booking.booking_id).state is booking.state
        assert world.sent(payments.CapturePayment) == []


@pytest.mark.requirement("payment-booking-coupling")
def test_a_settlement_of_another_id_ends_nothing() -> None:
    world = World()
    booking = lives.completed_by_provider(world)
    world.tell(lives.command("ConfirmSession", booking))
    journal = len(world.work.journal)
    world.tell(lives.event("PaymentSettled", booking, booking.attempt))  # the id that booking had not given yet
    assert len(world.work.journal) == journal


@pytest.mark.requirement("history-tracking", "cancellation-state-machine")
@pytest.mark.parametrize(
    ("name", "actor", "state"),
    [
        ("CancelBooking by provider", TEACHER, State.CANCELLED_BY_PROVIDER),
        ("CancelBooking by admin", ADMIN, State.CANCELLED_BY_ADMIN),
    ],
)
def test_who_cancelled_is_who_is_recorded(name: str, actor: object, state: State) -> None:
    world = World()
    booking = world.confirmed()
    world.at(START + timedelta(minutes=5)).tell(lives.command(name, booking))
    assert world.booking(booking.booking_id).state is state
    items = [e.row for e in world.work.journal if isinstance(e, Record) and isinstance(e.row, HistoryItem)]
    (event,) = world.sent(BookingCancelled)
    assert (items[-1].actor, event.by, event.refund.amount) == (actor, actor, 4500)
    refused = world.refused(lives.dispute(booking))
    assert refused.code is Code.ILLEGAL_TRANSITION


@pytest.mark.requirement("actors")
@pytest.mark.parametrize("name", ABOUT_A_BOOKING)
def test_another_customer_and_another_provider_may_do_nothing(name: str) -> None:
    for state in State:
        world = World(approval=state in lives.NEEDS_APPROVAL)
        booking = lives.in_state(world, state)
        body = lives.command(name, booking)
        for stranger in (acting("mallory"), lives.STRANGER):
            command = body.model_copy(update={"actor": stranger})
            assert world.refused(command).code is Code.NOT_ALLOWED  # type: ignore[arg-type]


@pytest.mark.requirement("inbox", "escrow")
@pytest.mark.parametrize("state", [s for s in State if s in CANCELLED or s.startswith(("RESOLVED", "COMPLETED"))])
def test_replaying_everything_ever_sent_moves_nothing(state: State) -> None:
    world = World()
    told = record_of(world)
    booking = lives.in_state(world, state)
    after, sent = world.booking(booking.booking_id), len(world.sent(payments.SettlePayment))
    voids = len(world.sent(payments.VoidPayment))
    for body in list(told):
        with contextlib.suppress(Rejected):
            world.tell(body)  # type: ignore[type-var]
    assert world.booking(booking.booking_id).state is after.state
    assert (len(world.sent(payments.SettlePayment)), len(world.sent(payments.VoidPayment))) == (sent, voids)
    assert world.taken() == (0 if after.dead else 1)


def record_of(world: World) -> list[object]:
    """Everything that the world is told from now on."""
    told: list[object] = []
    tell = world.tell

    def telling(body: object, *, topic: str = "") -> object:
        told.append(body)
        return tell(body, topic=topic)  # type: ignore[type-var]

    world.tell = telling  # type: ignore[method-assign, assignment]
    return told


@pytest.mark.requirement("disputes")
def test_a_decision_that_is_worth_more_than_the_escrow() -> None:
    world = World()
    booking = lives.disputed(world)
    decision = lives.split(booking, 4500).model_copy(update={"release": Money(amount=4500, currency="EUR")})
    assert world.refused(decision).code is Code.AMOUNT_MISMATCH
    with pytest.raises(ValidationError):
        Money(amount=-1, currency="EUR")
