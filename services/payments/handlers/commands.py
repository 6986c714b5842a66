"""What booking asks for: reserve, take, give back, settle. Each is idempotent on (booking, operation, attempt or
settlement): asked again it says its last outcome again and does nothing else (engine.md, Gateway calls)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from booking_contracts.payments import (
    AuthorizePayment,
    CaptureFailed,
    CapturePayment,
    PaymentActionRequired,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentSettled,
    PaymentVoided,
    SettlePayment,
    VoidPayment,
)
from booking_contracts.types import Money

from services.chassis.messages import Message
from services.payments.handlers import wallet_payments
from services.payments.handlers.accounts import pay_what_waited
from services.payments.handlers.next_step import advance, decline, reserve_in_wallet, say_declined
from services.payments.handlers.settling import say_settled, want_all_back
from services.payments.local_messages import AuthorizeLater, SettleLater
from services.payments.model.declines import ALREADY_PAID, EXPIRED, not_chargeable
from services.payments.model.payment import Payment, Status, Terms
from services.payments.model.settlement import Settlement
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork

RECHECK_AFTER = timedelta(seconds=1)
READ_AGAIN_WITHIN = timedelta(hours=1)
"""Other partitions, and Stripe's answers, which all come at once the second time, are waited for so long."""


def authorize_payment(message: Message[AuthorizePayment], work: PaymentsWork) -> None:
    """Reserve the amount; nothing is taken (requirement payment-capture-timing)."""
    _authorize(message.body, work, work.now + READ_AGAIN_WITHIN if message.raw.again else None)


def authorize_later(message: Message[AuthorizeLater], work: PaymentsWork) -> None:
    """The attempt before it may have ended by now."""
    _authorize(message.body.command, work, message.body.again_until)


def _authorize(command: AuthorizePayment, work: PaymentsWork, again_until: datetime | None) -> None:
    payment = work.payment_of(command)
    if command.attempt == payment.attempt and again_until is not None and _waits_for_wallet(payment):
        _pay_by_wallet(command, work, payment, again_until)
    elif command.attempt < payment.attempt or command.attempt <= payment.voided_through:
        _answer_unwanted(command, work, payment)
    elif command.attempt == payment.attempt:
        _say_again(work, payment)
    elif payment.live:
        advance(work, work.put(replace(payment, voided_through=payment.attempt, owes_void=True)))
        _try_later(command, work, again_until)
    elif payment.calling is not None:
        # The reconciler looks at the attempt before it: one call of a payment is open.
        _try_later(command, work, again_until)
    elif payment.captured_minor:
        say_declined(work, payment, ALREADY_PAID, command.attempt)
    else:
        _begin(command, work, payment, again_until)


def _waits_for_wallet(payment: Payment) -> bool:
    return payment.by_wallet and payment.status is Status.PENDING


def _try_later(command: AuthorizePayment, work: PaymentsWork, again_until: datetime | None) -> None:
    later = AuthorizeLater(booking_id=command.booking_id, command=command, again_until=again_until)
    work.remind(later, key=str(command.booking_id), due_at=work.now + RECHECK_AFTER)


def _answer_unwanted(command: AuthorizePayment, work: PaymentsWork, payment: Payment) -> None:
    """Voided before it came, or overtaken by a newer attempt: never charge."""
    if payment.attempt == command.attempt and payment.live:
        return  # being voided; PaymentVoided follows
    work.say(payment, PaymentVoided, attempt=command.attempt)


def _begin(command: AuthorizePayment, work: PaymentsWork, payment: Payment, again_until: datetime | None) -> None:
    """Nothing is begun when the time to pay is over. But a life that a restored database has forgotten may have begun
    it in time, ours or booking's, which then asks anew: Stripe is asked what it has of it. A wallet's part in it was
    here alone: where it is read again (`again_until`) it is done anew, when the money that the wallet had is there."""
    terms = Terms(
        command.payment.method,
        command.amount,
        command.customer_id,
        command.provider_id,
        command.payout_account,
        command.commission_bps,
    )
    correlation_id = payment.correlation_id if work.message is None else work.message.correlation_id
    payment = payment.next_attempt(command.attempt, terms, correlation_id)
    pay_what_waited(work, command.provider_id, command.payout_account)
    if payment.by_wallet:
        _pay_by_wallet(command, work, payment, again_until)
    elif (declined := not_chargeable(command.amount)) is not None:
        decline(work, payment, declined)
    else:
        look_first, look_only = again_until is not None, work.now >= command.expires_at
        requests.authorize(work, payment, command.payment.payment_method, look_first=look_first, look_only=look_only)


