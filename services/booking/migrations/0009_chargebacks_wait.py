"""A saga waits for chargebacks without being stuck."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0009"
down_revision = "booking_0008"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
