"""Refunds that an operator has paid outside Stripe."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0004"
down_revision = "payments_0003"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
