"""`python -m tests.bench.plain.payments`: cards by Stripe's SDK, wallets by a row each.

Stripe is called before the transaction, under an idempotency key: a message that comes again repeats the call.
"""

from __future__ import annotations

import os
from uuid import UUID

import stripe
from faststream.kafka.annotations import KafkaMessage

from tests.bench.plain import messages
from tests.bench.plain.messages import (
    AuthorizePayment,
    CapturePayment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
)
from tests.bench.plain.service import Service, Transaction, of, say

service = Service("payments")
commands = service.listen(messages.PAYMENTS_COMMANDS)
client = stripe.StripeClient(
    "sk_test_plain",
    base_addresses={"api": os.environ.get("STRIPE_API_BASE", "https://api.stripe.com")},
    http_client=stripe.AIOHTTPClient(),
    max_network_retries=2,
)
stripe.enable_telemetry = False


@commands(filter=of(AuthorizePayment))
async def authorize(command: AuthorizePayment, message: KafkaMessage) -> None:
    """Reserve the amount."""
    intent: str | None = None
    refusal: str | None = None
    if command.method == "card":
        try:
            intent = await _authorize_at_stripe(command)
        except stripe.CardError as error:
            refusal = error.code or "card_declined"
    async with service.handling(message) as transaction:
        if command.method == "wallet" and not await _taken_from_wallet(transaction, command):
            refusal = "insufficient_funds"
        await transaction.execute(
            "INSERT INTO payment (booking_id, method, amount_minor, currency, customer_id, payment_intent, status)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            command.booking_id,
            command.method,
            command.amount_minor,
            command.currency,
            command.customer_id,
            intent,
            "declined" if refusal else "authorized",
        )
        if refusal:
            await say(transaction, PaymentDeclined(booking_id=command.booking_id, code=refusal))
        else:
            told = PaymentAuthorized(booking_id=command.booking_id, amount_minor=command.amount_minor)
            await say(transaction, told)


@commands(filter=of(CapturePayment))
async def capture(command: CapturePayment, message: KafkaMessage) -> None:
    """Take the amount."""
    intent = await service.pool.fetchval("SELECT payment_intent FROM payment WHERE booking_id = $1", command.booking_id)
    if intent is not None:
        await _capture_at_stripe(command.booking_id, intent)
    async with service.handling(message) as transaction:
        amount = await transaction.fetchval(
            "UPDATE payment SET status = 'captured' WHERE booking_id = $1 AND status = 'authorized'"
            " RETURNING amount_minor",
            command.booking_id,
        )
        if amount is not None:
            await say(transaction, PaymentCaptured(booking_id=command.booking_id, amount_minor=amount))


async def _taken_from_wallet(transaction: Transaction, command: AuthorizePayment) -> bool:
    return bool(
        await transaction.fetchval(
            "UPDATE wallet SET balance_minor = balance_minor - $2"
            " WHERE customer_id = $1 AND balance_minor >= $2 RETURNING true",
            command.customer_id,
            command.amount_minor,
        )
    )


async def _authorize_at_stripe(command: AuthorizePayment) -> str:
    assert command.payment_method is not None, "a card booking names its payment method"
    intent = await client.v1.payment_intents.create_async(
        {
            "amount": command.amount_minor,
            "currency": command.currency,
            "capture_method": "manual",
            "payment_method": command.payment_method,
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "metadata": {"booking_id": str(command.booking_id)},
        },
        {"idempotency_key": f"{command.booking_id}:authorize"},
    )
    return intent.id


async def _capture_at_stripe(booking_id: UUID, intent: str) -> None:
    await client.v1.payment_intents.capture_async(intent, {}, {"idempotency_key": f"{booking_id}:capture"})


if __name__ == "__main__":
    service.run()
