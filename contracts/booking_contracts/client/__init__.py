"""A client for services in Python: publishes commands, waits for replies and outcomes (booking_contracts.client.errors
says what can go wrong, booking_contracts.client.security how it reaches Kafka)."""

from booking_contracts.client.booking_client import BookingClient, BookingReply

__all__ = ["BookingClient", "BookingReply"]
