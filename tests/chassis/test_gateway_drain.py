"""Calls in flight when the service stops: finished, or given back at once."""

from __future__ import annotations

import asyncio

import pytest
from booking_contracts.envelope import uuid7

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.messages import LocalBody
from services.chassis.unit_of_work import Call
from tests.chassis.harness import Engine


class Answered(LocalBody):
    """The outside world's answer."""


class Slow:
    """A gateway that answers some calls at once and others never."""

    def __init__(self, never: set[str]) -> None:
        self._never = never

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        if call.key in self._never:
            await asyncio.sleep(3600)
        return Answered()


async def intended(engine: Engine, key: str) -> Call:
    """A call as a batch has stored it: leased to this process."""
    call = Call(uuid7(), key, key, "op", "{}", key, None)
    await engine.fetch(
        """
        INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at)
        VALUES ($1, $2, $2, 'op', '{}', $2, '[]', clock_timestamp() + interval '30 s')
        """,
        call.id,
        key,
    )
    return call


@pytest.mark.requirement("retry-mechanism")
async def test_a_drained_worker_hands_in_what_was_answered_and_gives_the_rest_back(engine: Engine) -> None:
    worker = GatewayWorker(Slow(never={"hangs"}), engine.session, lambda: None)
    answered, hangs = await intended(engine, "answered"), await intended(engine, "hangs")
    worker.submit([answered, hangs])
    await asyncio.sleep(0)
    await worker.drain(0.2)
    late = await intended(engine, "late")
    worker.submit([late])
    await worker.drain(0.0)
    assert list(worker.results) == [answered.id]
    due = await engine.fetch(
        "SELECT key FROM gateway_call WHERE try_at <= clock_timestamp() AND tries = 0 ORDER BY key"
    )
    assert [row["key"] for row in due] == ["hangs", "late"]
