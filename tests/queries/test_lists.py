"""Lists of bookings: whose, in which states, between which instants, in which order, so many at a time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient

from services.chassis.database import READS, open_pool
from services.chassis.http import Pools
from services.payments.stripe_calls.api import StripeApi
from tests.bench.asking import served
from tests.booking.replicas import cancel
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.described import Described

Http = TestClient[Any, Any]


@pytest.fixture
async def booking(engine: Engine, databases: dict[str, str], stripe_api: StripeApi) -> AsyncIterator[Http]:
    url = databases["BOOKING_DATABASE_URL"]
    pool = await open_pool(url, "reads", size=2, settings=READS)
    async with served("booking", Pools(pool, pool), url, engine.clock, stripe_api) as client:
        yield client
    await pool.close()


async def pages(http: Http, path: str) -> list[list[dict[str, Any]]]:
    found, cursor = [], ""
    while True:
        answer = await http.get(f"{path}{cursor}")
        page = await answer.json()
        assert answer.status == 200, page
        Described("booking").check("GET", path, answer.status, answer.content_type, page)
        found.append(page["items"])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def ids(http: Http, path: str) -> list[UUID]:
    return [UUID(item["booking_id"]) for page in await pages(http, path) for item in page]


async def bookings(engine: Engine) -> tuple[Scene, list[UUID]]:
    """Bob's on six slots, an hour apart: the second cancelled, the third over, the last not paid yet."""
    scene = await Scene(engine).open(slots=6)
    found = [await scene.confirmed("bob", slot) for slot in (0, 1)]
    over = scene.place("bob", 2)
    await engine.tell(cancel(found[1], "bob"), over)
    engine.clock.advance(minutes=16)
    await engine.run_local()
    found += [over.booking_id, *[await scene.confirmed("bob", slot) for slot in (3, 4)]]
    last = scene.place("bob", 5)
    await engine.tell(last)
    return scene, [*found, last.booking_id]


@pytest.mark.requirement("availability-query")
async def test_bookings_are_filtered_ordered_and_paged(engine: Engine, booking: Http) -> None:
    scene, made = await bookings(engine)
    shown = [one for one in made if one != made[2]]
    for owner in ("customer_id=bob", f"provider_id={scene.provider_id}"):
        mine = f"/v1/bookings?{owner}"
        assert await ids(booking, f"{mine}&limit=2") == sorted(shown)
        assert await ids(booking, f"{mine}&include=all&limit=1") == sorted(made)
        assert await ids(booking, f"{mine}&order=starts_at&limit=2") == shown
        assert await ids(booking, f"{mine}&order=-starts_at&limit=2") == shown[::-1]
        assert await ids(booking, f"{mine}&state=EXPIRED") == [made[2]]
        states = "state=CONFIRMED,PENDING_PAYMENT&state=EXPIRED"
        assert await ids(booking, f"{mine}&{states}&order=starts_at&limit=1") == [made[0], *made[2:]]
        since, until = (f"{scene.start(slot):%Y-%m-%dT%H:%M:%SZ}" for slot in (1, 4))
        assert await ids(booking, f"{mine}&from={since}&to={until}&limit=1") == [made[1], made[3]]
        assert await ids(booking, f"{mine}&from={since}&order=-starts_at&limit=1") == [*made[:2:-1], made[1]]
        assert [len(page) for page in await pages(booking, f"{mine}&limit=5")] == [5], "a full page may be the last"
    slot = f"offering_id={scene.offering_id}&starts_at={scene.start(2):%Y-%m-%dT%H:%M:%SZ}"
    assert await ids(booking, f"/v1/bookings?{slot}") == []
    assert await ids(booking, f"/v1/bookings?{slot}&include=all") == [made[2]]


async def test_a_history_comes_in_pages_too(engine: Engine, booking: Http) -> None:
    _, made = await bookings(engine)
    path = f"/v1/bookings/{made[0]}/history"
    (whole,) = await pages(booking, f"{path}?")
    assert [page[0] for page in await pages(booking, f"{path}?limit=1")] == whole
    assert len(whole) > 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("customer_id=%00", "customer_id"),
        ("customer_id=bob&state=confirmed", "state"),
        ("customer_id=bob&state=", "state"),
        ("customer_id=bob&limit=0", "limit"),
        ("customer_id=bob&limit=201", "limit"),
        ("customer_id=bob&limit=%C2%B2", "limit"),
        ("customer_id=bob&from=9999-12-31T00:00:00Z", "from"),
        ("customer_id=bob&to=2030-01-01", "to"),
        ("customer_id=bob&order=price", "order"),
        ("customer_id=bob&order=booking_id&from=2030-01-01T00:00:00Z", "order"),
        ("customer_id=bob&cursor=WyJ4IiwgInkiXQ==", "cursor"),
        ("customer_id=bob&order=starts_at&cursor=IjAi", "cursor"),
        ("provider_id=7", "provider_id"),
        ("offering_id=00000000-0000-0000-0000-000000000001&starts_at=x", "starts_at"),
        ("customer_id=bob&provider_id=00000000-0000-0000-0000-000000000001", "Name"),
    ],
)
async def test_what_cannot_be_read_is_a_bad_request(booking: Http, query: str, parameter: str) -> None:
    answer = await booking.get(f"/v1/bookings?{query}")
    problem = await answer.json()
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert problem["detail"].partition(" ")[0] == parameter
    assert re.fullmatch(r"(Name|\w+ must be|order, from) [^\n]*\w\.", problem["detail"])


async def test_what_is_not_there_is_said_in_sentences_too(booking: Http) -> None:
    nowhere, posted = await booking.get("/v1/nowhere"), await booking.post("/v1/bookings")
    told = [(await answer.json())["detail"] for answer in (nowhere, posted)]
    assert (nowhere.status, posted.status, posted.headers["Allow"]) == (404, 405, "GET,HEAD")
    assert told == [
        "There is nothing at this path; the services' READMEs say which paths there are.",
        "This path does not take this method; the header Allow says which it takes.",
    ]


async def test_instants_and_cursors_out_of_range_are_bad_requests(engine: Engine, booking: Http) -> None:
    scene = Scene(engine)
    path = f"/v1/availability?offering_id={scene.offering_id}&from=9999-12-31T00:00:00Z&to=9999-12-31T01:00:00Z"
    assert (await booking.get(path)).status == 400
    beyond = "MTAwMDAwMDAwMDAwMA=="  # 10¹²
    assert (await booking.get(f"/v1/bookings/{UUID(int=1)}/history?cursor={beyond}")).status == 400
    assert (await booking.get(f"/v1/bookings?customer_id=bob&to={engine.clock.now() + timedelta(1):%Y}")).status == 400
