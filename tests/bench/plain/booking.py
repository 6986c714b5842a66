"""`python -m tests.bench.plain.booking`: seats and states."""

from __future__ import annotations

from faststream.kafka.annotations import KafkaMessage

from tests.bench.plain import messages
from tests.bench.plain.messages import (
    AuthorizePayment,
    BookingConfirmed,
    BookingFailed,
    BookingPlaced,
    CapturePayment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PlaceBooking,
)
from tests.bench.plain.service import Service, of, say

service = Service("booking")
commands = service.listen(messages.BOOKING_COMMANDS)
payments = service.listen(messages.PAYMENTS_EVENTS)


@commands
async def place(command: PlaceBooking, message: KafkaMessage) -> None:
    """Hold a seat and ask for the money."""
    async with service.handling(message) as transaction:
        slot = await transaction.fetchrow(
            "SELECT price_minor, currency, capacity - taken AS free FROM slot WHERE slot_id = $1 FOR UPDATE",
            command.slot_id,
        )
        if slot is None or slot["free"] < 1:
            await say(transaction, BookingFailed(booking_id=command.booking_id, reason="SLOT_FULL"))
            return
        await transaction.execute("UPDATE slot SET taken = taken + 1 WHERE slot_id = $1", command.slot_id)
        await transaction.execute(
            "INSERT INTO booking (booking_id, slot_id, customer_id, customer_email, state, payment_status)"
            " VALUES ($1, $2, $3, $4, 'PENDING_PAYMENT', 'pending')",
            command.booking_id,
            command.slot_id,
            command.customer_id,
            command.customer_email,
        )
        placed = BookingPlaced(booking_id=command.booking_id, slot_id=command.slot_id, customer_id=command.customer_id)
        await say(transaction, placed)
        asked = AuthorizePayment(
            booking_id=command.booking_id,
            customer_id=command.customer_id,
            amount_minor=slot["price_minor"],
            currency=slot["currency"],
            method=command.method,
            payment_method=command.payment_method,
        )
        await say(transaction, asked)


@payments(filter=of(PaymentAuthorized))
async def authorized(event: PaymentAuthorized, message: KafkaMessage) -> None:
    """Confirm, and ask to capture."""
    async with service.handling(message) as transaction:
        row = await transaction.fetchrow(
            "UPDATE booking SET state = 'CONFIRMED', payment_status = 'authorized' FROM slot"
            " WHERE booking_id = $1 AND state = 'PENDING_PAYMENT' AND slot.slot_id = booking.slot_id"
            " RETURNING booking_id, booking.slot_id, starts_at, customer_id, customer_email, provider_email",
            event.booking_id,
        )
        if row is not None:
            await say(transaction, BookingConfirmed.model_validate(dict(row)))
            await say(transaction, CapturePayment(booking_id=event.booking_id))


@payments(filter=of(PaymentDeclined))
async def declined(event: PaymentDeclined, message: KafkaMessage) -> None:
    """Give the seat back."""
    async with service.handling(message) as transaction:
        slot_id = await transaction.fetchval(
            "UPDATE booking SET state = 'PAYMENT_FAILED', payment_status = 'declined'"
            " WHERE booking_id = $1 AND state = 'PENDING_PAYMENT' RETURNING slot_id",
            event.booking_id,
        )
        if slot_id is not None:
            await transaction.execute("UPDATE slot SET taken = taken - 1 WHERE slot_id = $1", slot_id)
            await say(transaction, BookingFailed(booking_id=event.booking_id, reason=event.code))


@payments(filter=of(PaymentCaptured))
async def captured(event: PaymentCaptured, message: KafkaMessage) -> None:
    """The money is there."""
    async with service.handling(message) as transaction:
        await transaction.execute(
            "UPDATE booking SET payment_status = 'captured' WHERE booking_id = $1", event.booking_id
        )


if __name__ == "__main__":
    service.run()
