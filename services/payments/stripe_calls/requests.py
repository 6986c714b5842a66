"""The calls to Stripe that handlers intend; each with its subject, of which one can be open, and its key.

Those that make something look first where that may have been made in a life that a restored database has forgotten:
an authorisation or a top-up where its command is read again; a refund or a transfer, which may come of anything, for
days; later tries, which a person may ask for at any time, always. To capture or cancel a second time changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.payments.local_messages import RefundTold
from services.payments.model import idempotency_keys
from services.payments.model.chargeback import Chargeback
from services.payments.model.payment import Operation, Payment
from services.payments.model.payout import Payout
from services.payments.model.refund import Refund
from services.payments.model.stripe_operations import StripeOperation
from services.payments.model.wallet import Part, TopUp
from services.payments.stripe_calls.parameters import (
    AuthorizeCall,
    DashboardRefundCall,
    DisputeCall,
    IntentCall,
    RefundCall,
    TopUpCall,
    TransferCall,
    WithdrawCall,
)
from services.payments.work import PaymentsWork


def authorize(
    work: PaymentsWork, payment: Payment, payment_method: str | None, *, look_first: bool, look_only: bool
) -> Payment:
    """Reserve the amount; the one place that starts a booking's PaymentIntent (requirement confirmation-record)."""
    amount = payment.agreed.amount
    parameters = AuthorizeCall(
        look_first=look_first,
        look_only=look_only,
        booking_id=payment.booking_id,
        attempt=payment.attempt,
        asked_at=work.now,
        payment_id=payment.payment_id,
        amount_minor=amount.amount,
        currency=amount.currency.lower(),
        payment_method=payment_method,
    )
    work.ask_stripe(
        Operation.AUTHORIZE,
        subject=str(payment.booking_id),
        key=payment.booking_id,
        parameters=parameters,
        once=idempotency_keys.of_intent(payment.booking_id, Operation.AUTHORIZE, payment.attempt),
    )
    return work.put(replace(payment, calling=Operation.AUTHORIZE))


def about_intent(work: PaymentsWork, payment: Payment, operation: Operation, *, by_reconciler: bool = False) -> Payment:
    """Capture, void or look; the payment waits for the result."""
    assert payment.payment_intent is not None, "there is a PaymentIntent to ask about"
    parameters = IntentCall(
        booking_id=payment.booking_id,
        attempt=payment.attempt,
        asked_at=work.now,
        payment_intent=payment.payment_intent,
        by_reconciler=by_reconciler,
    )
    work.ask_stripe(
        operation,
        subject=str(payment.booking_id),
        key=payment.booking_id,
        parameters=parameters,
        once=idempotency_keys.of_intent(payment.booking_id, operation, payment.attempt),
    )
    return work.put(replace(payment, calling=operation))


def cancel_leftover(work: PaymentsWork, booking_id: UUID, attempt: int, payment_intent: str) -> None:
    """Take a PaymentIntent that nobody wants out of the way; nothing waits for it, and twice does no harm."""
    parameters = IntentCall(booking_id=booking_id, attempt=attempt, asked_at=work.now, payment_intent=payment_intent)
    work.ask_stripe(
        StripeOperation.LEFTOVER,
        subject=f"leftover:{payment_intent}:{work.new_id()}",
        key=booking_id,
        parameters=parameters,
        once=idempotency_keys.of_leftover(booking_id, attempt, payment_intent),
    )


def about_refund(work: PaymentsWork, payment: Payment, refund: Refund, *, look: bool = False) -> Refund:
    """Refund, or look at a refund that was made."""
    assert refund.payment_intent is not None, "a refund to a wallet needs no call"
    parameters = RefundCall(
        look_first=work.was_set_back or refund.tries > 1,
        booking_id=refund.booking_id,
        attempt=refund.attempt,
        asked_at=work.now,
        payment_id=payment.payment_id,
        refund_id=refund.refund_id,
        payment_intent=refund.payment_intent,
        amount_minor=refund.amount_minor,
        tries=refund.tries,
        stripe_refund=refund.stripe_refund,
    )
    work.ask_stripe(
        StripeOperation.RETRIEVE_REFUND if look else StripeOperation.REFUND,
        subject=f"refund:{refund.refund_id}",
        key=refund.booking_id,
        parameters=parameters,
        once=refund.idempotency_key,
    )
    return work.put(replace(refund, calling=True))


