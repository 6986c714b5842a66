"""What payments' handlers work with: payments, events and postings, in the batch's unit of work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from booking_contracts.payments import PaymentCommand, PaymentEvent

from services.chassis.unit_of_work import UnitOfWork
from services.payments.calls import AuthorizeCall, IntentCall, RefundCall
from services.payments.model.ledger import Entry, LedgerTransaction
from services.payments.model.payment import Operation, Payment
from services.payments.model.refund import Refund


class PaymentsWork(UnitOfWork):
    """The rows of a batch, and payments' words for changing them."""

    def payment_of(self, command: PaymentCommand) -> Payment:
        """The payment that a command is about; a new one where the booking is not known yet."""
        found = self.find(Payment, command.booking_id)
        if found is not None:
            return found
        correlation = self.message.correlation_id if self.message else str(command.booking_id)
        return Payment(command.booking_id, command.payment_id, correlation)

    def go_on(self, correlation_id: str) -> None:
        """What follows from a message of Stripe's belongs to the command that began it all."""
        assert self.message is not None
        self.message = replace(self.message, correlation_id=correlation_id)

    def say(self, payment: Payment, event: type[PaymentEvent], **fields: Any) -> Payment:
        """Tell the world, under the next number of the booking's stream."""
        payment = self.put(replace(payment, sequence=payment.sequence + 1))
        about = {
            "booking_id": payment.booking_id,
            "payment_id": payment.payment_id,
            "attempt": payment.attempt,
            "payment_intent": payment.payment_intent,
        }
        self.send(event(**{**about, **fields}), sequence=payment.sequence)
        return payment

    def post(self, cause: str, entries: tuple[Entry, ...]) -> None:
        """Write a ledger transaction; one without lines is none."""
        if entries:
            causation = self.message.id if self.message else None
            self.record(LedgerTransaction(self.new_id(), cause, self.now, causation, entries))

    def authorize(self, payment: Payment, payment_method: str | None) -> Payment:
        """Intend the call that reserves the amount."""
        amount = payment.agreed.amount
        parameters = AuthorizeCall(
            booking_id=payment.booking_id,
            attempt=payment.attempt,
            asked_at=self.now,
            payment_id=payment.payment_id,
            amount_minor=amount.amount,
            currency=amount.currency.lower(),
            payment_method=payment_method,
        )
        self._call(Operation.AUTHORIZE, payment, parameters, str(payment.booking_id))
        return self.put(replace(payment, calling=Operation.AUTHORIZE))

    def ask(self, payment: Payment, operation: Operation) -> Payment:
        """Intend a capture, a cancellation or a look; the payment waits for its result."""
        self._call(operation, payment, self._about_intent(payment), str(payment.booking_id))
        return self.put(replace(payment, calling=operation))

    def cancel_leftover(self, payment: Payment) -> None:
        """Take the PaymentIntent of a failed attempt out of the way; nothing waits for it."""
        subject = f"leftover:{payment.booking_id}:{payment.attempt}"
        self._call("leftover", payment, self._about_intent(payment), subject)

    def _about_intent(self, payment: Payment) -> IntentCall:
        assert payment.payment_intent is not None, "there is a PaymentIntent to ask about"
        return IntentCall(
            booking_id=payment.booking_id,
            attempt=payment.attempt,
            asked_at=self.now,
            payment_intent=payment.payment_intent,
        )

    def _call(self, operation: str, payment: Payment, parameters: AuthorizeCall | IntentCall, subject: str) -> None:
        self.call(
            operation,
            subject=subject,
            key=str(payment.booking_id),
            parameters=parameters,
            idempotency_key=f"{payment.booking_id}:{operation}:{payment.attempt}",
        )

    def call_about_refund(self, payment: Payment, refund: Refund, operation: str) -> Refund:
        """Intend the refund itself, or a look at it."""
        parameters = RefundCall(
            booking_id=refund.booking_id,
            attempt=refund.attempt,
            asked_at=self.now,
            payment_id=payment.payment_id,
            refund_id=refund.refund_id,
            payment_intent=refund.payment_intent,
            amount_minor=refund.amount_minor,
            stripe_refund=refund.stripe_refund,
        )
        self.call(
            operation,
            subject=f"refund:{refund.refund_id}",
            key=str(refund.booking_id),
            parameters=parameters,
            idempotency_key=refund.idempotency_key,
        )
        return self.put(replace(refund, calling=True))
