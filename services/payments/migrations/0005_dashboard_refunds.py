"""Refunds that somebody made at Stripe, not by us."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0005"
down_revision = "payments_0004"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
