"""`python -m tests.bench.operations`: what auditor and console write to the database of operations, and how many
sessions the auditor has; the last line is JSON. On a PostgreSQL of its own, with nothing else going on.

WAL is counted by pg_wal_lsn_diff. No checkpoint comes between: it has no images of whole pages, which PostgreSQL adds
to the first write of a page after each.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
from booking_contracts.envelope import uuid7

from services.chassis.clock import SystemClock
from services.operations.auditor.all_checks import WALKS
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.record import Pass, Record
from services.operations.auditor.rounds import EVERY_SECONDS
from services.operations.console import operator_log
from services.operations.console.operator_log import Asked
from tests.bench.domain import database
from tests.bench.years import database_of

ACTS, FINDINGS, KEEPS = 2_000, 400, 50
DAY_SECONDS = 86_400
LISTENING_SECONDS = 40.0
SESSIONS = "SELECT datname, count(*) FROM pg_stat_activity WHERE application_name = 'auditor' GROUP BY datname"


class Measured:
    """WAL and bytes of tables, per one of many."""

    def __init__(self, admin: asyncpg.Connection[Any]) -> None:
        self._admin = admin

    async def wal(self, many: int, work: Callable[[], Awaitable[object]]) -> int:
        before = await self._admin.fetchval("SELECT pg_current_wal_insert_lsn()")
        await work()
        written = await self._admin.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)", before)
        return round(int(written) / many)

    async def size(self, table: str) -> int:
        """Bytes of a row, with its indexes."""
        await self._admin.execute(f"VACUUM ANALYZE {table}")
        found = await self._admin.fetchval(
            f"SELECT pg_total_relation_size($1::regclass) / greatest(1, (SELECT count(*) FROM {table}))", table
        )
        return int(found)


async def acts(operations: asyncpg.Connection[Any], many: int) -> None:
    """As the console keeps them: before, and after with what came of it."""
    for _ in range(many):
        entry, booking = uuid7(), uuid4()
        fields = {"booking_id": str(booking), "told": None}
        reason = "the customer has called and asked for it, ticket 4711"
        asked = Asked("ada", "booking-cancel", "booking", str(booking), booking, reason, fields)
        await operator_log.begin(operations, entry, asked)
        await operator_log.end(operations, entry, f"booking accepted it: CANCELLED_BY_ADMIN, command {uuid4()}")


def found(number: int) -> Finding:
    """One of the longer kinds."""
    booking, detail = uuid4(), "a CONFIRMED booking of 45.00 EUR, its payment holds 0.00 EUR"
    ids = {"booking_id": str(booking), "payment_id": str(uuid4())}
    return Finding(Kind.BOOKING_PAYMENT, f"{number} {booking}", detail, ids, booking, uuid4())


async def auditors_sessions(env: Mapping[str, str], admin: asyncpg.Connection[Any]) -> dict[str, int]:
    """The most that a running one has, by database."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.operations.cli", "audit", "run"),
        env={**os.environ, **env},
        stdout=asyncio.subprocess.DEVNULL,
    )
    most: dict[str, int] = {}
    for _ in range(int(LISTENING_SECONDS)):
        await asyncio.sleep(1)
        for row in await admin.fetch(SESSIONS):
            most[row["datname"]] = max(most.get(row["datname"], 0), row["count"])
    process.terminate()
    await process.wait()
    return most


async def measure(env: Mapping[str, str]) -> dict[str, Any]:
    """Of empty databases."""
    admin = await asyncpg.connect(database_of(env["POSTGRES_ADMIN_URL"], "operations"))
    operations = await asyncpg.connect(env["OPERATIONS_DATABASE_URL"])
    record, measured = Record(env["OPERATIONS_DATABASE_URL"]), Measured(admin)
    figures: dict[str, Any] = {}
    await acts(operations, ACTS)
    figures["act, WAL"] = await measured.wal(ACTS, lambda: acts(operations, ACTS))
    figures["act, bytes"] = await measured.size("operator_log")

    record.saw(found(number) for number in range(FINDINGS))
    figures["finding, WAL"] = await measured.wal(FINDINGS, record.keep)
    aged = (
        "UPDATE violation SET last_seen = last_seen - interval '1 minute', first_seen = first_seen - interval '1 hour'"
    )
    await admin.execute(aged)
    figures["open finding seen again, WAL"] = await measured.wal(FINDINGS, record.keep)
    record.well(list(record.open))
    figures["finding gone, WAL"] = await measured.wal(FINDINGS, record.keep)
    figures["finding, bytes"] = await measured.size("violation")

    record.passes = {walk.name: Pass(SystemClock().now(), after=str(uuid4())) for walk in WALKS}
    await record.keep()

    async def keeps() -> None:
        for _ in range(KEEPS):
            await record.keep()

    figures["where passes stand, WAL"] = await measured.wal(KEEPS, keeps)
    figures["the same, MB a day"] = round(figures["where passes stand, WAL"] * DAY_SECONDS / EVERY_SECONDS / 1e6, 1)
    await record.close()
    figures["sessions of the auditor"] = await auditors_sessions(env, admin)
    await operations.close()
    await admin.close()
    return figures


def main() -> None:
    """Measure, print."""
    with database() as stack:
        print(json.dumps(asyncio.run(measure(stack.env))))


if __name__ == "__main__":
    main()
