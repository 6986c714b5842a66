"""`python -m tests.bench.pages`: how long the console's pages take beside a million bookings; the last line is JSON.

The pages are those that a browser walks (every_page), and lists at their longest: of a provider, a slot, a customer, of
the state that half of the bookings have, of 200,000 dead letters. Nobody books meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping

import aiohttp
import asyncpg
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.system import connected

from deploy.local.catalog import PARTS
from tests.bench.agreeing import agree
from tests.bench.runs import percentile
from tests.bench.system import own_stack
from tests.bench.years import database_of
from tests.console.browser.scenes import made
from tests.console.browser.walk import every_page, planted

SCALE, LETTERS, LOOKS = 1_000_000, 200_000, 20
SOMEBODY = "SELECT booking_id, provider_id, slot_id, customer_id FROM booking ORDER BY booking_id OFFSET $1 / 2 LIMIT 1"
COPIES = """
INSERT INTO dead_letter
SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'offset', n))).*
FROM dead_letter d, generate_series(1, $1::int) n WHERE d.id = (SELECT id FROM dead_letter ORDER BY id LIMIT 1)
"""


async def timed(env: Mapping[str, str], paths: Collection[str]) -> dict[str, dict[str, float]]:
    """ms of LOOKS looks at each page, by path; one operator looks, at one page after the other."""
    took: dict[str, list[float]] = {path: [] for path in paths}
    async with aiohttp.ClientSession(env["CONSOLE_URL"], cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post("/login", data={"token": env["CONSOLE_TOKEN"]}) as entered:
            entered.raise_for_status()
        for path in [*paths] * LOOKS:
            began = time.perf_counter()
            async with http.get(path, allow_redirects=False) as answer:
                await answer.read()
            took[path].append((time.perf_counter() - began) * 1000)
            assert answer.status < 500, f"{path}: {answer.status}"
    return {path: {"p50": percentile(found, 50), "longest": round(max(found), 1)} for path, found in took.items()}


async def longest(env: Mapping[str, str], scale: int) -> list[str]:
    """Paths of somebody who booked in the middle of so many, and of lists that have no end."""
    connection = await asyncpg.connect(env["AUDITOR_BOOKING_DATABASE_URL"])
    try:
        found = await connection.fetchrow(SOMEBODY, scale)
    finally:
        await connection.close()
    assert found is not None, f"there are no {scale} bookings"
    booking, provider, slot, customer = found
    return [
        *(f"/bookings/{booking}", f"/bookings?provider={provider}", f"/bookings?slot={slot}", "/bookings?order=oldest"),
        *(f"/bookings?customer={customer}", "/bookings?state=CONFIRMED", "/bookings?time=starts_at"),
        *(f"/search?q={booking}", f"/search?q={customer}", f"/week?provider={provider}", "/payments?status=captured"),
    ]


async def flood(env: Mapping[str, str], service: str, letters: int) -> None:
    """So many open dead letters more of one kind as the service has one of."""
    connection = await asyncpg.connect(database_of(env["POSTGRES_ADMIN_URL"], service), command_timeout=600)
    try:
        await connection.execute(COPIES, letters)
        await connection.execute("ANALYZE dead_letter")
    finally:
        await connection.close()


async def looked_at(env: Mapping[str, str], scale: int) -> dict[str, dict[str, float]]:
    """Every page of a running stack with so many bookings, slowest first."""
    async with connected(env) as system, planted(system, scene := await made(system)) as names:
        paths = [*every_page(scene, names), *await longest(env, scale), "/letters?service=booking&every=1"]
        await flood(env, "booking", LETTERS)
        found = await timed(env, dict.fromkeys(paths))
    return dict(sorted(found.items(), key=lambda item: -item[1]["p50"]))


async def _measure(env: Mapping[str, str]) -> dict[str, dict[str, float]]:
    for service in SERVICES:
        await agree(env["POSTGRES_ADMIN_URL"], service, SCALE)
    return await looked_at(env, SCALE)


def main() -> None:
    """Fill, look, print."""
    with own_stack(PARTS) as stack:
        found = asyncio.run(_measure(stack.env))
    for path, took in found.items():
        print(f"{took['p50']:8.1f} {took['longest']:8.1f}  {path}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
