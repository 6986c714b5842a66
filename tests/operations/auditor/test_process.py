"""`bookingctl payments reconcile --every`, which compose runs as the auditor (requirement operations-cli)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.ports import free_ports
from services.operations import metrics
from services.operations.watch import Watch
from tests.operations.test_agreement import plant

pytestmark = pytest.mark.requirement("operations-cli", "health")


async def test_a_look_that_fails_is_taken_again_and_health_tells() -> None:
    looks: list[Exception | list[Mapping[str, Any]]] = [[], ConnectionRefusedError("postgres"), []]

    async def look() -> list[Mapping[str, Any]]:
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    watch = Watch(60, look)
    said = [await watch.ready()]
    while looks:
        await watch.look_once()
        said.append(await watch.ready())

    failed = "the last look failed: ConnectionRefusedError('postgres')"
    assert said == ["nothing has been looked at yet", None, failed, None]


@pytest.mark.requirement("observability")
async def test_what_it_sees_and_when_it_looked_are_metrics() -> None:
    looks: list[Exception | list[Mapping[str, Any]]] = [[{"one": 1}, {"two": 2}], ConnectionRefusedError(), []]

    async def look() -> list[Mapping[str, Any]]:
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    watch, said = Watch(60, look), []
    while looks:
        await watch.look_once()
        said.append(
            [
                metrics.REGISTRY.get_sample_value(f"booking_auditor_{name}")
                for name in ("not_agreeing", "looked_timestamp_seconds")
            ]
        )
    assert [number for number, _ in said] == [2, 2, 0]
    assert said[0][1] == said[1][1], "it did not see all"
    assert time.time() - 60 < said[0][1] <= said[2][1]  # type: ignore[operator]


async def test_a_fault_of_ours_is_not_looked_over() -> None:
    async def look() -> list[Mapping[str, Any]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Watch(60, look).go_on()


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


async def auditor(env: Mapping[str, str]) -> Auditor:
    (port,) = free_ports(1)
    command = ["-m", "services.operations.cli", "payments", "reconcile", "--every", "1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env={**os.environ, **env, "HTTP_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    return Auditor(process, port)


async def test_what_does_not_agree_is_logged_once_and_so_is_its_end(databases: dict[str, str]) -> None:
    orphan = uuid4()
    writer = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/payments")
    await writer.execute("SET session_replication_role = replica")  # no row of payments can be deleted otherwise
    running = await auditor(databases)
    await running.logs("looked")
    assert (await running.ready())[0] == 200

    await plant(writer, orphan)
    found = await running.logs("does not agree", booking_id=str(orphan))
    first = await running.logs("looked")
    again = await running.logs("looked")
    await writer.execute("DELETE FROM payment WHERE booking_id = $1", orphan)
    gone = await running.logs("agrees again", booking_id=str(orphan))

    assert "booking_auditor_not_agreeing" in await running.exported()
    assert (found["level"], found["detail"]) == ("error", "the payment's booking is not there")
    assert first["not_agreeing"] == again["not_agreeing"] > 0
    assert gone["level"] == "info"
    assert (await running.ready())[0] == 200, "it can look, whatever it sees"
    assert await running.stopped() == 0
    await writer.close()


async def test_without_a_database_it_is_not_ready_and_goes_on(databases: dict[str, str]) -> None:
    nowhere = "postgresql://auditor:auditor@127.0.0.1:1/payments"
    running = await auditor({**databases, "AUDITOR_PAYMENTS_DATABASE_URL": nowhere})

    for _ in range(2):
        await running.logs("could not look")

    status, body = await running.ready()
    assert (status, "the last look failed" in body) == (503, True)
    assert await running.stopped() == 0
