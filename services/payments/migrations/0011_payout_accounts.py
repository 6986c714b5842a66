"""Payouts that wait for their provider's account, and transfers that were reversed."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0011"
down_revision = "payments_0010"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
