"""What waits is found: for a lost result, for a payout account, for a person."""

from pathlib import Path

from services.chassis.migration import run_indexes

revision = "payments_0010"
down_revision = "payments_0009"


def upgrade() -> None:
    run_indexes(Path(__file__).with_suffix(".indexes.sql"))
