"""What is refused over HTTP: the type of the problem document leads to the section that explains it."""

from __future__ import annotations

import hashlib
import re
from typing import cast
from urllib.parse import urldefrag, urljoin

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts.problems import ProblemKind

from services.chassis.database import Pool
from services.chassis.http import Health, Pools, new_app, open_to
from services.chassis.problems import BY_STATUS, Problem, problem, unavailable
from services.chassis.settings import ApiToken

POOL = cast(Pool, None)
"""No path of these tests reads."""
TITLES = {
    "bad-request": (400, "Bad Request"),
    "unauthorized": (401, "Unauthorized"),
    "forbidden": (403, "Forbidden"),
    "not-found": (404, "Not Found"),
    "method-not-allowed": (405, "Method Not Allowed"),
    "conflict": (409, "Conflict"),
    "body-too-large": (413, "Request Entity Too Large"),
    "internal-error": (500, "Internal Server Error"),
    "unavailable": (503, "Service Unavailable"),
    "not-ready": (503, "Not ready"),
}
ASKED = {
    "bad-request": ("GET", "/v1/commands/00000000-0000-0000-0000-000000000001?colour=red", "all"),
    "unauthorized": ("GET", "/v1/commands/1", ""),
    "forbidden": ("GET", "/v1/commands/1", "none"),
    "not-found": ("GET", "/v1/nowhere", ""),
    "method-not-allowed": ("POST", "/metrics", ""),
    "conflict": ("GET", "/v1/conflict", "all"),
    "body-too-large": ("POST", "/v1/large", "all"),
    "internal-error": ("GET", "/v1/fault", "all"),
    "unavailable": ("GET", "/v1/later", "all"),
    "not-ready": ("GET", "/health/ready", ""),
}


async def _not_yet() -> str | None:
    return "Not now."


@open_to("read:bookings")
async def _conflict(_: web.Request) -> web.StreamResponse:
    raise Problem(409, "Conflict", "It is so.")


@open_to("read:bookings")
async def _later(_: web.Request) -> web.StreamResponse:
    raise unavailable("Try again shortly.")


@open_to("read:bookings")
async def _large(request: web.Request) -> web.StreamResponse:
    return web.Response(body=await request.read())


@open_to("read:bookings")
async def _fault(_: web.Request) -> web.StreamResponse:
    raise ZeroDivisionError


def application() -> web.Application:
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("all", "none")}
    tokens = (
        ApiToken(name="all", token_sha256=hashes["all"], scopes=frozenset({"read:bookings"})),
        ApiToken(name="none", token_sha256=hashes["none"], scopes=frozenset()),
    )
    app = new_app(lambda: tokens, Pools(POOL, POOL), Health(_not_yet, _not_yet, _not_yet, _not_yet))
    app.router.add_get("/v1/conflict", _conflict)
    app.router.add_get("/v1/later", _later)
    app.router.add_post("/v1/large", _large)
    app.router.add_get("/v1/fault", _fault)
    return app


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("kind", ProblemKind)
async def test_the_type_of_a_problem_can_be_opened_where_it_came_from(kind: ProblemKind) -> None:
    method, path, token = ASKED[kind]
    async with TestClient(TestServer(application())) as client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = b"0" * (1 << 21) if method == "POST" else None
        refused = await client.request(method, path, headers=headers, data=body)
        document = await refused.json()
        page, fragment = urldefrag(urljoin(path, document["type"]))
        opened = await client.get(page)
        assert (opened.status, opened.content_type) == (200, "text/markdown")
        headings = re.findall(r"^### (\S+)$", await opened.text(), re.MULTILINE)
    assert fragment == kind
    assert fragment in headings
    assert (refused.status, document["title"]) == (document["status"], document["title"]) == TITLES[kind]
    assert document["detail"].endswith(".")


async def test_a_status_that_says_all_by_itself_has_no_type_of_its_own() -> None:
    assert set(BY_STATUS.values()) == set(ProblemKind) - {ProblemKind.NOT_READY}
    assert b'"type": "about:blank"' in bytes(cast(bytes, problem(417, "Expectation Failed", "It failed.").body))
