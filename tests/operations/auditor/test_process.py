"""`bookingctl audit run`, as compose and chart run it: found, kept, told, gone (requirements auditor, health)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts.testkit.waiting import eventually

from deploy.local.ports import free_ports
from services.chassis.database import Connection
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.record import Record
from tests.operations.auditor.conftest import Hand
from tests.operations.auditor.plants import PLANTS, UNKNOWN, booking
from tests.operations.conftest import Typed

pytestmark = pytest.mark.requirement("auditor", "operations-cli", "health")
FOUND = {planted.kind: planted for planted in PLANTS}
NOWHERE = "postgresql://auditor:auditor@127.0.0.1:1/nowhere"
Start = Callable[..., Coroutine[Any, Any, "Auditor"]]


class Auditor:
    """The process, and what it logs."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process, self._port = process, port

    async def logs(self, event: str, **of: object) -> dict[str, Any]:
        """The next line about that, with those fields."""
        assert self._process.stdout is not None, "it is a pipe"
        async with asyncio.timeout(30):
            while True:
                line: dict[str, Any] = json.loads(await self._process.stdout.readline())
                if line["event"] == event and of.items() <= line.items():
                    return line

    async def ready(self) -> tuple[int, str]:
        """Status and body of its health."""
        return await asyncio.to_thread(self._ready)

    def _ready(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health/ready", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, "it does not answer yet"

    async def exported(self) -> str:
        """Its metrics."""

        def ask() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())

        return await asyncio.to_thread(ask)

    async def stopped(self) -> int:
        """Its exit code after SIGTERM."""
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            return await self._process.wait()


@pytest.fixture
async def start(agreeing: dict[str, str]) -> AsyncIterator[Start]:
    """Starts one; `changes` are other addresses."""
    started: list[Auditor] = []

    async def begin(**changes: str) -> Auditor:
        (port,) = free_ports(1)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.operations.cli", "audit", "run", "--every", "1"),
            env={**os.environ, **agreeing, "HTTP_PORT": str(port), **changes},
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(Auditor(process, port))
        return started[-1]

    yield begin
    for one in started:
        assert await one.stopped() == 0


async def kept(operations: Connection, kind: Kind) -> list[Mapping[str, Any]]:
    rows = await operations.fetch(
        "SELECT subject, detail, ids FROM violation WHERE kind = $1 AND gone_at IS NULL", kind
    )
    return [dict(row) for row in rows]


BY_HAND = (Kind.SEATS, Kind.BOOKING_PAYMENT, Kind.HISTORY_STEP, Kind.POSTING, Kind.WALLET, Kind.STREAM_AHEAD)
"""Old rows, changed where no trigger runs and no time moves: one for each walk; the one of escrows sees the posting."""


@pytest.mark.requirement("observability")
async def test_what_is_planted_in_old_rows_is_found_within_half_a_minute_kept_and_gone(
    start: Start, hand: Hand, operations: Connection, agreeing: dict[str, str]
) -> None:
    running = await start()
    await eventually("it can look", running.ready, lambda found: found[0] == 200, seconds=30)
    for kind in BY_HAND:
        await hand(FOUND[kind].service, FOUND[kind].plant)
    told = {(await running.logs("violation"))["kind"] for _ in range(len(BY_HAND) + 1)}
    assert told == {*BY_HAND, Kind.ESCROW}
    posting = (await eventually("it is kept", lambda: kept(operations, Kind.POSTING), bool))[0]
    assert json.loads(posting["ids"])["transaction_id"] in posting["subject"]
    assert 'booking_auditor_violations{kind="seats"} 1.0' in await running.exported()

    for kind in BY_HAND:
        await hand(FOUND[kind].service, FOUND[kind].mend)
    gone = {(await running.logs("violation is gone"))["kind"] for _ in range(len(BY_HAND) + 1)}
    assert gone == told
    await eventually("all are gone", lambda: open_ones(operations), lambda found: not found)
    exported = await running.exported()
    assert 'booking_auditor_violations{kind="seats"} 0.0' in exported
    assert re.search(r'booking_auditor_work_seconds_total\{check="seats"\} [0-9.]+', exported)
    assert (await running.ready())[0] == 200

    typed = Typed(agreeing)
    listed = json.loads(await typed("audit list", "--gone", "--kind", "posting", "--json"))
    assert [one["gone_at"] is not None for one in listed] == [True]
    shown = json.loads(await typed("audit show", listed[0]["violation_id"], "--json"))
    assert shown["ids"] == json.loads(posting["ids"])
    assert json.loads(await typed("audit list", "--json")) == []
    await typed("audit show", UNKNOWN, code=1)


