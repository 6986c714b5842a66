"""Writes providers, offerings, schedules and slots, one statement per table."""

from __future__ import annotations

from collections.abc import Sequence

from services.booking import rows
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.schedule import Schedule
from services.booking.model.slots import Slot
from services.chassis.database import Connection, columns


async def save_providers(connection: Connection, providers: Sequence[Provider]) -> None:
    if providers:
        await connection.execute(
            """
            INSERT INTO provider AS p (provider_id, name, email, timezone, payout_account, policy, tiers,
                                       policy_version, sequence)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                                 $8::int[], $9::bigint[])
            ON CONFLICT (provider_id) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email,
                timezone = EXCLUDED.timezone, payout_account = EXCLUDED.payout_account, policy = EXCLUDED.policy,
                tiers = EXCLUDED.tiers, policy_version = EXCLUDED.policy_version, sequence = EXCLUDED.sequence
            """,
            *columns(
                (
                    row.provider_id,
                    row.name,
                    row.email,
                    row.timezone,
                    row.payout_account,
                    row.policy,
                    rows.tiers_json(row.tiers),
                    row.policy_version,
                    row.sequence,
                )
                for row in providers
            ),
        )


async def save_offerings(connection: Connection, offerings: Sequence[Offering]) -> None:
    if offerings:
        await connection.execute(
            """
            INSERT INTO offering (offering_id, provider_id, definition)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[])
            ON CONFLICT (offering_id) DO UPDATE SET definition = EXCLUDED.definition
            """,
            *columns((row.offering_id, row.provider_id, rows.definition_json(row)) for row in offerings),
        )


async def save_schedules(connection: Connection, schedules: Sequence[Schedule]) -> None:
    if schedules:
        await connection.execute(
            """
            INSERT INTO schedule (provider_id, weekly, dated, closed)
            SELECT * FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::jsonb[])
            ON CONFLICT (provider_id) DO UPDATE
                SET weekly = EXCLUDED.weekly, dated = EXCLUDED.dated, closed = EXCLUDED.closed
            """,
            *columns((row.provider_id, *rows.schedule_json(row)) for row in schedules),
        )


async def save_slots(connection: Connection, slots: Sequence[Slot]) -> None:
    """Capacity, opened and closed; how many seats are taken is the trigger's business."""
    if slots:
        await connection.execute(
            """
            INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, opened, closed)
            SELECT slot_id, offering_id, provider_id, starts_at, ends_at, tstzrange(busy_from, busy_until), capacity,
                   opened, closed
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                        $7::timestamptz[], $8::int[], $9::bool[], $10::bool[])
                 AS t (slot_id, offering_id, provider_id, starts_at, ends_at, busy_from, busy_until, capacity, opened,
                       closed)
            ORDER BY slot_id
            ON CONFLICT (slot_id) DO UPDATE SET capacity = EXCLUDED.capacity, opened = EXCLUDED.opened,
                closed = EXCLUDED.closed
            """,
            *columns(
                (
                    row.slot_id,
                    row.offering_id,
                    row.provider_id,
                    row.starts_at,
                    row.ends_at,
                    row.busy_from,
                    row.busy_until,
                    row.capacity,
                    row.opened,
                    row.closed,
                )
                for row in slots
            ),
        )
