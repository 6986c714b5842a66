"""`bookingctl customer erase`: no name, address or phone of a customer is left in our databases (operations-cli)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.booking import CancelBooking, LeaveWaitlist
from booking_contracts.types import Actor, Attendee, Customer

from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene
from tests.notifications.conftest import empty
from tests.notifications.post import SERVICE as NOTIFICATIONS
from tests.operations.conftest import Typed

ME = Customer(id="mallory-1", name="Mallory Müller", email="mallory@example.com", phone="+4930123456")
CHILD = Attendee(id="kim-1", name="Kim Müller", email="kim@example.com")
SECRETS = ("Mallory", "mallory@", "Kim", "kim@", "+4930123456")


async def everything(url: str) -> str:
    """Every column of all rows of all tables, as text."""
    connection = await asyncpg.connect(url)
    columns = await connection.fetch(
        """
        SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
        """
    )
    found: list[str] = []
    for table, column in columns:
        values = [row[0] for row in await connection.fetch(f'SELECT "{column}" FROM {table}')]
        text = (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in values)
        found += [f"{table}.{column}: {one}" for one in text]
    await connection.close()
    return "\n".join(found)


@pytest.fixture
async def told(databases: dict[str, str], engine: Engine) -> tuple[UUID, UUID, Engine]:
    """A booking that was cancelled and a place in a line that was left; notifications has heard, and written."""
    scene = await Scene(engine).open()
    command = scene.place(ME.id, attendee=CHILD).model_copy(update={"customer": ME})
    await engine.tell(command)
    other = await Scene(engine).open()
    await engine.tell(other.place("bob"))
    join = other.join(ME, CHILD)
    await engine.tell(join)
    await engine.tell(command.model_copy(update={"seats": 0}))  # refused
    post = Engine(databases["NOTIFICATIONS_DATABASE_URL"], SetClock(), NOTIFICATIONS)
    await empty(databases)
    return command.booking_id, join.entry_id, post


async def over(engine: Engine, booking_id: UUID, entry_id: UUID) -> None:
    me = Actor(kind="customer", id=ME.id)
    await engine.tell(CancelBooking(booking_id=booking_id, actor=me), LeaveWaitlist(entry_id=entry_id, actor=me))
    await engine.fetch("UPDATE saga SET status = 'done'")


async def hear(engine: Engine, post: Engine) -> None:
    """What booking has to tell goes out, and notifications handles it."""
    for row in await engine.fetch("SELECT * FROM outbox WHERE topic = 'booking.events' ORDER BY id"):
        record = post.record(row["body"], topic=row["topic"], key=row["key"])
        headers = [(name, value) for name, value in json.loads(row["headers"])]
        await post.run(type(record)(**{**_fields(record), "headers": headers}))
    await engine.fetch("DELETE FROM outbox")


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


@pytest.mark.requirement("operations-cli")
async def test_nobody_who_has_to_be_reached_is_erased(
    typed: Typed, told: tuple[UUID, UUID, Engine], engine: Engine
) -> None:
    booking_id, entry_id, post = told
    assert "1 bookings of mallory-1 are not over" in await typed("customer erase --yes", ME.id, code=1)
    me = Actor(kind="customer", id=ME.id)
    await engine.tell(CancelBooking(booking_id=booking_id, actor=me))
    await engine.fetch("UPDATE saga SET status = 'done'")
    assert f"waits in 1 lines: {entry_id}" in await typed("customer erase --yes", ME.id, code=1)
    assert "Mallory" in await everything(engine.session.url)
    await post.close()


@pytest.mark.requirement("operations-cli")
async def test_a_customer_whose_bookings_are_over_cannot_be_reached_any_more(
    typed: Typed, told: tuple[UUID, UUID, Engine], engine: Engine
) -> None:
    booking_id, entry_id, post = told
    await over(engine, booking_id, entry_id)
    await hear(engine, post)
    assert "are on their way" in await typed("customer erase --yes", ME.id, code=1)
    await post.fetch("UPDATE gateway_call SET state = 'done'")
    for url in (engine.session.url, post.session.url):
        assert "Mallory" in await everything(url)
    assert "Aborted" in await typed("customer erase", ME.id, code=1, answer="n\n")
    for _ in range(2):
        assert "erased: 1 bookings, 1 waitlist entries" in await typed("customer erase --yes", ME.id)
    for url in (engine.session.url, post.session.url):
        left = await everything(url)
        assert [secret for secret in SECRETS if secret in left] == []
    assert "ann@example.com" in await everything(engine.session.url), "the provider's own"
    await engine.tell(CancelBooking(booking_id=booking_id, actor=Actor(kind="customer", id=ME.id)))
    (saga,) = await engine.fetch("SELECT booking_id FROM booking_contact WHERE customer ->> 'email' LIKE 'erased@%'")
    assert saga["booking_id"] == booking_id, "it can still be loaded and saved"
    assert [tuple(row) for row in await engine.fetch("SELECT payer_reading, comer_reading FROM booking")].count(
        (None, None)
    ) == 1, "nor is their address known again"
    await post.close()


@pytest.mark.requirement("operations-cli")
async def test_an_open_dead_letter_is_an_operators_first(
    typed: Typed, told: tuple[UUID, UUID, Engine], engine: Engine
) -> None:
    booking_id, entry_id, post = told
    await over(engine, booking_id, entry_id)
    await hear(engine, post)
    await post.fetch("UPDATE gateway_call SET state = 'done'")
    await engine.fetch("UPDATE dead_letter SET kind = 'failed'")
    (letter,) = await engine.fetch("SELECT id FROM dead_letter WHERE status = 'open'")
    printed = await typed("customer erase --yes", ME.id, code=1)
    assert f"erase again: booking {letter['id']}" in printed
    await engine.fetch("UPDATE dead_letter SET status = 'discarded'")
    await typed("customer erase --yes", ME.id)
    assert await engine.fetch("SELECT id FROM dead_letter") == []
    await post.close()