async def open_ones(operations: Connection) -> list[Any]:
    return await operations.fetch("SELECT kind, subject FROM violation WHERE gone_at IS NULL")


async def test_rows_that_are_gone_are_found_by_a_pass_at_once(start: Start, hand: Hand) -> None:
    running = await start()
    await eventually("it can look", running.ready, lambda found: found[0] == 200, seconds=30)
    await running.logs("looked at all")
    await hand("payments", f"CREATE TABLE kept AS SELECT * FROM payment WHERE booking_id = {booking(1)}")
    await hand("payments", f"DELETE FROM payment WHERE booking_id = {booking(1)}")
    try:
        await running.logs("rows are gone from a table that is never deleted from")
        found = await running.logs("violation", kind="booking_payment")
    finally:
        await hand("payments", "INSERT INTO payment SELECT * FROM kept; DROP TABLE kept")
    assert found["detail"] == "a CONFIRMED booking without a payment"
    await running.logs("violation is gone", kind="booking_payment")


async def test_without_a_database_it_is_not_ready_and_goes_on(start: Start) -> None:
    running = await start(AUDITOR_PAYMENTS_DATABASE_URL=f"{NOWHERE}?sslrootcert=/nowhere/ca.pem")
    for _ in range(2):
        await running.logs("could not look", look="Stripe")
    status, body = await running.ready()
    assert (status, "Stripe: the last look failed" in body) == (503, True)
    exported = await running.exported()
    assert 'booking_certificate_expiry_timestamp_seconds{file="/nowhere/ca.pem"} 0.0' in exported, "as if it had ended"
    assert "process_resident_memory_bytes" in exported


async def test_without_its_own_database_it_looks_on_and_says_so(start: Start, hand: Hand) -> None:
    running = await start(OPERATIONS_DATABASE_URL=NOWHERE)
    await running.logs("what is found cannot be kept")
    planted = FOUND[Kind.OFFER_OVERDUE]
    await hand(planted.service, planted.plant)
    try:
        await running.logs("violation", kind=planted.kind)
    finally:
        await hand(planted.service, planted.mend)
    assert "what is found cannot be kept" in (await running.ready())[1]
    assert "booking_auditor_unkept 1.0" in await running.exported()
    await running.logs("violation is gone", kind=planted.kind)


async def test_two_do_no_harm_and_one_takes_over_what_another_has_found(
    start: Start, hand: Hand, operations: Connection
) -> None:
    planted = FOUND[Kind.ESCROW]
    await hand(planted.service, planted.plant)
    await operations.execute(
        "INSERT INTO violation (kind, subject, detail, ids) SELECT 'escrow', id, 'as it was', jsonb_build_object("
        f"'booking_id', id) FROM (SELECT {booking(1)}::text AS id) of"
    )
    for running in (await start(), await start()):
        await eventually("it can look", running.ready, lambda found: found[0] == 200, seconds=30)
    (one,) = await eventually(
        "it is seen", lambda: kept(operations, Kind.ESCROW), lambda found: "by its entries" in found[0]["detail"]
    )
    assert json.loads(one["ids"])["account"] == f"escrow:{one['subject']}"
    await hand(planted.service, planted.mend)
    await eventually("it is gone", lambda: open_ones(operations), lambda found: not found)


async def test_what_came_and_went_between_two_writes_has_a_row(databases: dict[str, str]) -> None:
    record = Record(databases["OPERATIONS_DATABASE_URL"])
    one = Finding(Kind.SEATS, f"between {uuid4()}", "two seats of one", {})
    record.saw([one])
    record.well([one.key])
    await record.keep()
    await record.keep()
    await record.close()
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    rows = await connection.fetch("SELECT gone_at FROM violation WHERE subject = $1", one.subject)
    await connection.close()
    assert [row["gone_at"] is not None for row in rows] == [True]
