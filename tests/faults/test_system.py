"""Processes die, freeze, come and go under load; Kafka and PostgreSQL are restarted. Afterwards everything adds up."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from booking_contracts.rights import SERVICES

from deploy.local.concurrently import concurrently
from services.chassis.crash_points import Point
from tests.faults.ordeal import Ordeal
from tests.faults.settings import LONG

FREEZE_SECONDS = 30 if LONG else 12
LOAD_SECONDS = 30 if LONG else 8

pytestmark = pytest.mark.timeout(1800 if LONG else 400)


@pytest.mark.requirement("outbox", "inbox", "saga", "ordering", "one-reply", "ledger", "overbooking-prevention")
async def test_without_faults_everything_adds_up(ordeal: Ordeal) -> None:
    facts = await ordeal.suffer("no faults", 2 * LOAD_SECONDS)  # a refund follows a capture, also where all is slow
    assert {booking.state for booking in facts.bookings} >= {"CONFIRMED", "CANCELLED_BY_CUSTOMER", "PAYMENT_FAILED"}
    assert any(intent.refunds for intent in facts.intents)
    assert facts.letters
    assert facts.line


@pytest.mark.requirement("health")
async def test_a_rolling_restart_loses_nothing_and_repeats_nothing(ordeal: Ordeal) -> None:
    def roll() -> None:
        for number in (1, 2):
            concurrently(ordeal.stack.restart, [f"{service}-{number}" for service in SERVICES])

    facts = await ordeal.suffer("rolling restart", LOAD_SECONDS, roll, faults=2 * len(SERVICES))
    ours = Counter(
        (record.topic, record.id) for record in facts.records if record.topic.endswith((".events", ".replies"))
    )
    assert [record for record, times in ours.items() if times > 1] == []
    assert [key for key, times in facts.calls.items() if times > 1] == []


BOTH = (1, 2)
"""Replicas lead the relay in turn, so that both come to its points."""
LOOPS = {"booking-1": f"{Point.AFTER_COMMIT}:3", "notifications-1": f"{Point.AFTER_COMMIT}:2"}
CALLS = {"payments-1": f"{Point.AFTER_ANSWER}:2", "notifications-2": f"{Point.AFTER_ANSWER}:2"}
SENDING = {f"booking-{number}": f"{Point.AFTER_PUBLISH}:2" for number in BOTH}
FORGETTING = {f"payments-{number}": f"{Point.AFTER_ACKNOWLEDGEMENT}:2" for number in BOTH}
DEATHS = [LOOPS, CALLS, SENDING, FORGETTING] if LONG else [LOOPS | CALLS, SENDING | FORGETTING]


@pytest.mark.requirement("outbox", "inbox", "bad-input")
@pytest.mark.parametrize("points", DEATHS, ids=lambda points: "+".join(points))
async def test_processes_die_between_two_steps(ordeal: Ordeal, points: dict[str, str]) -> None:
    where = ", ".join(sorted({at.split(":")[0] for at in points.values()}))
    await ordeal.suffer(f"dies {where}", LOAD_SECONDS, lambda: ordeal.crash(points), faults=len(points))


@pytest.mark.requirement("ordering")
async def test_a_third_replica_comes_and_goes_and_another_dies_while_it_gives_up_partitions(ordeal: Ordeal) -> None:
    added: list[str] = []

    def come() -> None:
        added.extend(ordeal.stack.add_replica(service) for service in ("booking", "payments"))

    def go() -> None:
        concurrently(ordeal.stack.remove_replica, added)

    points = {"booking-1": f"{Point.WHILE_REVOKING}:1"}
    die = lambda: ordeal.crash(points, provoke=come)  # noqa: E731
    await ordeal.suffer("a third replica, and a death", LOAD_SECONDS, die, go, faults=3)


@pytest.mark.requirement("outbox", "ordering")
async def test_replicas_are_killed_and_come_back(ordeal: Ordeal) -> None:
    def kill(name: str) -> None:
        ordeal.stack.stop_process(name, signal.SIGKILL)
        time.sleep(0.5)
        ordeal.stack.start_process(name)

    names = [f"{service}-2" for service in SERVICES]
    await ordeal.suffer("kill -9", LOAD_SECONDS, lambda: concurrently(kill, names), faults=len(names))


@pytest.mark.requirement("ordering")
async def test_frozen_replicas_go_on_as_zombies(ordeal: Ordeal) -> None:
    def freeze() -> None:
        for service in SERVICES:
            ordeal.stack.stop_process(f"{service}-1", signal.SIGSTOP)
        time.sleep(FREEZE_SECONDS)
        for service in SERVICES:
            ordeal.stack.stop_process(f"{service}-1", signal.SIGCONT)

    await ordeal.suffer(f"frozen for {FREEZE_SECONDS} s", FREEZE_SECONDS + 4, freeze, faults=len(SERVICES))


@pytest.mark.requirement("outbox")
async def test_kafka_is_killed_and_comes_back(ordeal: Ordeal) -> None:
    await ordeal.suffer("Kafka killed", LOAD_SECONDS + 6, lambda: ordeal.deal("Kafka killed"))


@pytest.mark.requirement("outbox", "transaction-atomicity")
async def test_postgresql_is_killed_and_comes_back(ordeal: Ordeal) -> None:
    await ordeal.suffer("PostgreSQL killed", LOAD_SECONDS, lambda: ordeal.deal("PostgreSQL killed"))