def _pay_by_wallet(
    command: AuthorizePayment, work: PaymentsWork, payment: Payment, again_until: datetime | None
) -> None:
    if again_until is None and work.now >= command.expires_at:
        decline(work, payment, EXPIRED)
    elif again_until is not None and work.now < again_until and not wallet_payments.has(work, payment.agreed):
        work.put(payment)  # pending, so that what is wanted of it waits on it
        _try_later(command, work, again_until)
    else:
        advance(work, reserve_in_wallet(work, payment))


def _say_again(work: PaymentsWork, payment: Payment) -> None:
    """The last outcome of this attempt's authorisation; none yet while its call is open."""
    if payment.status in (Status.AUTHORIZED, Status.CAPTURED, Status.SETTLED):
        work.say(payment, PaymentAuthorized, amount=payment.money(payment.authorized_minor))
    elif payment.status is Status.REQUIRES_ACTION:
        work.say(payment, PaymentActionRequired, kind=payment.action)
    elif payment.status is Status.DECLINED and payment.decline is not None:
        say_declined(work, payment, payment.decline)
    elif payment.status is Status.VOIDED:
        work.say(payment, PaymentVoided)


def capture_payment(message: Message[CapturePayment], work: PaymentsWork) -> None:
    """Take what is reserved into escrow."""
    command = message.body
    payment = work.payment_of(command)
    if command.attempt != payment.attempt:
        work.say(payment, CaptureFailed, attempt=command.attempt, code="not_authorized")
    elif payment.captured_minor:
        work.say(payment, PaymentCaptured, amount=payment.money(payment.captured_minor))
    elif payment.live:
        advance(work, work.put(replace(payment, capture_asked=True)))
    else:
        work.say(payment, CaptureFailed, code=payment.status)


def void_payment(message: Message[VoidPayment], work: PaymentsWork) -> None:
    """Give back what an attempt holds. Always answered PaymentVoided: nothing of that attempt is held any more.

    What turns out to be captured is refunded in full: the booking that asks for a void has ended.
    """
    command = message.body
    payment = work.payment_of(command)
    payment = replace(payment, voided_through=max(payment.voided_through, command.attempt))
    if command.attempt == payment.attempt and payment.live:
        advance(work, work.put(replace(payment, owes_void=True)))
    elif command.attempt == payment.attempt and payment.escrow_minor and payment.settling is None:
        advance(work, want_all_back(work, payment))
    else:
        work.say(payment, PaymentVoided, attempt=command.attempt)


def settle_payment(message: Message[SettlePayment], work: PaymentsWork) -> None:
    """End the escrow: before the capture with nothing to release it is a void, else captured first."""
    _settle(message.body, work)


def settle_later(message: Message[SettleLater], work: PaymentsWork) -> None:
    """The settlement before it may be done by now."""
    _settle(message.body.command, work)


def _settle(command: SettlePayment, work: PaymentsWork) -> None:
    payment = work.payment_of(command)
    known = work.find(Settlement, command.settlement_id)
    if payment.terms is None:
        nothing = Money(amount=0, currency=command.refund.currency)
        amounts = dict.fromkeys(("refund", "release", "commission", "provider_amount"), nothing)
        work.say(payment, PaymentSettled, settlement_id=command.settlement_id, via="void", **amounts)
    elif known is not None:
        if known.via is not None:
            say_settled(work, payment, known)
        else:
            advance(work, payment)
    elif payment.settling is not None:
        later = SettleLater(booking_id=command.booking_id, command=command)
        work.remind(later, key=str(command.booking_id), due_at=work.now + RECHECK_AFTER)
    else:
        settlement = Settlement(
            command.settlement_id, command.booking_id, command.refund.amount, command.release.amount
        )
        work.put(settlement)
        advance(work, work.put(replace(payment, settling=settlement.settlement_id)))
