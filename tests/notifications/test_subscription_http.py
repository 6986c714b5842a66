"""Subscriptions over HTTP: made, listed, ended; and webhooks in the list of deliveries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts.booking import BookingConfirmed

from services.chassis.database import READS, open_pool
from services.chassis.http import Pools, new_app
from services.notifications import http
from services.notifications.model.subscriptions import delivery_id
from services.notifications.model.targets import Targets
from services.notifications.subscriptions import signing, store
from tests.chassis.harness import Engine
from tests.described import Described
from tests.doors import HEALTHY, a_token
from tests.notifications.builders import BOOKING_ID, CUSTOMER_EMAIL, PROVIDER_EMAIL, an
from tests.notifications.test_database import record

pytestmark = pytest.mark.requirement("notify-systems")
Client = TestClient[Any, Any]
PATH = "/v1/webhook-subscriptions"
BODY: dict[str, Any] = {"url": "https://example.org/hook", "owner_email": "owner@example.org"}


@pytest.fixture
async def client(engine: Engine, databases: dict[str, str]) -> AsyncIterator[Client]:
    url = databases["NOTIFICATIONS_DATABASE_URL"]
    reads, writes = await open_pool(url, "r", size=2, settings=READS), await open_pool(url, "w", size=2)
    tokens = (
        a_token("all", "webhooks:write", "read:pii", "read:bookings"),
        a_token("ids", "webhooks:write"),
        a_token("reads", "read:bookings"),
    )
    app = new_app(lambda: tokens, Pools(reads, writes), HEALTHY)
    http.add_routes(app, engine.clock, Targets())
    async with TestClient(TestServer(app)) as client:
        yield client
    await reads.close()
    await writes.close()


async def ask(client: Client, method: str, path: str = PATH, body: Any = None, token: str = "all") -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    async with client.request(method, path, data=data, headers={"Authorization": f"Bearer {token}"}) as answer:
        found = await answer.json()
        Described("notifications").check(method.upper(), path, answer.status, answer.content_type, found)
        return answer.status, found


async def test_a_subscription_is_made_and_its_secret_shown_once(client: Client, engine: Engine) -> None:
    wanted = {**BODY, "event_types": ["booking.BookingConfirmed.v1"], "provider_id": str(UUID(int=3))}
    status, made = await ask(client, "post", body=wanted)
    _, listed = await ask(client, "get")

    assert status == 200
    (stored,) = await engine.fetch("SELECT secret FROM webhook_secret")
    assert made["secret"] == signing.shown(stored["secret"])
    assert made["secret"].startswith("whsec_")
    assert {name: made[name] for name in wanted} == wanted
    assert listed["items"] == [{name: value for name, value in made.items() if name != "secret"}]
    assert (made["state"], made["disabled_for"], made["customer_id"]) == ("active", None, None)


async def test_the_owner_is_shown_to_tokens_that_may_see_addresses(client: Client) -> None:
    await ask(client, "post", body=BODY)

    assert (await ask(client, "get", token="ids"))[1]["items"][0]["owner_email"] is None
    assert (await ask(client, "get"))[1]["items"][0]["owner_email"] == "owner@example.org"


async def test_lists_come_in_pages(client: Client) -> None:
    for number in range(3):
        await ask(client, "post", body={**BODY, "description": str(number)})

    _, first = await ask(client, "get", f"{PATH}?limit=2")
    _, second = await ask(client, "get", f"{PATH}?limit=2&cursor={first['next']}")
    assert [one["description"] for page in (first, second) for one in page["items"]] == ["0", "1", "2"]
    assert second["next"] is None


async def test_a_subscription_is_ended(client: Client) -> None:
    _, made = await ask(client, "post", body=BODY)
    path = f"{PATH}/{made['subscription_id']}"

    status, ended = await ask(client, "delete", path)
    assert (status, ended["state"], ended["owner_email"]) == (200, "deleted", None)
    assert (await ask(client, "delete", path))[0] == 404
    assert (await ask(client, "get"))[1]["items"] == []
    assert (await ask(client, "delete", f"{PATH}/none"))[0] == 404


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"{", "JSON"),
        ([], "object"),
        ({}, "url"),
        ({"url": "https://example.org/"}, "owner_email"),
        ({**BODY, "url": "http://example.org/"}, "https"),
        ({**BODY, "url": "https://127.0.0.1/"}, "127.0.0.1"),
        ({**BODY, "url": "https://example.org:22/"}, "port 22"),
        ({**BODY, "url": 5}, "url"),
        ({**BODY, "owner_email": "nobody"}, "owner_email"),
        ({**BODY, "owner_email": "a@example.org\r\nBcc: b@example.org"}, "owner_email"),
        ({**BODY, "event_types": ["booking.Confirmed.v1"]}, "event_types"),
        ({**BODY, "event_types": ["notifications.DeliveryFailed.v1"]}, "event_types"),
        ({**BODY, "event_types": "booking.BookingConfirmed.v1"}, "event_types"),
        ({**BODY, "provider_id": "x"}, "provider_id"),
        ({**BODY, "customer_id": "a b"}, "customer_id"),
        ({**BODY, "description": "x" * 201}, "description"),
        ({**BODY, "description": "\x00"}, "description"),
        ({**BODY, "secret": "whsec_mine"}, "secret"),
    ],
)
async def test_what_cannot_be_a_subscription_is_refused_with_a_sentence(client: Client, body: Any, names: str) -> None:
    status, problem = await ask(client, "post", body=body)

    assert status == 400
    assert names in problem["detail"]


async def test_there_are_only_so_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "INSERT", store.INSERT.replace(f"< {store.MOST}", "< 1"))
    assert (await ask(client, "post", body=BODY))[0] == 200
    assert (await ask(client, "post", body=BODY))[0] == 409


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("token", "status"), [("unknown", 401), ("reads", 403)])
async def test_it_needs_a_token_with_its_scope(client: Client, method: str, token: str, status: int) -> None:
    assert (await ask(client, method, body=None if method == "get" else BODY, token=token))[0] == status


async def test_webhooks_are_listed_beside_letters(client: Client, engine: Engine) -> None:
    _, made = await ask(client, "post", body=BODY)
    await engine.run(record(engine, an(BookingConfirmed)))
    path = f"/v1/deliveries?booking_id={BOOKING_ID}"

    _, page = await ask(client, "get", path)
    items = sorted(page["items"], key=lambda one: str(one["channel"]))
    assert [(one["channel"], one["recipient"], one["state"]) for one in items] == [
        ("email", CUSTOMER_EMAIL, "pending"),
        ("email", PROVIDER_EMAIL, "pending"),
        ("webhook", made["subscription_id"], "pending"),
    ]
    webhook = items[2]
    assert (webhook["kind"], webhook["audience"]) == ("booking.BookingConfirmed.v1", "admin")
    made_id = delivery_id(UUID(webhook["event_id"]), UUID(made["subscription_id"]))
    assert webhook["delivery_id"] == str(made_id)

    items, cursor = [], ""
    while cursor is not None:
        _, page = await ask(client, "get", f"{path}&limit=1{cursor}")
        items += page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert sorted(one["channel"] for one in items) == ["email", "email", "webhook"]
