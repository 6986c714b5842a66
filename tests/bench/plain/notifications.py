"""`python -m tests.bench.plain.notifications`: mails to send, which nobody sends."""

from __future__ import annotations

from typing import Any

from faststream.kafka.annotations import KafkaMessage

from tests.bench.plain import messages
from tests.bench.plain.messages import BookingConfirmed
from tests.bench.plain.service import Service, of

service = Service("notifications")
events = service.listen(messages.BOOKING_EVENTS)


@events(filter=of(BookingConfirmed))
async def confirmed(event: BookingConfirmed, message: KafkaMessage) -> None:
    """A letter to the customer, one to the provider."""
    text = f"The booking {event.booking_id} at {event.starts_at} is confirmed."
    async with service.handling(message) as transaction:
        await transaction.executemany(
            "INSERT INTO mail (booking_id, recipient, subject, body) VALUES ($1, $2, 'Booking confirmed', $3)",
            [(event.booking_id, recipient, text) for recipient in (event.customer_email, event.provider_email)],
        )


@events
async def ignored(_event: Any) -> None:
    """Nobody is told of the rest."""


if __name__ == "__main__":
    service.run()
