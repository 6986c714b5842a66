"""What waits is found: for a lost result, for a payout account, for a person."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "payments_0009"
down_revision = "payments_0006"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
