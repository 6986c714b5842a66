"""Wherever somebody's name, address or phone can stand, in whichever role, `customer erase` finds it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.types import Attendee, Customer

from services.booking import erasing
from services.booking.model.booking import Booking
from services.booking.operator import _loaded
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.operations.conftest import Typed
from tests.operations.people import BOB, MYSELF, Stack
from tests.operations.people import stack as stack
from tests.operations.test_customer import CHILD, ME, everything

MINE = ("Mallory", "mallory@", "+4930123456")
CHILDS = ("Kim", "kim@")
BOBS = ("Bob Builder", "bob@example.com", "+4930987654")
ROLES: dict[str, tuple[tuple[Customer, Attendee | None], ...]] = {
    "customer": ((ME, None),),
    "customer with a child": ((ME, CHILD),),
    "attendee of somebody else": ((BOB, MYSELF),),
    "customer and attendee at once": ((ME, MYSELF),),
    "all of these": ((ME, None), (ME, CHILD), (BOB, MYSELF), (ME, MYSELF)),
}


def standing(texts: tuple[str, ...], contents: str) -> list[str]:
    return [line[:200] for line in contents.split("\n") if any(text in line for text in texts)]


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("role", ROLES)
async def test_nothing_of_a_person_is_left_in_any_column_of_any_table(stack: Stack, typed: Typed, role: str) -> None:
    for customer, attendee in ROLES[role]:
        await stack.lives(customer, attendee)
    await stack.settled()
    before = await stack.contents()
    assert {line.split(":")[0] for line in standing(("mallory@",), before)} >= {
        "booking_contact.attendee" if role.startswith("attendee") else "booking_contact.customer",
        "known_booking.body",
        "gateway_call.parameters",
        "dead_letter.body",
    }
    for _ in range(2):
        printed = await typed("customer erase --yes", ME.id)
        assert "Stays: ids" in printed
        assert standing(MINE, await stack.contents()) == []
    left = await stack.contents()
    assert standing(CHILDS, left) == [], "who came along with them"
    if any(customer is BOB for customer, _ in ROLES[role]):
        where = {line.split(":")[0] for line in standing(BOBS, left)}
        assert where >= {"booking_contact.customer", "waitlist_contact.customer", "known_booking.body"}
        assert "delivery.recipient" in where, "who has paid for them was not erased"


@pytest.mark.requirement("operations-cli")
async def test_who_pays_is_erased_with_who_comes_and_not_the_other_way_round(stack: Stack, typed: Typed) -> None:
    await stack.lives(BOB, MYSELF)
    await stack.settled()
    assert "erased as attendee of others: 1 bookings, 1 waitlist entries" in await typed("customer erase --yes", ME.id)
    assert standing(BOBS, await stack.contents())
    known = "SELECT payer_reading IS NOT NULL, comer_reading IS NOT NULL FROM booking WHERE customer_id = 'bob'"
    assert [tuple(row) for row in await stack.booking.fetch(known)] == [(True, False)]
    assert "erased: 1 bookings, 1 waitlist entries" in await typed("customer erase --yes", BOB.id)
    assert standing(BOBS, await stack.contents()) == []
    assert [tuple(row) for row in await stack.booking.fetch(known)] == [(False, False)]


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize(
    ("service", "table"), [("booking", "booking"), ("booking", "waitlist_entry"), ("post", "delivery_stream")]
)
async def test_a_batch_that_has_read_a_contact_is_waited_for(
    stack: Stack, typed: Typed, service: str, table: str
) -> None:
    await stack.lives(BOB, MYSELF)
    await stack.settled()
    await stack.booking.fetch("UPDATE booking SET payer_reading = NULL, comer_reading = NULL")  # as older ones have it
    async with getattr(stack, service).session.transaction() as batch:
        await batch.execute(f"SELECT FROM {table} FOR NO KEY UPDATE")
        assert "a batch holds some of these rows" in await typed("customer erase --yes", ME.id, code=1)
    await typed("customer erase --yes", ME.id)
    assert standing(MINE, await stack.contents()) == []


@pytest.mark.requirement("operations-cli")
async def test_a_batch_that_waited_for_an_erasure_has_read_no_contact_before_it(stack: Stack) -> None:
    """It locks a booking and reads its contact in one statement, which sees the moment before it waited."""
    booking_id, session = await stack.lives(ME, None), stack.booking.session
    await stack.settled()
    operator, holder = await asyncpg.connect(session.url), await asyncpg.connect(session.url)
    try:
        found = await erasing.known(operator, ME.id)
        async with holder.transaction():
            await holder.execute("SELECT FROM booking_contact WHERE booking_id = $1 FOR SHARE", booking_id)
            erased = asyncio.create_task(erasing.erase(operator, found, ME.id))
            await _waiting(holder, 1)  # with the booking's lock in hand
            batch = asyncio.create_task(_read(stack.booking, booking_id))
            await _waiting(holder, 2)
        await erased
        assert (await batch).customer.email == erasing.EMAIL
    finally:
        await operator.close()
        await holder.close()


async def _read(engine: Engine, booking_id: UUID) -> Booking:
    async with engine.session.transaction() as connection:
        _, booking, _ = await _loaded(connection, engine.clock, booking_id)
        return booking


async def _waiting(connection: asyncpg.Connection[asyncpg.Record], many: int) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(5):
        while await connection.fetchval(query) < many:  # noqa: ASYNC110 - the database tells no event
            await asyncio.sleep(0.01)


@pytest.mark.requirement("operations-cli")
async def test_an_attendee_whose_booking_is_not_over_is_not_erased(stack: Stack, typed: Typed) -> None:
    scene = await Scene(stack.booking).open()
    await stack.booking.tell(scene.place(BOB.id).model_copy(update={"customer": BOB, "attendee": MYSELF}))
    assert "1 bookings of mallory-1 are not over" in await typed("customer erase --yes", ME.id, code=1)
    line = scene.join(ME, CHILD)
    await stack.booking.tell(line)
    assert f"kim-1 waits in 1 lines: {line.entry_id}" in await typed("customer erase --yes", CHILD.id, code=1)


@pytest.mark.requirement("operations-cli")
async def test_what_is_still_on_its_way_is_said_and_erased_the_next_time(stack: Stack, typed: Typed) -> None:
    booking_id = await stack.lives(BOB, MYSELF)
    await stack.booking.fetch("UPDATE saga SET status = 'done'")
    unsent = await stack.booking.fetch("SELECT id FROM outbox")
    printed = await typed("customer erase --yes", ME.id, code=1)
    assert "messages that booking is sending to Kafka: erase again when it has" in printed
    assert f"notifications has not heard all of 1 bookings: erase again later: {booking_id}" in printed
    assert standing(MINE, "\n".join([await everything(stack.booking.session.url)]))
    assert unsent
    await stack.settled()
    await typed("customer erase --yes", ME.id)
    assert standing(MINE, await stack.contents()) == []


@pytest.mark.requirement("operations-cli")
async def test_what_waits_behind_another_message_is_said(stack: Stack, typed: Typed) -> None:
    booking_id = await stack.lives(BOB, MYSELF)
    await stack.settled()
    await stack.post.fetch(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
        VALUES (gen_random_uuid(), 'record', 'booking.BookingCancelled.v1', $1, now(), '[]', 'mallory@example.com')
        """,
        str(booking_id),
    )
    printed = await typed("customer erase --yes", ME.id, code=1)
    assert "still in 1 messages that notifications has to handle: erase again when it has" in printed
