"""The example in TypeScript, as `make example-kafkajs` has built it, on a stack of its own."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from booking_contracts.booking import BookingConfirmed, CommandAccepted
from booking_contracts.client import BookingClient
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import provider_actor

from deploy.packages.build import ROOT
from tests.conftest import Stacks
from tests.packages.elsewhere import ran

BUILT = ROOT / "examples" / "kafkajs" / "dist" / "place.js"
SEATS, CUSTOMERS = 5, 7

pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="`make example-kafkajs` builds it, with npm, and runs this")


async def slot(client: BookingClient) -> tuple[str, str]:
    """A slot of SEATS seats: its offering and start."""
    provider_id, offering_id = uuid7(), uuid7()
    opened = sample.open_slot(offering_id=offering_id, actor=provider_actor(provider_id))
    for command in (
        sample.register_provider(provider_id=provider_id),
        sample.define_offering(provider_id=provider_id, offering_id=offering_id, capacity=SEATS),
        opened,
    ):
        reply = await client.ask(command, key=provider_id)
        assert isinstance(reply, CommandAccepted), reply
    return str(offering_id), opened.starts_at.isoformat()


@pytest.mark.requirement("packages")
async def test_every_command_of_a_compressed_batch_is_answered(stacks: Stacks) -> None:
    with stacks("kafkajs", fast=True) as stack:
        servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
        async with BookingClient(servers, source="/test") as client:
            offering_id, starts_at = await slot(client)
            settings = {"KAFKA_BOOTSTRAP_SERVERS": servers, "OFFERING_ID": offering_id, "STARTS_AT": starts_at}
            env = {**os.environ, **settings, "CUSTOMERS": str(CUSTOMERS), "KAFKAJS_NO_PARTITIONER_WARNING": "1"}

            said = await asyncio.to_thread(ran, ["node", str(BUILT)], ROOT, env)

            replies = [json.loads(line) for line in said.splitlines() if line.startswith('{"command_id"')]
            taken = [reply for reply in replies if reply["type"] == "booking.CommandAccepted.v1"]
            assert len(taken) == SEATS
            assert [reply["code"] for reply in replies if reply not in taken] == ["SLOT_FULL"] * (CUSTOMERS - SEATS)
            for reply in taken:
                await client.outcome(reply["booking_id"], BookingConfirmed, timeout_seconds=60)
