"""The health check of containers asks the service in its own container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.operations import probe

pytestmark = pytest.mark.requirement("health")


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[int]:
    """Something that answers /health/ready so; yields its port."""

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"detail": "the broker does not answer"}, status=status)

    app = web.Application()
    app.router.add_get("/health/ready", ready)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
async def test_it_ends_as_the_service_answers_and_says_why(
    status: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with answering(status) as port:
        monkeypatch.setenv("HTTP_PORT", str(port))
        assert await asyncio.to_thread(probe.main, "ready") == code
    assert "the broker does not answer" in capsys.readouterr().out
    assert await asyncio.to_thread(probe.main, "ready") == 1, "nobody answers any more"
    assert "no answer" in capsys.readouterr().out
