"""A booking is cancelled by an admin's command, a customer erased in every service: both need more than a click."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.chassis.harness import Engine
from tests.console.acting import WHY, Operations, dialog, do, kept, mona, operations, otto, refused
from tests.console.conftest import Visit, Visitor, named
from tests.console.test_acts import waiting
from tests.operations.conftest import engine
from tests.operations.people import Stack, stack
from tests.operations.test_customer import ME
from tests.operations.test_erasing import MINE, standing

__all__ = ["engine", "mona", "operations", "otto", "stack"]
pytestmark = pytest.mark.requirement("console", "operations-cli")


@pytest.fixture
async def trusted(visit: Visit, databases: dict[str, str]) -> Visitor:
    """Who may move money, and sees people's data."""
    return await visit("tina", databases=named(databases))


async def test_a_customer_is_erased_where_their_id_is_typed(
    trusted: Visitor, stack: Stack, operations: Operations[asyncpg.Record]
) -> None:
    await stack.lives(ME, None)
    await stack.settled()
    page = await trusted.shown(dialog("customer-erase", customer_id=ME.id))
    assert "erased for ever, in 1 bookings" in page
    said = await do(trusted, "customer-erase", status=422, customer_id=ME.id, asked={"typed": "mallory"})
    assert "it is another id" in said
    assert standing(MINE, await stack.contents())
    said = await do(trusted, "customer-erase", customer_id=ME.id, asked={"typed": ME.id})
    assert "erased: 1 bookings, 1 waitlist entries" in said
    assert standing(MINE, await stack.contents()) == []
    (row,) = await kept(operations, ME.id)
    assert row[:4] == ("tina", "customer-erase", None, WHY)


async def test_who_has_to_be_reached_is_not_erased(trusted: Visitor, engine: Engine) -> None:
    await waiting(engine)
    (row,) = await engine.fetch("SELECT customer_id FROM booking")
    page = await trusted.shown(dialog("customer-erase", customer_id=row["customer_id"]), status=409)
    assert "are not over" in page


async def test_erasing_needs_the_role_and_the_right(mona: Visitor, otto: Visitor) -> None:
    await refused(otto, "customer-erase", customer_id=ME.id, typed=ME.id)
    await refused(mona, "customer-erase", customer_id=ME.id, typed=ME.id)


async def test_a_command_that_cannot_be_published_is_a_sentence(
    otto: Visitor, engine: Engine, operations: Operations[asyncpg.Record]
) -> None:
    """What a stack that has Kafka does: tests/flows/test_console_acts.py."""
    booking_id = await waiting(engine)
    page = await otto.shown(dialog("booking-cancel", booking_id=booking_id))
    assert f"Booking {booking_id} is PENDING_PAYMENT" in page
    said = await do(otto, "booking-cancel", status=409, booking_id=booking_id)
    assert "nothing was published" in said
    ((*_, outcome),) = await kept(operations, booking_id)
    assert outcome.startswith("not done: nothing was published")
    nobody: UUID = uuid4()
    assert "there is no booking" in await otto.shown(dialog("booking-cancel", booking_id=nobody), status=409)


async def test_a_viewer_cancels_nothing(visit: Visit, databases: dict[str, str]) -> None:
    vera = await visit("vera", databases=named(databases))
    await refused(vera, "booking-cancel", booking_id=uuid4())
