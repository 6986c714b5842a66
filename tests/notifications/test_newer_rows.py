"""What a newer build may have written into notifications' rows: read where it can be, named where not."""

from __future__ import annotations

import json

import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed

from services.chassis.failures import NewerBuild
from services.notifications.mail import EventText
from tests.chassis.harness import Engine
from tests.notifications.builders import an
from tests.notifications.test_database import record

CONFIRMED = an(BookingConfirmed)


def test_an_event_with_more_fields_is_read_without_them() -> None:
    text = EventText.of(CONFIRMED)
    body = json.loads(text.body)
    body["customer"]["nickname"] = body["surprise"] = "of a newer build"
    assert EventText(type=text.type, body=json.dumps(body)).read("known_booking") == CONFIRMED


@pytest.mark.parametrize("kind", ["booking.BookingMissed.v1", "booking.PlaceBooking.v1"])
def test_a_type_of_event_that_this_build_does_not_know_is_a_newer_builds(kind: str) -> None:
    with pytest.raises(NewerBuild, match=rf"known_booking, type of event holds '{kind}'"):
        EventText(type=kind, body="{}").read("known_booking")


def test_an_event_without_what_this_build_needs_is_a_newer_builds() -> None:
    with pytest.raises(NewerBuild, match=r"known_booking, booking\.BookingConfirmed\.v1"):
        EventText(type=CONFIRMED.ce_type, body="{}").read("known_booking")


async def test_a_column_that_this_build_does_not_know_stops_no_letter(
    engine: Engine, databases: dict[str, str]
) -> None:
    owner = await asyncpg.connect(databases["NOTIFICATIONS_MIGRATION_URL"])
    tables = ("known_booking", "delivery", "delivery_stream")
    try:
        for table in tables:
            await owner.execute(f"ALTER TABLE {table} ADD COLUMN planted text NOT NULL DEFAULT 'of a newer build'")
        event = record(engine, CONFIRMED)
        await engine.run(event)
        await engine.run(record(engine, CONFIRMED, 2))
        assert len(await engine.fetch("SELECT FROM delivery")) > 0
    finally:
        for table in tables:
            await owner.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS planted")
        await owner.close()
