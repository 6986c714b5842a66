"""A flood of reads keeps no webhook waiting, and what waits too long is told to come again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from booking_contracts.testkit.waiting import eventually

from services.chassis.database import READS, open_pool
from services.chassis.http import Pools
from services.payments.stripe_calls.api import StripeApi
from tests.bench.asking import served, signed
from tests.chassis.harness import SetClock
from tests.payments.conftest import engine as engine

FLOOD = 100
CLOCK = SetClock()


@pytest.fixture
async def payments(databases: dict[str, str], stripe_api: StripeApi) -> AsyncIterator[TestClient[Any, Any]]:
    url = databases["PAYMENTS_DATABASE_URL"]
    pools = Pools(await open_pool(url, "reads", size=8, settings=READS), await open_pool(url, "writes", size=2))
    async with served("payments", pools, url, CLOCK, stripe_api) as client:
        yield client
    await pools.reads.close()
    await pools.writes.close()


@pytest.mark.requirement("webhooks")
@pytest.mark.usefixtures("engine")
async def test_a_webhook_does_not_wait_behind_a_flood_of_reads(
    payments: TestClient[Any, Any], databases: dict[str, str]
) -> None:
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/payments")
    slow = admin.transaction()
    await slow.start()
    await admin.execute("LOCK TABLE ledger_entry IN ACCESS EXCLUSIVE MODE")
    reads = [asyncio.create_task(payments.get("/v1/ledger")) for _ in range(FLOOD)]
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reads' AND wait_event_type = 'Lock'"
    watcher = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])  # a transaction sees one moment of the statistics

    async def all_held() -> bool:
        return int(await watcher.fetchval(held)) == 8

    await eventually("all connections for reads wait", all_held)
    await watcher.close()

    body, headers = signed(CLOCK)
    async with aiohttp.ClientSession() as stripe:  # not of the readers' connections
        began = time.monotonic()
        answer = await stripe.post(payments.make_url("/webhooks/stripe"), data=body, headers=headers)

    assert (answer.status, time.monotonic() - began < 1) == (200, True)
    assert not any(read.done() for read in reads), "the flood was over before the webhook"
    for refused in await asyncio.gather(*reads):
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert refused.content_type == "application/problem+json"
    await slow.rollback()
    await admin.close()
    assert (await payments.get("/v1/ledger")).status == 200


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/ledger?limit=0", "limit"),
        ("/v1/ledger?limit=201", "limit"),
        ("/v1/ledger?account=%00", "account"),
        ("/v1/ledger?cursor=e30=", "cursor"),
        ("/v1/ledger?cursor=MTAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", "cursor"),
    ],
)
async def test_what_cannot_be_read_is_a_bad_request(payments: TestClient[Any, Any], path: str, parameter: str) -> None:
    answer = await payments.get(path)
    assert (answer.status, (await answer.json())["detail"].partition(" ")[0]) == (400, parameter)
    assert (await payments.get("/v1/wallets/%00")).status == 404
