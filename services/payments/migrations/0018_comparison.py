"""Stripe and the ledger are compared: what Stripe's balance did, how far we have come, what does not agree."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0018"
down_revision = "payments_0017"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
