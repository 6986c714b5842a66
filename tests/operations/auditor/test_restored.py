"""What the auditor makes of databases that were set back under it (docs/operate/restore.md)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts.testkit.snapshots import keep_database, set_database_back
from booking_contracts.testkit.waiting import eventually

from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.recent import TABLES, Recent
from services.operations.auditor.record import Record
from services.operations.databases import OPERATIONS
from tests.operations.auditor.conftest import Hand
from tests.operations.auditor.plants import booking

pytestmark = pytest.mark.requirement("auditor")


async def test_what_is_wrong_is_written_again_and_what_was_wrong_then_is_looked_at_again(
    agreeing: dict[str, str],
) -> None:
    """The database of operations goes back under an auditor that goes on; one that starts afterwards takes it over."""
    mended, lasting = (Finding(Kind.SEATS, f"{name} {uuid4()}", "two seats of one", {}) for name in "ab")
    going_on = Record(agreeing["OPERATIONS_DATABASE_URL"])
    admin = await asyncpg.connect(agreeing["POSTGRES_ADMIN_URL"])
    going_on.saw([mended])
    await going_on.keep()
    await keep_database(admin, OPERATIONS)
    going_on.saw([lasting])
    going_on.well([mended.key])
    for _ in range(2):  # the copy has cost it its connection
        await going_on.keep()
    assert going_on.problem is None
    await set_database_back(admin, OPERATIONS)
    await admin.execute(f"DROP DATABASE {OPERATIONS}_snapshot")
    await admin.close()

    for _ in range(2):
        await going_on.keep()
    assert going_on.problem is None
    afterwards = Record(agreeing["OPERATIONS_DATABASE_URL"])
    await afterwards.keep()
    for record in (going_on, afterwards):
        assert {mended.key, lasting.key} <= record.open.keys()
        record.well([mended.key, lasting.key])
        await record.keep()
        await record.close()
    connection = await asyncpg.connect(agreeing["OPERATIONS_DATABASE_URL"])
    rows = await connection.fetch(
        "SELECT subject, gone_at FROM violation WHERE subject = ANY($1)", [mended.subject, lasting.subject]
    )
    await connection.close()
    assert {row["subject"]: row["gone_at"] is not None for row in rows} == {mended.subject: True, lasting.subject: True}


async def test_of_a_services_database_that_was_set_back_everything_is_looked_at(read: Databases, hand: Hand) -> None:
    """Its transactions have numbers again that were looked at before."""
    recent = Recent(read)

    async def round_() -> dict[str, Any]:
        recent.changed.clear()
        async for _ in recent.round():
            pass
        return {name: len(keys) for name, keys in recent.changed.items()}

    await round_()
    for known in recent._known.values():
        known.since += 1_000_000
    assert recent.deleted == set()
    await round_()
    assert recent.deleted == {key for table in TABLES for key in table.keys}
    await hand("booking", f"UPDATE saga SET step = step WHERE booking_id = {booking(1)}")

    async def seen() -> bool:  # PostgreSQL counts what was written a moment later
        return bool((await round_()).get("booking_id"))

    await eventually("what is written from then on", seen, bool)
