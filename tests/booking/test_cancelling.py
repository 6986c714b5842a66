"""CancelBooking and AbandonPayment: four effects at once, and only for those concerned."""

from datetime import timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import AbandonPayment, BookingCancelled, CancelBooking, PayBooking, PaymentFailed
from booking_contracts.codes import Code
from booking_contracts.types import Actor

from services.booking.model.states import State
from services.booking.work import HistoryItem
from services.chassis.unit_of_work import Record
from tests.booking.builders import ADMIN, CARD, START, TEACHER, World, a_child, acting, answer


@pytest.mark.requirement("cancellation-state-machine", "refund-policy")
def test_a_paid_booking_is_cancelled_with_all_four_effects() -> None:
    world = World()
    booking = world.confirmed()
    accepted = world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    assert accepted is not None
    assert accepted.result == {
        "refund": {"amount": 4500, "currency": "EUR"},
        "kept": {"amount": 0, "currency": "EUR"},
    }
    assert world.booking(booking.booking_id).state is State.CANCELLED_BY_CUSTOMER
    assert world.taken() == 0
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (4500, 0)
    assert len(world.sent(BookingCancelled)) == 1


@pytest.mark.requirement("cancellation-state-machine")
def test_a_second_cancel_changes_nothing() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    written = len(world.work.journal)
    refused = world.refused(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    assert refused.code is Code.ALREADY_CANCELLED
    assert len(world.work.journal) == written


@pytest.mark.requirement("cancellation-state-machine", "failure-handling")
def test_an_unpaid_booking_frees_its_seat_and_voids() -> None:
    world = World()
    booking = world.place()
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    assert world.taken() == 0
    assert len(world.sent(payments.VoidPayment)) == 1
    assert world.sent(BookingCancelled)[0].refund.amount == 0


@pytest.mark.requirement("deadline-enforcement")
@pytest.mark.parametrize(
    ("actor", "before_start", "code"),
    [
        (acting(), timedelta(minutes=60), Code.DEADLINE_PASSED),
        (acting(), timedelta(minutes=61), None),
        (TEACHER, timedelta(minutes=-60), None),
        (TEACHER, timedelta(hours=-3), Code.ILLEGAL_TRANSITION),  # completed by itself
        (ADMIN, timedelta(hours=-2, minutes=-59), None),
    ],
)
def test_the_cut_off_is_by_the_servers_clock(actor: Actor, before_start: timedelta, code: Code | None) -> None:
    world = World()
    booking = world.confirmed()
    world.at(START - before_start)
    command = CancelBooking(booking_id=booking.booking_id, actor=actor)
    if code is None:
        world.tell(command)
    else:
        assert world.refused(command).code is code


@pytest.mark.requirement("refund-policy")
def test_inside_the_buffer_a_customers_cancellation_gives_nothing_and_the_providers_all() -> None:
    for actor, refund in ((acting(), 0), (TEACHER, 4500)):
        world = World()
        booking = world.confirmed()
        world.at(START - timedelta(minutes=90))
        world.tell(CancelBooking(booking_id=booking.booking_id, actor=actor))
        assert world.sent(payments.SettlePayment)[0].refund.amount == refund


@pytest.mark.requirement("actors")
def test_only_those_concerned_may_cancel() -> None:
    world = World()
    booking = world.confirmed(attendee=a_child())
    stranger = Actor(kind="provider", id="00000000-0000-0000-0000-000000000009")
    for actor in (acting("eve"), stranger):
        assert world.refused(CancelBooking(booking_id=booking.booking_id, actor=actor)).code is Code.NOT_ALLOWED
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting("child")))
    assert world.booking(booking.booking_id).state is State.CANCELLED_BY_CUSTOMER


@pytest.mark.requirement("history-tracking")
def test_history_names_who_what_and_from_where_to_where() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(CancelBooking(booking_id=booking.booking_id, reason="ill", actor=acting()))
    items = [e.row for e in world.work.journal if isinstance(e, Record) and isinstance(e.row, HistoryItem)]
    assert [(item.from_state, item.to_state) for item in items] == [
        (None, State.PENDING_PAYMENT),
        (State.PENDING_PAYMENT, State.CONFIRMED),
        (State.CONFIRMED, State.CANCELLED_BY_CUSTOMER),
    ]
    assert [item.number for item in items] == [1, 2, 3]
    assert (items[-1].actor, items[-1].reason) == (acting(), "ill")
    assert items[1].actor.kind == "system"


@pytest.mark.requirement("failure-handling")
def test_an_abandoned_payment_frees_the_seat_for_the_same_customer_at_once() -> None:
    world = World()
    booking = world.place()
    world.tell(AbandonPayment(booking_id=booking.booking_id, actor=acting()))
    assert world.sent(PaymentFailed)[0].reason == "abandoned"
    assert world.place().state is State.PENDING_PAYMENT


def test_a_booking_without_payment_is_paid_later_once() -> None:
    world = World()
    booking = world.place(payment=None)
    world.tell(PayBooking(booking_id=booking.booking_id, payment=CARD, actor=acting()))
    assert len(world.sent(payments.AuthorizePayment)) == 1
    refused = world.refused(PayBooking(booking_id=booking.booking_id, payment=CARD, actor=acting()))
    assert refused.details == {"state": "PENDING_PAYMENT", "reason": "payment_in_progress"}


def test_after_a_cancellation_the_settlements_answer_ends_the_saga() -> None:
    world = World()
    booking = world.confirmed()
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=acting()))
    zero = {"amount": 0, "currency": "EUR"}
    booking = world.booking(booking.booking_id)
    event = answer(
        payments.PaymentSettled,
        booking,
        settlement_id=booking.settlement_id,
        via="refund",
        refund=booking.price,
        release=zero,
        commission=zero,
        provider_amount=zero,
    )
    world.tell(event)
    world.tell(answer(payments.PaymentCaptured, booking, amount=booking.price))
    assert len(world.sent(payments.SettlePayment)) == 1
