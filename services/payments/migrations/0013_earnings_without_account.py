"""Earnings that were released before there were payouts that wait for an account."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0013"
down_revision = "payments_0012"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
