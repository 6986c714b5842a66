"""The saga of a booking's money, as data (requirement saga).

| step: command               | what comes            | what follows                            |
|-----------------------------|-----------------------|-----------------------------------------|
| AUTHORIZE: AuthorizePayment | PaymentAuthorized     | CAPTURE                                 |
| AUTHORIZE: AuthorizePayment | PaymentActionRequired | waits for the customer                  |
| AUTHORIZE: AuthorizePayment | PaymentDeclined       | done, seats free                        |
| AUTHORIZE: AuthorizePayment | PaymentCaptured       | VOID                                    |
| AUTHORIZE: AuthorizePayment | PaymentVoided         | done                                    |
| AUTHORIZE: AuthorizePayment | no answer             | asked again until the deadline          |
| AUTHORIZE: AuthorizePayment | the deadline          | VOID, seats free                        |
| CAPTURE: CapturePayment     | PaymentCaptured       | done                                    |
| CAPTURE: CapturePayment     | CaptureFailed         | done, seats free; after the start stuck |
| CAPTURE: CapturePayment     | PaymentVoided         | seats free; after the start stuck       |
| CAPTURE: CapturePayment     | no answer             | asked again, then stuck                 |
| VOID: VoidPayment           | PaymentCaptured       | SETTLE                                  |
| VOID: VoidPayment           | PaymentVoided         | done                                    |
| VOID: VoidPayment           | ChargebackOpened      | waits for the bank                      |
| VOID: VoidPayment           | no answer             | asked again, then stuck                 |
| SETTLE: SettlePayment       | PaymentSettled        | done                                    |
| SETTLE: SettlePayment       | ChargebackOpened      | waits for the bank                      |
| SETTLE: SettlePayment       | no answer             | asked again, then stuck                 |

The table is of a booking that was placed at once; an approved one keeps its seats until its deadline when an attempt
fails. What has no row changes nothing of the step. tests/booking/test_saga_table.py derives it from the handlers.

Pivot: CONFIRMED. Before it every failure compensates; after it steps are asked again until done or parked as stuck.
A step that waits for the customer (3-D Secure, a payment method) is not asked again: its deadline is the booking's.
Nor is one that waits for a chargeback (VOID, SETTLE): payments holds the escrow until the bank has decided, for weeks,
and goes on with what it was asked for when ChargebackClosed comes; from then on it is asked again as ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from booking_contracts.booking import SagaStuck
from booking_contracts.envelope import MessageBody
from booking_contracts.payments import AuthorizePayment, CapturePayment, SettlePayment, VoidPayment
from booking_contracts.types import Money, Price

from services.booking.local_messages import AskAgain
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.work import BookingWork

ASK_AGAIN = timedelta(seconds=30)
MOST_ASKS = 8


class Step(StrEnum):
    """What the saga waits for."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    SETTLE = "settle"


class Status(StrEnum):
    """Whether anybody has to do something."""

    WAITING = "waiting"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    WAITING_FOR_CHARGEBACK = "waiting_for_chargeback"
    DONE = "done"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Saga:
    """The one row of a booking's saga: the step it is at, the attempt, how often it was asked, when it asks again."""

    booking_id: UUID
    step: Step
    attempt: int
    status: Status
    asked: int
    ask_again_at: datetime
    settlement_id: UUID | None = None
    refund_minor: int | None = None
    release_minor: int | None = None
    problem: str | None = None
    disputes: int = 0
    """The booking's chargebacks that are open, whatever the step."""

    @property
    def row_key(self) -> UUID:
        return self.booking_id

    @property
    def held(self) -> bool:
        """Whether its step has to wait until the chargebacks are closed."""
        return self.disputes > 0 and self.step in (Step.VOID, Step.SETTLE)


@dataclass(frozen=True, slots=True)
class SagaLogLine:
    """One line of a saga's log."""

    booking_id: UUID
    at: datetime
    step: Step
    attempt: int
    what: str


