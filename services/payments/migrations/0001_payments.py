"""Payments, settlements, refunds, the ledger, Stripe's events, and the engine's tables."""

from pathlib import Path

from services.chassis.migration import ENGINE_SQL, run_sql

revision = "payments_0001"
down_revision = None


def upgrade() -> None:
    run_sql(ENGINE_SQL / "0001_engine.sql")
    run_sql(Path(__file__).with_suffix(".sql"))
