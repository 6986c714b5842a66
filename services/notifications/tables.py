"""Columns of notifications' tables, from which what reads them and what writes them follows (chassis/tables.py)."""

from __future__ import annotations

from typing import NamedTuple

from services.chassis.tables import Table
from services.notifications.mail import EventText
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking, KnownProvider


class Told(NamedTuple):
    """What a booking's latest event said."""

    known: KnownBooking
    text: EventText


KNOWN = Table[Told](
    "known_booking",
    "booking_id uuid, sequence bigint, state text, event_type text, body jsonb",
    {
        "booking_id": "known.booking_id",
        "sequence": "known.sequence",
        "state": "known.state",
        "event_type": "text.type",
        "body": "text.body",
    },
)
SAVE_KNOWN = KNOWN.upsert("sequence", "state", "event_type", "body", where="known_booking.sequence < EXCLUDED.sequence")
"""A later event is never overwritten by an earlier one."""

PROVIDER = Table[KnownProvider](
    "known_provider", "provider_id uuid, sequence bigint, name text, email text, timezone text"
)
SAVE_PROVIDERS = PROVIDER.upsert(
    *("sequence", "name", "email", "timezone"), where="known_provider.sequence < EXCLUDED.sequence"
)

DELIVERY = Table[Delivery](
    "delivery",
    "delivery_id uuid, booking_id uuid, event_id uuid, recipient text, channel text, kind text, audience text, "
    "state text, created_at timestamptz, settled_at timestamptz, reason text, mail text",
)
INSERT_DELIVERIES = DELIVERY.insert(ordered=True)
"""In the order they were written; a second one for an occasion, recipient and channel violates the key."""
UPDATE_DELIVERIES = DELIVERY.update("state", "settled_at", "reason", "mail")
STREAM = Table[Stream]("delivery_stream", "booking_id uuid, sequence bigint")
SAVE_STREAMS = STREAM.update("sequence")