def about_dashboard_refund(work: PaymentsWork, told: RefundTold) -> None:
    """Look at a refund that was made at Stripe; twice does no harm."""
    parameters = DashboardRefundCall(
        asked_at=work.now,
        stripe_refund=told.stripe_refund,
        booking_id=told.booking_id,
        customer_id=told.customer_id,
        command_id=told.command_id,
        looked=told.looked,
    )
    work.ask_stripe(
        StripeOperation.DASHBOARD_REFUND,
        subject=f"dashboard refund:{told.stripe_refund}:{work.new_id()}",
        key=told.booking_id or told.customer_id,
        parameters=parameters,
        once=told.stripe_refund,
    )


def transfer(work: PaymentsWork, payout: Payout) -> Payout:
    """Send a provider's earnings to the connected account."""
    assert payout.account is not None, "what has no account waits for one"
    parameters = TransferCall(
        look_first=work.was_set_back or payout.tries > 1,
        booking_id=payout.booking_id,
        attempt=payout.attempt,
        asked_at=work.now,
        payout_id=payout.payout_id,
        tries=payout.tries,
        amount_minor=payout.amount_minor,
        currency=payout.currency.lower(),
        destination=payout.account,
        source_charge=payout.source_charge,
    )
    work.ask_stripe(
        StripeOperation.TRANSFER,
        subject=f"payout:{payout.payout_id}",
        key=payout.booking_id,
        parameters=parameters,
        once=payout.idempotency_key,
    )
    return work.put(payout)


def about_dispute(work: PaymentsWork, chargeback: Chargeback, looked: int = 0) -> None:
    """Look at a dispute."""
    parameters = DisputeCall(
        asked_at=work.now,
        dispute_id=chargeback.dispute_id,
        booking_id=chargeback.booking_id,
        customer_id=chargeback.customer_id,
        command_id=chargeback.top_up_id,
        looked=looked,
    )
    work.ask_stripe(
        StripeOperation.DISPUTE,
        subject=f"dispute:{chargeback.dispute_id}",
        key=chargeback.booking_id or chargeback.customer_id or chargeback.dispute_id,
        parameters=parameters,
        once=chargeback.dispute_id,
    )


def charge_for_wallet(work: PaymentsWork, top_up: TopUp, payment_method: str, *, look_first: bool) -> None:
    """Charge a card for a wallet."""
    parameters = TopUpCall(
        look_first=look_first,
        asked_at=work.now,
        command_id=top_up.command_id,
        customer_id=top_up.customer_id,
        amount_minor=top_up.amount_minor,
        currency=top_up.currency.lower(),
        payment_method=payment_method,
    )
    once = idempotency_keys.of_top_up(top_up.command_id)
    subject = f"wallet:{top_up.command_id}"
    work.ask_stripe(StripeOperation.TOP_UP, subject=subject, key=top_up.customer_id, parameters=parameters, once=once)


def refund_from_wallet(work: PaymentsWork, part: Part, payment_intent: str, *, look: bool = False) -> None:
    """Refund a part of a top-up, or look at the refund that was made; a look twice does no harm."""
    parameters = WithdrawCall(
        look_first=work.was_set_back,
        asked_at=work.now,
        command_id=part.command_id,
        customer_id=part.customer_id,
        part_id=part.part_id,
        payment_intent=payment_intent,
        amount_minor=part.amount_minor,
        stripe_refund=part.stripe_refund,
    )
    subject = f"part:{part.part_id}:{work.new_id()}" if look else f"wallet:{part.command_id}"
    operation = StripeOperation.RETRIEVE_PART if look else StripeOperation.WITHDRAW
    once = part.idempotency_key
    work.ask_stripe(operation, subject=subject, key=part.customer_id, parameters=parameters, once=once)
