"""What only a process knows is asked of those that are named (requirement console)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.operations.console.reads.processes import Replica, replicas
from tests.console.conftest import Visit

METRICS = """\
# TYPE booking_stripe_circuit_open gauge
booking_stripe_circuit_open {circuit}.0
# TYPE booking_build_info gauge
booking_build_info{{version="1.2.3"}} 1.0
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1935655200.0
"""
OF_BUILD: dict[str, Any] = {"version": "1.2.3", "since": datetime(2031, 5, 4, 10, tzinfo=UTC)}


async def ready(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def stops(_: web.Request) -> web.Response:
    return web.json_response({"detail": "the service stops"}, status=503)


def replica(health: object, circuit: int) -> TestServer:
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=METRICS.format(circuit=circuit))

    app = web.Application()
    app.router.add_get("/health/ready", health)  # type: ignore[arg-type]
    app.router.add_get("/metrics", metrics)
    return TestServer(app)


@pytest.mark.requirement("console")
async def test_each_replica_says_how_it_is_and_one_that_is_gone_hides_no_other(visit: Visit) -> None:
    async with replica(ready, 1) as well, replica(stops, 0) as stopping:
        first, second = (str(one.make_url("")).rstrip("/") for one in (well, stopping))
        gone = "http://127.0.0.1:1"
        named = {"payments": (first, gone), "booking": (second,)}
        assert await replicas(named) == [
            Replica("payments", first, None, circuit_open=True, **OF_BUILD),
            Replica("payments", gone, "it does not answer"),
            Replica("booking", second, "the service stops", **OF_BUILD),
        ]
        shown = await (await visit("vera", console_services=named)).shown("/")
        assert "its circuit to Stripe is open" in shown
        assert "the service stops" in shown
