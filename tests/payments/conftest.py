"""Payments' engine on an empty database, Stripe's simulator in this process, and both together."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.payments.app import SERVICE
from stripe_simulator.simulator import Settings, Simulator
from tests.chassis.harness import Engine, SetClock
from tests.payments.till import StripeBench, Till

TABLES = (
    "consumed_position, inbox, command_receipt, outbox, local_message, dead_letter, blocked_key, gateway_call, "
    "payment, settlement, refund, payout, chargeback, wallet, wallet_command, top_up, withdrawal, withdrawal_part, "
    "ledger_entry, ledger_transaction, ledger_balance, stripe_event, reconciliation, dashboard_refund, "
    "provider_account, stripe_movement, stripe_total, stripe_difference, read_again"
)


@pytest.fixture
async def engine(databases: dict[str, str]) -> AsyncIterator[Engine]:
    """One replica, as the service's own role, on tables emptied by the superuser."""
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/payments")
    await admin.execute(f"SET session_replication_role = replica; TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
    await admin.execute("UPDATE stripe_sweep SET swept_until = NULL, try_at = now() - interval '1 hour'")
    await admin.execute("UPDATE reconciled_until SET until = NULL, try_at = now() - interval '1 hour'")
    await admin.execute("DELETE FROM comparison_state")
    await admin.execute("INSERT INTO comparison_state (try_at) VALUES (now() - interval '1 hour')")
    await admin.close()
    engine = Engine(databases["PAYMENTS_DATABASE_URL"], SetClock(), SERVICE)
    yield engine
    await engine.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[StripeBench]:
    """The simulator and a gateway to it; outcomes that come later never come."""
    offset_file = tmp_path / "offset"
    offset_file.write_bytes(struct.pack("<q", 0))
    simulator = Simulator(Settings(clock_offset_file=offset_file, outcome_delay_seconds=10**9))
    await simulator.start()
    bench = StripeBench(simulator, offset_file)
    yield bench
    await bench.close()
    await simulator.stop()


@pytest.fixture
async def till(engine: Engine, bench: StripeBench) -> AsyncIterator[Till]:
    """The engine, its calls made at the simulator."""
    timed = Engine(engine.session.url, bench.clock, SERVICE)
    pool = await asyncpg.create_pool(engine.session.url, min_size=1, max_size=4)
    assert pool is not None
    yield Till(timed, bench, pool)
    await pool.close()
    await timed.close()
