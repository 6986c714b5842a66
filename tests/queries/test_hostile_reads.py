"""Every path of the three services, asked with what nobody should send: a problem that names it, never a fault."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient
from booking_contracts.http import SERVICES
from yarl import URL

from services.chassis.database import READS, open_pool
from services.chassis.http import Pools
from services.chassis.parameters import Parameters
from services.payments.stripe_calls.api import StripeApi
from tests.bench.asking import read_paths, served
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene
from tests.described import Described

Http = TestClient[Any, Any]
ID = UUID(int=7)
RANGE = {"from": "2030-01-01T00:00:00Z", "to": "2030-01-08T00:00:00Z"}
QUERIES: dict[str, list[dict[str, str]]] = {
    "/v1/availability": [{"offering_id": str(ID), **RANGE}, {"provider_id": str(ID), **RANGE}],
    "/v1/bookings": [
        {"customer_id": "bob"},
        {"provider_id": str(ID), "order": "starts_at", "state": "CONFIRMED", "limit": "1"},
        {"customer_id": "bob", "include": "all", **RANGE},
        {"offering_id": str(ID), "starts_at": RANGE["from"]},
    ],
    "/v1/ledger": [{}, {"account": "stripe:clearing"}],
    "/v1/deliveries": [{"booking_id": str(ID)}],
}
"""Of paths with a query, some that are good: each parameter is then spoilt by itself."""

DESCRIBED = [Described(service) for service in SERVICES]


def cursor(position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


SPOILT = [
    quote(text, safe="")
    for text in (
        *("", " ", "\0", "a\0b", "'; DROP TABLE booking --", "%", "null", "NaN", "-1", "0", "1e9", "٣", "²", "𝟙"),
        *("9" * 400, "x" * 4000, "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{GRINNING FACE}" * 9, "../../etc/passwd", "[]", "{}"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
        *("2030-02-30T00:00:00Z", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01T24:00:00Z", "-2030-01-01T00:00:00Z"),
        *("2199-12-31T23:59:59Z", "2000-01-01T00:00:00Z", str(UUID(int=(1 << 128) - 1)), "urn:uuid:" + str(ID)),
        *map(cursor, (-1, 0, 1 << 31, 1 << 62, 1 << 70, 10**300, 1.5, True, None, "", "x", [], {})),
        *(cursor([start, str(ID)]) for start in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x", 5)),
        *(cursor([RANGE["from"], other]) for other in ("", "\0", 7, None, [str(ID)])),
        *(cursor(json.loads("[" * 500 + "]" * 500)), base64.urlsafe_b64encode(b"[" * 100_000).decode()[:4000]),
        *(base64.urlsafe_b64encode(raw).decode() for raw in (b"\xff\xfe", b"1" * 5000, b'"\\ud800"', b"1e400")),
    )
] + ["%ED%A0%80", "%FF", "%C3%28", "%00%00"]


@pytest.fixture(params=["booking", "payments", "notifications"])
async def http(request: pytest.FixtureRequest, databases: dict[str, str], stripe_api: StripeApi) -> AsyncIterator[Http]:
    url = databases[f"{request.param.upper()}_DATABASE_URL"]
    pool = await open_pool(url, "reads", size=4, settings=READS)
    async with served(request.param, Pools(pool, pool), url, SetClock(), stripe_api) as client:
        yield client
    await pool.close()


def query_of(parameters: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe=',')}" for name, value in parameters.items())


async def asked(http: Http, path: str) -> tuple[int, Any]:
    """Status and body of a path that is sent as it stands here. Whatever is refused is a problem document.

    Of a path in the OpenAPI documents, every answer is as they say.
    """
    answer = await http.get(URL(path, encoded=True))
    body = await answer.json(content_type=None)
    assert answer.status < 500, f"{path[:200]}: {body}"
    for described in DESCRIBED:
        if described.has("GET", path):
            described.check("GET", path, answer.status, answer.content_type, body)
    if answer.status >= 400:
        assert answer.content_type == "application/problem+json", path[:200]
        assert body["detail"].endswith("."), body
    return answer.status, body


def parameters_of(http: Http, path: str) -> Parameters:
    routes = [route for route in http.app.router.routes() if route.resource and route.resource.canonical == path]
    found: Parameters = routes[0].handler.parameters
    return found


@pytest.mark.requirement("bad-input", "availability-query")
async def test_nothing_that_is_asked_for_is_a_fault(http: Http) -> None:
    many = 0
    for path in sorted(read_paths(http.app)):
        if "{" in path:
            answers = [
                await asked(http, path.replace(path[path.index("{") : path.index("}") + 1], bad)) for bad in SPOILT
            ]
            assert {status for status, _ in answers} <= {200, 404}, path
        for good in QUERIES.get(path, []):
            for name in parameters_of(http, path).known:
                spoilt = [f"{path}?{query_of({**good, name: '@'}).replace('%40', bad)}" for bad in SPOILT]
                answers = await asyncio.gather(*(asked(http, one) for one in spoilt))
                many += len(answers)
                assert {status for status, _ in answers} <= {200, 400, 404}, (path, name)
                for status, body in answers:
                    assert status != 400 or body["detail"].split()[0].strip(",") in {*good, name, "order", "Name"}, (
                        name,
                        body,
                    )
    assert many > 100


@pytest.mark.requirement("bad-input", "availability-query")
async def test_a_parameter_that_a_path_does_not_know_is_named(http: Http) -> None:
    for path in sorted(read_paths(http.app)):
        there = path.partition("{")[0] + str(ID) + path.partition("}")[2] if "{" in path else path
        for good in QUERIES.get(path, [{}]):
            for unknown in ("sort", "Limit", "limit%5B%5D", "%00", "%ED%A0%80", "x" * 3000):
                status, body = await asked(http, f"{there}?{query_of({**good, '@': '1'}).replace('@', unknown)}")
                assert status == 400, (there, unknown)
                assert "is not a parameter of this path" in body["detail"]
                assert len(body["detail"]) < 300
        known = parameters_of(http, path)
        for name in {*known.known} - {*known.again}:
            status, body = await asked(http, f"{there}?{name}=1&{name}=1")
            assert (status, body["detail"]) == (400, f"{name} comes 2 times; name it once.")


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("half", [{"offering_id": str(ID)}, {"starts_at": RANGE["from"]}])
@pytest.mark.parametrize("whose", [{"customer_id": "bob"}, {"provider_id": str(ID)}, {}])
@pytest.mark.parametrize("http", ["booking"], indirect=True)
async def test_half_a_slot_is_not_passed_over(http: Http, half: dict[str, str], whose: dict[str, str]) -> None:
    """Who asks for a customer's bookings of an offering would take all of them for these."""
    status, body = await asked(http, f"/v1/bookings?{query_of({**whose, **half})}")
    detail = "Name one of customer_id, provider_id, or offering_id with starts_at."
    assert (status, body["detail"]) == (400, detail)


