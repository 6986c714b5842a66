"""What an operator sees: one trace across Kafka, metrics that alerts stand on, JSON logs without secrets."""

from __future__ import annotations

import json
import statistics
import time

import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from deploy.local.stack import Stack

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
METRICS = {
    "booking_outbox_oldest_seconds",
    "booking_consumer_lag_records",
    "booking_batch_seconds_count",
    "booking_dead_letters_open",
    "booking_timer_lateness_seconds",
}


@pytest.mark.requirement("observability")
async def test_a_trace_goes_from_the_command_to_the_mail(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "otto")
    await system.client.publish(command, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    await system.client.outcome(command.booking_id, BookingConfirmed)
    await system.payment_in(command.booking_id, "captured")

    async def services() -> set[str]:
        return {received.envelope.source for received in system.client.received(command.booking_id)}

    await eventually("every service spoke", services, {"/booking", "/payments", "/notifications"}.issubset)
    for received in system.client.received(command.booking_id):
        assert received.envelope.traceparent is not None
        assert received.envelope.traceparent.split("-")[1] == TRACE, received.envelope.type


@pytest.mark.requirement("observability")
@pytest.mark.parametrize("service", SERVICES)
async def test_the_metrics_that_alerts_stand_on_are_there(system: System, service: str) -> None:
    async def names() -> set[str]:
        async with system.http.get(f"{system.env[f'{service.upper()}_URL']}/metrics") as response:
            lines = (await response.text()).splitlines()
        declared = {line.split()[2] for line in lines if line.startswith("# TYPE")}  # also those that have no row
        return declared | {line.partition("{")[0].partition(" ")[0] for line in lines if not line.startswith("#")}

    own = {
        "booking": {"booking_sagas_stuck"},
        "payments": {"booking_gateway_call_seconds"},
        "notifications": set[str](),
    }
    await eventually("metrics are sampled", names, (METRICS | own[service]).issubset)


@pytest.mark.requirement("health")
@pytest.mark.parametrize("service", SERVICES)
async def test_who_asks_whether_it_is_ready_does_not_wait_for_a_fetch(system: System, service: str) -> None:
    """Which waits half a second at the broker while there is nothing new, and keeps what comes behind it waiting."""
    took = []
    for _ in range(10):
        began = time.monotonic()
        async with system.http.get(f"{system.env[f'{service.upper()}_URL']}/health/ready") as answer:
            assert answer.status == 200, await answer.text()
        took.append(time.monotonic() - began)
    assert statistics.median(took) < 0.2, took


@pytest.mark.requirement("observability", "requires-action")
async def test_logs_are_json_and_hold_no_secret(system: System, running_stack: Stack) -> None:
    for service in ("booking", "payments", "notifications"):
        text = running_stack.log(f"{service}-1").read_text()
        for line in text.splitlines():
            assert {"event", "level", "timestamp"} <= json.loads(line).keys()
        for secret in ("_secret_", "pm_card", "sk_test", system.env["STRIPE_WEBHOOK_SECRET"]):
            assert secret not in text, f"{service}'s log holds {secret}"
