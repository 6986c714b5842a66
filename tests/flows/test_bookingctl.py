"""What an operator types, against a running system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from deploy.local.system import System


def bookingctl(env: Mapping[str, str], *arguments: str, code: int = 0) -> str:
    """Run the command with the stack's addresses; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "services.operations.cli", *arguments],
        env={**os.environ, **env, "COLUMNS": "240"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.requirement("operations-cli")
async def test_a_booking_and_its_saga_on_one_screen(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "quinn")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    await system.booking_in(command.booking_id, "CONFIRMED")
    shown = bookingctl(system.env, "booking", "show", str(command.booking_id))
    assert "CONFIRMED" in shown
    assert "booking.PlaceBooking.v1" in shown
    assert "authorized" in bookingctl(system.env, "saga", "show", str(command.booking_id))


@pytest.mark.requirement("operations-cli", "saga")
async def test_only_a_stuck_saga_is_retried_or_resolved(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "rosa")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    refusal = bookingctl(system.env, "saga", "retry", str(command.booking_id), code=1)
    assert "is not stuck" in refusal


@pytest.mark.requirement("operations-cli")
async def test_the_outbox_and_dead_letters_of_every_service(system: System) -> None:
    rows = json.loads(bookingctl(system.env, "outbox", "status", "--json"))
    assert [row["service"] for row in rows] == ["booking", "payments", "notifications"]
    assert all(row["leader"].endswith("-relay") for row in rows)
    for service in ("booking", "payments", "notifications"):
        assert isinstance(json.loads(bookingctl(system.env, "dead-letters", "list", service, "--json")), list)


@pytest.mark.requirement("operations-cli", "ledger")
async def test_a_bookings_money_line_by_line(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "sara")
    await system.accepted(command)
    await system.payment_in(command.booking_id, "captured")
    lines = json.loads(bookingctl(system.env, "payments", "statement", str(command.booking_id), "--json"))
    assert {line["account"] for line in lines} == {"stripe:clearing", f"escrow:{command.booking_id}"}
    assert sum(int(line["amount_minor"]) for line in lines) == 0
    assert json.loads(bookingctl(system.env, "payments", "waiting", "--json")) == []
