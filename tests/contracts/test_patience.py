"""Waiting ends in time, whatever the work does with its cancellation."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from booking_contracts import patience
from booking_contracts.patience import ended, within


async def deaf() -> None:
    """As aiokafka's fetcher: a cancellation is taken for that of what it waits for."""
    for _ in range(20):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.2)


async def test_work_that_does_not_hear_its_cancellation_is_left_behind() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await within(0.05, deaf())
    assert time.monotonic() - began < 1


async def test_what_goes_on_after_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "AGAIN_SECONDS", 0.05)
    rounds: list[int] = []

    async def goes_on() -> None:
        """A loop whose connection breaks while it is cancelled: that error takes the cancellation's place."""
        while True:
            try:
                try:
                    await asyncio.sleep(60)
                finally:
                    rounds.append(1)
                    if len(rounds) == 1:
                        raise ConnectionError
            except ConnectionError:
                continue

    async def fails() -> None:
        raise ValueError("its own")

    task = asyncio.ensure_future(goes_on())
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await ended(task, asyncio.ensure_future(fails()))
    assert task.cancelled()
    assert len(rounds) == 2


async def test_who_is_cancelled_while_waiting_does_not_wait() -> None:
    waiting = asyncio.ensure_future(within(60, deaf()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began < 1


async def test_what_comes_in_time_comes_through() -> None:
    async def fails() -> None:
        raise ValueError("its own")

    assert await within(5, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ValueError, match="its own"):
        await within(5, fails())
