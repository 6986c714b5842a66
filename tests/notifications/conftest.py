"""The engine on an empty notifications database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.chassis.harness import Engine, SetClock
from tests.notifications.builders import NOW
from tests.notifications.post import SERVICE
from tests.notifications.stage import Stage, staged

TABLES = (
    "consumed_position, inbox, outbox, local_message, dead_letter, blocked_key, gateway_call, "
    "known_booking, known_provider, delivery, delivery_stream, reminders_off, "
    "webhook_subscription, webhook_secret, webhook_event, webhook_delivery"
)


async def empty(databases: dict[str, str]) -> None:
    """Nothing is left of tests before, by the superuser."""
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/notifications")
    await admin.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    await admin.close()


@pytest.fixture
async def engine(databases: dict[str, str]) -> AsyncIterator[Engine]:
    """One replica, as the service's own role, on empty tables."""
    await empty(databases)
    engine = Engine(databases["NOTIFICATIONS_DATABASE_URL"], SetClock(NOW), SERVICE)
    yield engine
    await engine.close()


@pytest.fixture
async def stage(engine: Engine) -> AsyncIterator[Stage]:
    """The engine with a worker of webhooks that runs."""
    async with staged(engine) as stage:
        yield stage
