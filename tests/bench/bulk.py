"""A booking database that has been in use for years: rows by the million, inserted by SQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from tests.chassis.scenes import Scene

PER_SLOT, SLOTS = 10, 100
"""Bookings on a slot, slots of an offering."""

SLOT_ROWS = """
    INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, taken, active, opened,
                      closed)
    SELECT gen_random_uuid(), o.offering_id, o.provider_id, s.at, s.at + interval '1 hour',
           tstzrange(s.at, s.at + interval '1 hour'), 20, $2, true, true, false
    FROM bulk_offering o,
         LATERAL (SELECT $1::timestamptz + interval '2 hours' * n AS at FROM generate_series(1, $3::int) n) s
"""
BOOKING_ROWS = """
    INSERT INTO booking (booking_id, state, offering_id, provider_id, slot_id, starts_at, ends_at, seats, customer_id,
                         price_minor, currency, commission_bps, approval, terms, payment_id, created_at, attempt,
                         payment_status, refund_cap_percent, full_refund, sequence, history_number)
    SELECT gen_random_uuid(), 'CONFIRMED', s.offering_id, s.provider_id, s.slot_id, s.starts_at, s.ends_at, 1,
           'old-' || (random() * 200000)::int, 4500, 'EUR', 0, false, '{}', gen_random_uuid(), now(), 1, 'captured',
           100, false, 2, 2
    FROM slot s JOIN bulk_offering o USING (offering_id), generate_series(1, $1::int)
"""
OFFERINGS = """
    CREATE TEMP TABLE bulk_offering AS
    SELECT gen_random_uuid() AS offering_id, gen_random_uuid() AS provider_id FROM generate_series(1, {}) n
"""
PROVIDER_ROWS = """
    INSERT INTO provider SELECT (jsonb_populate_record(p, jsonb_build_object('provider_id', b.provider_id))).*
    FROM provider p, bulk_offering b WHERE p.provider_id = $1
"""
OFFERING_ROWS = """
    INSERT INTO offering
    SELECT (jsonb_populate_record(o, jsonb_build_object('provider_id', b.provider_id,
                                                        'offering_id', b.offering_id))).*
    FROM offering o, bulk_offering b WHERE o.offering_id = $1
"""


async def fill(admin_url: str, model: Scene, bookings: int, after: datetime) -> list[UUID]:
    """So many confirmed bookings with offerings like the model's; returns the offerings. Triggers and keys rest."""
    connection = await asyncpg.connect(admin_url.rsplit("/", 1)[0] + "/booking", command_timeout=600)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(OFFERINGS.format(bookings // (PER_SLOT * SLOTS)))
        await connection.execute(PROVIDER_ROWS, model.provider_id)
        await connection.execute(OFFERING_ROWS, model.offering_id)
        await connection.execute(SLOT_ROWS, after, PER_SLOT, SLOTS)
        await connection.execute(BOOKING_ROWS, PER_SLOT)
        made = await connection.fetch("SELECT offering_id FROM bulk_offering")
        for table in ("provider", "offering", "slot", "booking"):
            await connection.execute(f"VACUUM ANALYZE {table}")
        return [row["offering_id"] for row in made]
    finally:
        await connection.close()