def authorize(work: BookingWork, booking: Booking) -> Booking:
    """Start the next attempt to pay: the one place that asks for an authorisation (requirement confirmation-record)."""
    booking = work.put(replace(booking, attempt=booking.attempt + 1, payment_status=PaymentStatus.IN_FLIGHT))
    _ask(work, _next(work, booking, Step.AUTHORIZE))
    return booking


def capture(work: BookingWork, booking: Booking) -> None:
    """Take the money of a booking that has just been confirmed (requirement payment-capture-timing)."""
    _ask(work, _next(work, booking, Step.CAPTURE))


def void(work: BookingWork, booking: Booking, attempt: int | None = None) -> None:
    """Give back what an attempt has reserved; without a number the booking's current attempt, if there is one.

    Asked for already, or no attempt at all (a forged number): nothing.
    """
    attempt = booking.attempt if attempt is None else attempt
    if attempt < 1 or voided(work, booking.booking_id, attempt):
        return
    if attempt != booking.attempt:
        work.send(VoidPayment(booking_id=booking.booking_id, payment_id=booking.payment_id, attempt=attempt))
    else:
        _ask(work, _next(work, booking, Step.VOID))


def settle(work: BookingWork, booking: Booking, *, refund: Money, release: Money) -> Booking:
    """End the escrow: `refund` to the payer, `release` to the provider less commission.

    Once for an attempt: a booking that a restored database decides a second time names the same settlement.
    """
    settlement_id = uuid5(booking.booking_id, f"settlement {booking.attempt}")
    saga = _next(work, booking, Step.SETTLE)
    _ask(
        work,
        replace(saga, settlement_id=settlement_id, refund_minor=refund.amount, release_minor=release.amount),
    )
    return work.put(replace(booking, settlement_id=settlement_id))


def answered(work: BookingWork, booking_id: UUID, step: Step, attempt: int, what: str) -> None:
    """A step's answer has come."""
    saga = work.find(Saga, booking_id)
    if saga is not None and saga.status is not Status.DONE and (saga.step, saga.attempt) == (step, attempt):
        work.put(replace(saga, status=Status.DONE, problem=None))
        _log(work, saga, what)


def wait_for_customer(work: BookingWork, booking_id: UUID, attempt: int, what: str) -> None:
    """The customer has to act: nobody asks again, the booking's deadline holds."""
    saga = work.find(Saga, booking_id)
    if saga is not None and saga.status is Status.WAITING and (saga.step, saga.attempt) == (Step.AUTHORIZE, attempt):
        work.put(replace(saga, status=Status.WAITING_FOR_CUSTOMER))
        _log(work, saga, what)


def chargeback_opened(work: BookingWork, booking_id: UUID) -> None:
    """Payments holds the escrow: a step that ends it waits, and nobody is called for that."""
    saga = work.find(Saga, booking_id)
    if saga is None:
        return
    saga = work.put(replace(saga, disputes=saga.disputes + 1))
    if saga.held and saga.status is Status.WAITING:
        _hold(work, saga)


def chargeback_closed(work: BookingWork, booking_id: UUID) -> None:
    """The bank has decided: the step that waited for it is without an answer from now on."""
    saga = work.find(Saga, booking_id)
    if saga is None:
        return
    saga = work.put(replace(saga, disputes=max(0, saga.disputes - 1)))
    if saga.status is Status.WAITING_FOR_CHARGEBACK and not saga.held:
        _ask_later(work, replace(saga, status=Status.WAITING, asked=1))
        _log(work, saga, "chargeback closed")


def park(work: BookingWork, saga: Saga, problem: str) -> None:
    """Park it for an operator; a mail and the alert on stuck sagas tell them."""
    work.put(replace(saga, status=Status.STUCK, problem=problem))
    booking = work.find(Booking, saga.booking_id)
    assert booking is not None, "a saga is loaded with its booking"
    work.say(booking, SagaStuck, step=saga.step, problem=problem)
    _log(work, saga, f"stuck: {problem}")


