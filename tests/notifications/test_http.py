"""The deliveries of a booking over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts.booking import BookingConfirmed

from services.chassis.database import READS, open_pool
from services.chassis.http import Pools, new_app
from services.notifications import http
from services.notifications.model.targets import Targets
from tests.chassis.harness import Engine
from tests.described import Described
from tests.doors import HEALTHY, a_token
from tests.notifications.builders import BOOKING_ID, CUSTOMER_EMAIL, PROVIDER_EMAIL, an
from tests.notifications.test_attendees import TIM
from tests.notifications.test_database import record

Reader = TestClient[Any, Any]
PATH = f"/v1/deliveries?booking_id={BOOKING_ID}"


@pytest.fixture
async def reader(engine: Engine, databases: dict[str, str]) -> AsyncIterator[Reader]:
    pool = await open_pool(databases["NOTIFICATIONS_DATABASE_URL"], "test-reads", size=2, settings=READS)
    tokens = (a_token("all", "read:bookings", "read:pii"), a_token("ids", "read:bookings"), a_token("none"))
    app = new_app(lambda: tokens, Pools(pool, pool), HEALTHY)
    http.add_routes(app, engine.clock, Targets())
    async with TestClient(TestServer(app)) as client:
        yield client
    await pool.close()


async def get(reader: Reader, path: str = PATH, *, token: str = "all") -> tuple[int, Any]:
    response = await reader.get(path, headers={"Authorization": f"Bearer {token}"})
    body = await response.json()
    Described("notifications").check("GET", path, response.status, response.content_type, body)
    return response.status, body


@pytest.mark.requirement("notify-people")
async def test_a_letter_to_who_comes_is_one_of_the_customers_side(engine: Engine, reader: Reader) -> None:
    await engine.run(record(engine, an(BookingConfirmed, attendee=TIM)))

    _, page = await get(reader)

    told = [(item["audience"], item["to_attendee"], item["recipient"]) for item in page["items"]]
    assert told == [
        ("customer", False, CUSTOMER_EMAIL),
        ("provider", False, PROVIDER_EMAIL),
        ("customer", True, TIM.email),
    ]


@pytest.mark.requirement("notify-once")
async def test_deliveries_are_listed_oldest_first(engine: Engine, reader: Reader) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))

    status, page = await get(reader)

    assert (status, page["next"]) == (200, None)
    assert [(item["recipient"], item["state"], item["kind"]) for item in page["items"]] == [
        (CUSTOMER_EMAIL, "pending", "confirmed"),
        (PROVIDER_EMAIL, "pending", "confirmed"),
    ]


async def test_long_lists_come_in_pages(engine: Engine, reader: Reader) -> None:
    for number in (1, 2):
        await engine.run(record(engine, an(BookingConfirmed), number))

    _, first = await get(reader, f"{PATH}&limit=2")
    _, second = await get(reader, f"{PATH}&limit=2&cursor={first['next']}")

    assert len({item["delivery_id"] for page in (first, second) for item in page["items"]}) == 4
    assert second["next"] is None


async def test_addresses_are_for_tokens_that_may_see_them(engine: Engine, reader: Reader) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))

    _, page = await get(reader, token="ids")

    assert [item["recipient"] for item in page["items"]] == [None, None]
    assert CUSTOMER_EMAIL not in str(page)


async def test_a_booking_without_deliveries_has_none(reader: Reader) -> None:
    assert await get(reader, f"/v1/deliveries?booking_id={UUID(int=9)}") == (200, {"items": [], "next": None})


@pytest.mark.parametrize(
    "path",
    ["/v1/deliveries", "/v1/deliveries?booking_id=x", f"{PATH}&cursor=bm8", f"{PATH}&limit=201", f"{PATH}&limit=٣"],
)
async def test_what_cannot_be_read_is_a_bad_request(reader: Reader, path: str) -> None:
    status, problem = await get(reader, path)

    assert (status, problem["status"]) == (400, 400)


@pytest.mark.parametrize(("token", "status"), [("unknown", 401), ("none", 403)])
async def test_reading_needs_a_token_with_its_scope(reader: Reader, token: str, status: int) -> None:
    assert (await get(reader, token=token))[0] == status
