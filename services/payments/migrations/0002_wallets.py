"""Wallets, payouts, chargebacks, the reconciler's record."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0002"
down_revision = "payments_0001"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
