"""Somebody captured less than the price, by hand at Stripe: what booking promises from then on is there to be given.

Every promise is handed to payments' own handlers, and comes back settled as it was told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    CancelBooking,
    CloseSlot,
    LatePaymentReturned,
    QuoteCancellation,
    ResolveDispute,
    SagaStuck,
)
from booking_contracts.codes import Code
from booking_contracts.types import Actor, Money
from pydantic import BaseModel

from services.booking.local_messages import DeadlineReached
from services.booking.model import deadlines
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.quotes import preview
from services.booking.saga import Saga, Status, Step
from services.booking.work import HistoryItem
from services.chassis.unit_of_work import Record
from services.payments.model import ledger
from tests.booking.builders import ADMIN, NOW, OFFERING, START, TEACHER, World, acting, answer
from tests.booking.lives import euros
from tests.booking.test_disputes import dispute
from tests.payments.builders import BOOKING, PRICE, PROVIDER
from tests.payments.builders import World as Payments
from tests.payments.builders import settle as settle_payment

TAKEN = 2001


def taken(world: World, amount: int = TAKEN, *, booked: Booking | None = None) -> Booking:
    """A booking for 45 euros of which `amount` was captured."""
    booking = booked or world.confirmed(captured=False)
    world.tell(answer(payments.PaymentCaptured, booking, amount=euros(amount)))
    return world.booking(booking.booking_id)


def cancel(booking: Booking, actor: Actor, quote: UUID | None = None) -> CancelBooking:
    return CancelBooking(booking_id=booking.booking_id, actor=actor, quote_id=quote)


def settled(asked: payments.SettlePayment) -> payments.PaymentSettled:
    """What payments makes of it, having seen as much captured; all that was taken is accounted for."""
    till = Payments().authorized()
    till.event("succeeded")
    till.stripe_says("succeeded", received_minor=TAKEN)
    till.tell(settle_payment(refund=asked.refund.amount, release=asked.release.amount))
    done: payments.PaymentSettled = till.last(payments.PaymentSettled)
    assert done.refund.amount + done.release.amount == TAKEN
    assert done.release.amount == done.commission.amount + done.provider_amount.amount
    assert till.balance(ledger.escrow(BOOKING)) == 0
    assert sum(entry.amount_minor for entry in till.entries) == 0
    assert till.balance(ledger.payable(PROVIDER)) == done.provider_amount.amount
    return done


def as_asked(world: World, refund: int, release: int) -> None:
    (asked,) = world.sent(payments.SettlePayment)
    assert (asked.refund, asked.release) == (euros(refund), euros(release))
    done = settled(asked)
    assert (done.refund, done.release) == (asked.refund, asked.release)


CANCELS: dict[str, tuple[Callable[[Booking], BaseModel], datetime, int, int]] = {
    "customer, early": (lambda b: cancel(b, acting()), NOW, TAKEN, 0),
    "customer, half": (lambda b: cancel(b, acting()), START - timedelta(hours=3), 1001, 1000),
    "customer, late": (lambda b: cancel(b, acting()), START - timedelta(minutes=90), 0, TAKEN),
    "provider": (lambda b: cancel(b, TEACHER), START - timedelta(minutes=90), TAKEN, 0),
    "slot": (lambda b: CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER), NOW, TAKEN, 0),
}


@pytest.mark.requirement("refund-policy", "escrow")
@pytest.mark.parametrize("how", CANCELS)
def test_a_cancellation_promises_what_was_taken(how: str) -> None:
    command, at, refund, kept = CANCELS[how]
    world = World()
    booking = taken(world)
    world.at(at).tell(command(booking))
    (told,) = world.sent(BookingCancelled)
    assert (told.refund, told.kept, told.price) == (euros(refund), euros(kept), booking.price)
    as_asked(world, refund, kept)


@pytest.mark.requirement("escrow")
def test_a_session_releases_what_was_taken() -> None:
    world = World()
    booking = taken(world)
    for _ in ("it is over", "nobody has disputed it"):
        due_at = deadlines.due_at(world.booking(booking.booking_id))
        assert due_at is not None
        world.at(due_at).tell(DeadlineReached(booking_id=booking.booking_id))
    (told,) = world.sent(BookingCompleted)
    assert told.release == euros(TAKEN)
    as_asked(world, 0, TAKEN)


@pytest.mark.requirement("disputes", "escrow")
def test_an_admin_shares_out_what_was_taken() -> None:
    def resolve(refund: int, release: int) -> ResolveDispute:
        return ResolveDispute(
            booking_id=booking.booking_id, refund=euros(refund), release=euros(release), note="heard", actor=ADMIN
        )

    world = World()
    booking = taken(world)
    world.at(START).tell(dispute(booking))
    refused = world.refused(resolve(PRICE, 0))
    assert (refused.code, refused.details["escrow"]) == (Code.AMOUNT_MISMATCH, euros(TAKEN).model_dump())
    world.tell(resolve(TAKEN - 1, 1))
    as_asked(world, TAKEN - 1, 1)


@pytest.mark.requirement("refund-policy")
def test_a_quote_from_before_it_was_known_does_not_hold_and_a_new_one_does() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    quotes = []
    for _ in range(2):
        accepted = world.tell(QuoteCancellation(booking_id=booking.booking_id, actor=acting()))
        assert accepted is not None
        quotes.append(accepted.result["quote"])
        booking = taken(world, booked=booking)
    assert [quote["refund"]["amount"] for quote in quotes] == [PRICE, TAKEN]  # type: ignore[call-overload, index]
    old, new = (UUID(quote["quote_id"]) for quote in quotes)  # type: ignore[call-overload, index, arg-type]
    shown = preview(booking, NOW)
    assert shown is not None
    assert shown.refund == euros(TAKEN)
    assert world.refused(cancel(booking, acting(), old)).code is Code.QUOTE_EXPIRED
    world.tell(cancel(booking, acting(), new))
    as_asked(world, TAKEN, 0)


@pytest.mark.requirement("escrow", "saga")
def test_an_operator_is_told_and_the_cancellation_ends_it() -> None:
    world = World()
    booking = taken(world)
    assert booking.payment_status is PaymentStatus.CAPTURED
    assert [stuck.step for stuck in world.sent(SagaStuck)] == [Step.CAPTURE]
    world.tell(cancel(booking, acting()))
    (asked,) = world.sent(payments.SettlePayment)
    zero = euros(0)
    amounts = {"refund": asked.refund, "release": zero, "commission": zero, "provider_amount": zero}
    done = answer(payments.PaymentSettled, booking, settlement_id=asked.settlement_id, via="refund", **amounts)
    world.tell(done)
    found = world.work.find(Saga, booking.booking_id)
    assert found is not None
    assert found.status is Status.DONE


@pytest.mark.requirement("escrow")
@pytest.mark.parametrize(("refund", "release"), [(PRICE, 0), (PRICE // 2, PRICE // 2), (0, PRICE)])
def test_what_was_promised_before_it_was_known_is_settled_from_what_there_is(refund: int, release: int) -> None:
    """The payer is served first; PaymentSettled says what each got."""
    asked = payments.SettlePayment(
        booking_id=BOOKING,
        payment_id=UUID(int=1),
        attempt=1,
        settlement_id=UUID(int=2),
        refund=euros(refund),
        release=euros(release),
    )
    assert settled(asked).refund == euros(min(refund, TAKEN))


@pytest.mark.requirement("escrow")
def test_a_capture_that_comes_after_the_cancellation_is_noted_and_calls_nobody() -> None:
    world = World()
    booking = world.confirmed(captured=False)
    world.tell(cancel(booking, acting()))
    taken(world, booked=world.booking(booking.booking_id))
    notes = [effect.row for effect in world.work.journal if isinstance(effect, Record)]
    said = [note.reason for note in notes if isinstance(note, HistoryItem) and note.reason]
    assert f"captured {TAKEN} instead of {PRICE}" in said
    assert world.sent(SagaStuck) == []
    assert len(world.sent(payments.SettlePayment)) == 1


@pytest.mark.requirement("escrow")
def test_more_than_the_price_is_never_promised() -> None:
    world = World()
    booking = taken(world, PRICE + 1)
    assert booking.escrow == Money(amount=PRICE, currency="EUR")
    assert len(world.sent(SagaStuck)) == 1


@pytest.mark.requirement("late-payment", "escrow")
def test_what_comes_for_a_booking_that_ended_unpaid_goes_back_as_it_came() -> None:
    world = World()
    booking = world.place()
    world.at(NOW + timedelta(minutes=16)).tell(DeadlineReached(booking_id=booking.booking_id))
    taken(world, booked=world.booking(booking.booking_id))
    (asked,) = world.sent(payments.SettlePayment)
    assert (asked.refund, asked.release) == (euros(TAKEN), euros(0))
    (told,) = world.sent(LatePaymentReturned)
    assert told.amount == euros(TAKEN)


@pytest.mark.requirement("escrow")
def test_another_currency_is_no_lesser_amount() -> None:
    """1000 yen are no part of 45 euros: a person looks, and nothing is promised by it."""
    world = World()
    booking = world.confirmed(captured=False)
    world.tell(answer(payments.PaymentCaptured, booking, amount=Money(amount=1000, currency="JPY")))
    assert world.booking(booking.booking_id).escrow == booking.price
    assert len(world.sent(SagaStuck)) == 1
