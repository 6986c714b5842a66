"""`bookingctl console` as somebody starts it (requirement console)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE

import aiohttp
import pytest

from deploy.local.ports import free_ports
from tests.console.conftest import SECRET, sha256
from tests.operations.conftest import Typed

PATIENCE_SECONDS = 60


@pytest.mark.requirement("console")
async def test_it_serves_without_any_database_and_ends_when_it_is_told() -> None:
    port, metrics = free_ports(2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith("_DATABASE_URL")},
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "METRICS_PORT": str(metrics),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "CONSOLE_TOKENS": json.dumps([{"name": "vera", "token_sha256": sha256("vera"), "roles": ["viewer"]}]),
        "CONSOLE_SESSION_SECRETS": json.dumps([SECRET]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.operations.cli", "console", env=environment, stdout=PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            while True:
                try:
                    async with client.get("/health/live") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectorError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
            async with client.get("/") as answer:
                assert "Your token of the console" in await answer.text()
            async with client.get(f"http://127.0.0.1:{metrics}/metrics") as answer:
                assert "process_resident_memory_bytes" in await answer.text()
            async with client.get("/metrics") as answer:
                assert answer.status == 404
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.requirement("console")
async def test_what_is_missing_is_a_sentence() -> None:
    said = await Typed({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "CONSOLE_SESSION_SECRETS": "[]"})("console", code=2)
    assert "CONSOLE_SESSION_SECRETS" in said
