"""Refunds that somebody made in Stripe's dashboard: taken into the ledger, so that it and Stripe agree to the cent.

They reach the payer whatever we think of them. What is left is what a later settlement, refund or withdrawal of ours
can give; a person is alerted, because the booking may go on without its money.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

import structlog
from booking_contracts.payments import WalletWithdrawn
from booking_contracts.types import Money

from services.chassis.messages import Message
from services.payments.handlers import unclaimed_events, wallet_chargebacks
from services.payments.handlers.refunds import refund_stands
from services.payments.local_messages import MISSING, RELEASED, DashboardRefundSeen, RefundTold
from services.payments.model import ledger
from services.payments.model.dashboard_refund import Cover, DashboardRefund, cover
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment
from services.payments.model.reconciliation import Repair
from services.payments.model.refund import FAILED_STATUSES, Refund, RefundStatus
from services.payments.model.wallet import Asked, TopUp, TopUpStatus
from services.payments.work import PaymentsWork, Reconciliation

log = structlog.get_logger()


def dashboard_refund_seen(message: Message[DashboardRefundSeen], work: PaymentsWork) -> None:
    """How it stands. One that failed before it was taken in has moved no money, and the release of what was authorised
    and not captured moves none."""
    seen = message.body
    known = work.find(DashboardRefund, seen.stripe_refund)
    if seen.status in (MISSING, RELEASED) or (known is None and seen.status in FAILED_STATUSES):
        return
    if known is None and unclaimed_events.in_motion(work, seen.booking_id, seen.command_id):
        told = RefundTold.model_validate({**seen.model_dump(), "event_id": ""})
        unclaimed_events.until_it_ends(work, told, message.key)
        return
    if seen.booking_id is not None:
        _of_payment(work, seen, known)
    else:
        _of_top_up(work, seen, known)


def _of_payment(work: PaymentsWork, seen: DashboardRefundSeen, known: DashboardRefund | None) -> None:
    payment = work.find(Payment, seen.booking_id)
    if payment is None or (known is None and payment.payment_intent != seen.payment_intent):
        return  # of an earlier attempt, whose money was never posted
    work.continue_correlation(payment.correlation_id)
    if known is None:
        if not payment.captured_minor:
            return  # captured without us: the reconciler's report ends by it
        payment, known = _take_in(work, payment, seen)
    if known.failed:
        return
    refund = work.find(Refund, known.refund_id)
    assert refund is not None, "a dashboard refund of a payment is loaded with its refund"
    if seen.status in FAILED_STATUSES:
        work.put(replace(known, failed=True))
    refund_stands(work, payment, refund, seen.status, seen.failure, by_hand=True)


def _refunds(work: PaymentsWork, payment: Payment) -> list[Refund]:
    return [refund for refund in work.all(Refund) if refund.booking_id == payment.booking_id]


def _take_in(work: PaymentsWork, payment: Payment, seen: DashboardRefundSeen) -> tuple[Payment, DashboardRefund]:
    """Post it, and count what it took from the escrow as refunded, as a lost chargeback is."""
    failed = [refund for refund in _refunds(work, payment) if refund.status is RefundStatus.FAILED]
    taken = cover(seen.amount_minor, failed, payment.escrow_minor)
    currency = payment.agreed.amount.currency
    posting = ledger.refunded_at_stripe(payment.booking_id, currency, taken)
    work.post(Cause.REFUND_AT_STRIPE.of(seen.stripe_refund), posting)
    payment = work.put(
        replace(
            payment,
            refunded_minor=payment.refunded_minor + taken.escrow_minor,
            lost_minor=payment.lost_minor + taken.escrow_minor,
            by_hand_minor=payment.by_hand_minor + taken.escrow_minor,
            refunds=payment.refunds + (taken.instead_of is None),
        )
    )
    refund = work.put(_row(payment, seen, taken))
    if taken.less_of is not None:
        work.put(replace(taken.less_of, amount_minor=taken.less_of.amount_minor - seen.amount_minor))
    return payment, _noted(work, seen, currency, taken.lost_minor, refund)


def _row(payment: Payment, seen: DashboardRefundSeen, taken: Cover) -> Refund:
    """Its row among the booking's refunds: that of the failed refund it stands for, or one of its own."""
    ours = taken.instead_of or Refund(
        uuid5(payment.booking_id, seen.stripe_refund),
        payment.booking_id,
        payment.refunds,
        payment.attempt,
        payment.payment_intent,
        seen.amount_minor,
        tries=0,
    )
    return replace(
        ours,
        status=RefundStatus.PENDING,
        stripe_refund=seen.stripe_refund,
        amount_minor=seen.amount_minor,
        tries=ours.tries + 1,
        failure=None,
        parked=False,
    )


def _noted(
    work: PaymentsWork, seen: DashboardRefundSeen, currency: str, lost_minor: int, refund: Refund | None = None
) -> DashboardRefund:
    """Kept in the reconciler's record and logged as an error: a person has to look."""
    found = f"{seen.stripe_refund} of {seen.amount_minor} {currency} was made at Stripe, {lost_minor} of it is our loss"
    line = Reconciliation(work.now, seen.booking_id, seen.payment_intent, found, Repair.IMPORT, seen.customer_id)
    work.record(line)
    log.error("a refund was made at Stripe, not by us", lost_minor=lost_minor, **seen.model_dump(mode="json"))
    return work.put(
        DashboardRefund(
            seen.stripe_refund,
            seen.booking_id,
            refund.refund_id if refund else None,
            seen.customer_id,
            seen.command_id,
            seen.payment_intent,
            seen.amount_minor,
            currency,
            lost_minor,
        )
    )


def _of_top_up(work: PaymentsWork, seen: DashboardRefundSeen, known: DashboardRefund | None) -> None:
    """Out of the wallet as far as it reaches; what is left of the top-up is what a withdrawal can still send back."""
    assert seen.customer_id is not None, "a PaymentIntent of ours is a booking's or a top-up's"
    top_up = work.find(TopUp, seen.command_id)
    if top_up is None or top_up.status is not TopUpStatus.DONE:
        return
    if (asked := work.find(Asked, seen.command_id)) is not None:
        work.continue_correlation(asked.correlation_id)
    into, amount = ledger.available(seen.customer_id), seen.amount_minor
    if known is None:
        taken = min(work.balance(into, top_up.currency), amount)
        work.put(replace(top_up, refunded_minor=min(top_up.amount_minor, top_up.refunded_minor + amount)))
        posting = ledger.top_up_refunded_at_stripe(seen.customer_id, top_up.currency, amount, taken)
        work.post(Cause.REFUND_AT_STRIPE.of(seen.stripe_refund), posting)
        _noted(work, seen, top_up.currency, amount - taken)
        if taken:
            money = Money(amount=taken, currency=top_up.currency)
            work.announce(seen.customer_id, WalletWithdrawn, amount=money, payment_intent=seen.payment_intent)
    elif seen.status in FAILED_STATUSES and not known.failed:
        work.put(replace(known, failed=True))
        work.put(replace(top_up, refunded_minor=max(0, top_up.refunded_minor - amount)))
        back = amount - known.lost_minor
        posting = ledger.top_up_refunded_at_stripe(seen.customer_id, top_up.currency, -amount, -back)
        work.post(Cause.REFUND_AT_STRIPE_FAILED.of(seen.stripe_refund), posting)
        wallet_chargebacks.freeze_rest(work, seen.customer_id)
