"""What Stripe told by webhook or in its list of events: unordered, repeated, perhaps old (requirement webhooks).

An event is a reason to look, never a fact: what the payment row already shows is left alone, the rest is retrieved.
"""

from __future__ import annotations

from services.chassis.messages import Message
from services.payments.handlers import unclaimed_events
from services.payments.local_messages import IntentChanged
from services.payments.model.payment import Operation, Payment
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork


def intent_changed(message: Message[IntentChanged], work: PaymentsWork) -> None:
    """Look at the PaymentIntent, unless the row shows it already or a call is open: then look again in a while."""
    told = message.body
    payment = work.find(Payment, told.booking_id)
    if payment is None or payment.attempt != told.attempt or payment.shows(told.event_type):
        return
    if payment.payment_intent not in (None, told.payment_intent):
        return
    work.continue_correlation(payment.correlation_id)
    if payment.calling is not None:
        unclaimed_events.look_again(work, told, message.key)
    elif payment.payment_intent is not None:
        requests.about_intent(work, payment, Operation.RETRIEVE)
