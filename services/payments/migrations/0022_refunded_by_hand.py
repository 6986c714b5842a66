"""What of a payment's loss was a refund made at Stripe, and no chargeback."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0022"
down_revision = "payments_0021"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
