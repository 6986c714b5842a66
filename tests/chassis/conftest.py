"""An engine on an empty booking database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.chassis.harness import Engine, SetClock

TABLES = (
    "consumed_position, inbox, command_receipt, outbox, local_message, dead_letter, blocked_key, gateway_call, "
    "schedule, cancellation_quote, slot_closing, waitlist_contact, waitlist_entry, "
    "booking_contact, saga, saga_log, booking_history, booking, slot, offering, provider"
)


@pytest.fixture
async def engine(databases: dict[str, str]) -> AsyncIterator[Engine]:
    """One replica, as the service's own role, on tables emptied by the superuser."""
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    await admin.execute(f"SET session_replication_role = replica; TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    await admin.close()
    engine = Engine(databases["BOOKING_DATABASE_URL"], SetClock())
    yield engine
    await engine.close()
