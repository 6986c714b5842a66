"""What the console does through Kafka, against a running system (requirement console)."""

from __future__ import annotations

import pytest
from booking_contracts.testkit.system import System

from tests.console.acting import do
from tests.console.conftest import Visit, named, visit

__all__ = ["visit"]


@pytest.mark.requirement("console", "actors", "history-tracking")
async def test_an_operator_cancels_a_booking_as_an_admin_and_sees_the_answer(system: System, visit: Visit) -> None:
    """Acts on databases alone are tested there: this one is a command, whose answer comes over Kafka."""
    studio = await system.studio()
    command = system.place(studio, "otilie")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    await system.booking_in(command.booking_id, "CONFIRMED")
    servers = system.env["KAFKA_BOOTSTRAP_SERVERS"]
    otto = await visit("otto", databases=named(system.env), kafka_bootstrap_servers=servers)
    told = {"told": "the studio is flooded"}

    said = await do(otto, "booking-cancel", booking_id=command.booking_id, asked=told)

    assert "booking accepted it: CANCELLED_BY_ADMIN" in said
    await system.booking_in(command.booking_id, "CANCELLED_BY_ADMIN")
    history = (await system.get("booking", f"/v1/bookings/{command.booking_id}/history"))["items"]
    assert (history[-1]["actor"], history[-1]["reason"]) == ({"kind": "admin", "id": "otto"}, told["told"])
    again = await do(otto, "booking-cancel", status=409, booking_id=command.booking_id)
    assert "booking refused it, ALREADY_CANCELLED" in again
