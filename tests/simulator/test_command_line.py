"""The simulator as its own process."""

import asyncio
import struct
import sys
from pathlib import Path

import aiohttp
import pytest

from stripe_simulator.__main__ import settings_from
from stripe_simulator.clock import Clock


async def test_it_listens_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stripe_simulator", "--port", "0", "--control-port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    _, api, _, control = (await process.stdout.readline()).decode().split()
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_test_1"}) as http:
        async with http.get(f"{api}/v1/balance") as answer:
            assert (await answer.json())["object"] == "balance"
        async with http.get(f"{control}/health") as answer:
            assert answer.status == 200
    process.terminate()
    assert await process.wait() == 0


def test_webhook_events_narrow_what_is_delivered() -> None:
    arguments = ["--port", "1", "--control-port", "2", "--webhook-url", "http://x/", "--webhook-secret", "whsec_1"]
    endpoint = settings_from(arguments).endpoint
    assert endpoint is not None
    assert endpoint.event_types is None
    endpoint = settings_from([*arguments, "--webhook-events", "refund.failed,refund.updated"]).endpoint
    assert endpoint is not None
    assert endpoint.event_types == frozenset({"refund.failed", "refund.updated"})


def test_the_clock_follows_its_file_and_never_goes_back(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_bytes(struct.pack("<q", 1_000))
    clock = Clock(offset)
    real, before = Clock(), clock.now()
    assert before - real.now() == pytest.approx(1_000, abs=1)

    with offset.open("r+b") as file:
        file.write(struct.pack("<q", -1_000))
    assert clock.now() == before


def test_a_clock_file_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "offset").write_bytes(b"\0")
    with pytest.raises(ValueError, match="8 bytes"):
        Clock(tmp_path / "offset")