def ask_again(work: BookingWork, timer: AskAgain) -> None:
    """No answer yet: the same step once more, under a new message id; payments knows (booking, step, attempt)."""
    saga = work.find(Saga, timer.booking_id)
    if saga is None or saga.status is not Status.WAITING:
        return
    if (saga.step, saga.attempt, saga.asked) != (timer.step, timer.attempt, timer.asked):
        return
    if saga.step is not Step.AUTHORIZE and saga.asked >= MOST_ASKS:
        park(work, saga, f"{saga.step} had no answer after being asked {saga.asked} times")
    else:
        _ask(work, saga)


def retry(work: BookingWork, saga: Saga) -> None:
    """An operator has removed the cause: ask again, counting from one."""
    _ask(work, replace(saga, asked=0, status=Status.WAITING, problem=None))


def _next(work: BookingWork, booking: Booking, step: Step) -> Saga:
    before = work.find(Saga, booking.booking_id)
    saga = Saga(booking.booking_id, step, booking.attempt, Status.WAITING, asked=0, ask_again_at=work.now)
    return saga if before is None else replace(saga, disputes=before.disputes)


def _ask(work: BookingWork, saga: Saga) -> None:
    saga = replace(saga, asked=saga.asked + 1)
    booking = work.find(Booking, saga.booking_id)
    assert booking is not None, "a saga is loaded with its booking"
    work.send(_command(booking, saga, work.provider_of(booking).payout_account))
    _log(work, saga, "asked" if saga.asked == 1 else f"asked again ({saga.asked})")
    if saga.held:
        _hold(work, saga)
    else:
        _ask_later(work, saga)


def _ask_later(work: BookingWork, saga: Saga) -> None:
    wait = ASK_AGAIN * 2 ** min(saga.asked - 1, 6)
    saga = work.put(replace(saga, ask_again_at=work.now + wait))
    timer = AskAgain(booking_id=saga.booking_id, step=saga.step, attempt=saga.attempt, asked=saga.asked)
    work.remind(timer, key=str(saga.booking_id), due_at=saga.ask_again_at)


def _hold(work: BookingWork, saga: Saga) -> None:
    work.put(replace(saga, status=Status.WAITING_FOR_CHARGEBACK))
    _log(work, saga, "waits for a chargeback")


def _command(booking: Booking, saga: Saga, payout_account: str | None) -> MessageBody:
    """The command of a step."""
    of: dict[str, Any] = {
        "booking_id": booking.booking_id,
        "payment_id": booking.payment_id,
        "attempt": saga.attempt,
    }
    if saga.step is Step.CAPTURE:
        return CapturePayment(**of)
    if saga.step is Step.VOID:
        return VoidPayment(**of)
    currency = booking.price.currency
    if saga.step is Step.SETTLE:
        assert saga.settlement_id is not None, "a settle step has its settlement"
        return SettlePayment(
            **of,
            settlement_id=saga.settlement_id,
            refund=Money(amount=saga.refund_minor or 0, currency=currency),
            release=Money(amount=saga.release_minor or 0, currency=currency),
        )
    assert booking.payment is not None, "an attempt has a way to pay"
    assert booking.deadline is not None, "an attempt has a deadline"
    return AuthorizePayment(
        **of,
        amount=Price(amount=booking.price.amount, currency=currency),
        customer_id=booking.customer.id,
        payment=booking.payment,
        provider_id=booking.provider_id,
        payout_account=payout_account,
        commission_bps=booking.commission_bps,
        expires_at=booking.deadline,
    )


def _log(work: BookingWork, saga: Saga, what: str) -> None:
    work.record(SagaLogLine(saga.booking_id, work.now, saga.step, saga.attempt, what))


def voided(work: BookingWork, booking_id: UUID, attempt: int) -> bool:
    """Whether this attempt's void was asked for already."""
    saga = work.find(Saga, booking_id)
    return saga is not None and (saga.step, saga.attempt) == (Step.VOID, attempt)


def park_booking(work: BookingWork, booking_id: UUID, problem: str) -> None:
    """Nothing automatic helps: park the booking's saga."""
    saga = work.find(Saga, booking_id)
    if saga is not None:
        park(work, saga, problem)