@pytest.mark.requirement("bad-input")
async def test_a_token_of_any_bytes_is_refused(http: Http) -> None:
    server = http.server
    path = next(path for path in sorted(read_paths(http.app)) if "{" not in path)
    for token in (b"\xff\xfe", b"\xed\xa0\x80", b"", b"\xc3\xa9" * 9, b"a b"):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % path.encode())
        writer.write(b"Authorization: Bearer %b\r\n\r\n" % token)
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] == b"401", (token, answer)


@pytest.mark.requirement("bad-input")
async def test_good_questions_are_answered(http: Http) -> None:
    """So that what is spoilt above is spoilt by itself alone."""
    for path, queries in QUERIES.items():
        if path in read_paths(http.app):
            found = [await asked(http, f"{path}?{query_of(query)}") for query in queries]
            assert {status for status, _ in found} == ({404} if path == "/v1/availability" else {200})
            assert all(body.get("next", 0) is None for status, body in found if status == 200)


@pytest.mark.requirement("availability-query")
async def test_whose_slots_are_not_there_are_not_found(
    engine: Engine, databases: dict[str, str], stripe_api: StripeApi
) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    scene, idle = await Scene(engine).open(), Scene(engine)
    register = (await engine.sent())[0]
    assert register.type == "catalogue.ProviderRegistered.v1"
    await engine.fetch(
        "INSERT INTO provider SELECT $1, name, email, timezone, payout_account, policy, tiers, policy_version, sequence"
        " FROM provider WHERE provider_id = $2",
        idle.provider_id,
        scene.provider_id,
    )
    pool = await open_pool(url, "reads", size=1, settings=READS)
    async with served("booking", Pools(pool, pool), url, engine.clock, stripe_api) as http:
        for whose, value, expected in (
            ("offering_id", scene.offering_id, 200),
            ("provider_id", scene.provider_id, 200),
            ("provider_id", idle.provider_id, 200),
            ("offering_id", scene.provider_id, 404),
            ("provider_id", scene.offering_id, 404),
        ):
            status, body = await asked(http, f"/v1/availability?{query_of({whose: str(value), **RANGE})}")
            assert status == expected
            assert body.get("detail") in (None, f"There is no such {whose.removesuffix('_id')}.")
    await pool.close()
