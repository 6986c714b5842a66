"""The console on a running system: replicas, groups and lag as Kafka has them (requirement console)."""

from __future__ import annotations

import json

import pytest
from aiokafka import AIOKafkaProducer
from booking_contracts.booking import BookingConfirmed
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from services.operations.console.kafka import WATCH, KafkaWatch, Seen
from tests.console.conftest import Visit, named, visit
from tests.flows.operators import bookingctl

__all__ = ["visit"]


@pytest.mark.requirement("console")
async def test_now_knows_who_runs_and_that_nothing_is_left_in_kafka(visit: Visit, system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "otto")
    await system.client.publish(command)
    await system.client.outcome(command.booking_id, BookingConfirmed)
    kafka = {"kafka_bootstrap_servers": system.env["KAFKA_BOOTSTRAP_SERVERS"]}
    otto = await visit("otto", databases=named(system.env), **kafka)

    async def page() -> str:
        return await otto.shown("/")

    shown = await eventually("Kafka was asked", page, lambda text: "<p>it answers</p>" in text)
    for service in SERVICES:
        assert f"{service}-1, {service}-2" in shown
        assert f"no replica of {service}" not in shown
    assert otto.client.app is not None
    seen = otto.client.app[WATCH].seen
    assert seen is not None
    groups = await otto.shown("/groups?service=booking")
    assert len(seen.readers["booking"]) == 2
    assert all(
        f"<td>{one.client_id}</td>" in groups and f"<td>{one.host}</td>" in groups for one in seen.readers["booking"]
    )
    stands = {one.partition: one for one in seen.standings["booking"] if one.topic == "booking.commands"}
    assert {one.verdict for one in stands.values()} == {"ok"}
    assert sum(one.position or 0 for one in stands.values()) > 0
    assert "booking.commands" in groups


@pytest.mark.requirement("console")
async def test_what_a_transaction_leaves_behind_is_no_lag(visit: Visit, system: System) -> None:
    """A producer's marker is no record, and no service will ever stand behind it: on the page and in `positions`."""
    reached = system.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=reached, transactional_id="console") as producer:
        for number in range(12):
            await producer.begin_transaction()
            await producer.send_and_wait("booking.commands", b"never seen", partition=number)
            await producer.abort_transaction()
    otto = await visit("otto", databases=named(system.env), kafka_bootstrap_servers=reached)
    assert otto.client.app is not None
    watch: KafkaWatch = otto.client.app[WATCH]

    async def records() -> Seen | None:
        return watch.seen

    def nothing_left(seen: Seen | None) -> bool:
        return seen is not None and {lag.records for lag in seen.lags["booking"].values()} == {0}

    await eventually("nothing is left", records, nothing_left, seconds=30)

    async def lags() -> set[int]:
        return {one["lag"] for one in json.loads(bookingctl(system.env, "positions", "show", "booking", "--json"))}

    await eventually("none is shown", lags, lambda found: found == {0}, seconds=30)
