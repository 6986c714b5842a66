"""How many statements notifications' batches of a card saga are: what is added to one is seen (docs/performance.md)."""

from __future__ import annotations

import pytest
from booking_contracts import booking, payments

from tests.chassis.harness import Engine
from tests.notifications.builders import an, eur
from tests.notifications.stage import Stage
from tests.notifications.test_database import post, record
from tests.notifications.test_gateway import Server

EVENTS, RESULTS = 5, 6
"""BEGIN; positions, inbox, streams, whether anybody subscribes; blocked keys; writing; COMMIT. Results have no
positions, and read their lines."""


@pytest.mark.requirement("notify-systems")
async def test_what_a_card_saga_says_is_so_many_statements(engine: Engine) -> None:
    said = [an(booking.BookingPlaced), an(payments.PaymentAuthorized, amount=eur(4500)), an(booking.BookingConfirmed)]
    asked = [await engine.statements(*(record(engine, event, number) for number, event in enumerate(said, 1)))]
    asked += [await engine.statements(*await post(engine, Server()))]
    assert [len(batch) for batch in asked] == [EVENTS, RESULTS], "\n\n".join(map("\n".join, asked))


@pytest.mark.requirement("notify-systems")
async def test_a_subscription_hears_of_everything_from_its_creation_on(stage: Stage, engine: Engine) -> None:
    """Though nothing but whether there is any was asked before."""
    await engine.run(record(engine, an(booking.BookingPlaced)))
    await stage.subscribe("http://127.0.0.1:9/")
    await engine.run(record(engine, heard := an(booking.BookingConfirmed), 2))
    rows = await engine.fetch("SELECT e.type FROM webhook_delivery d JOIN webhook_event e USING (event_id)")
    assert [row["type"] for row in rows] == [heard.ce_type]
