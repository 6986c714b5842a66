"""Schedules, the waitlist, and quotes for cancellations."""

from pathlib import Path

from services.chassis.migration import run_sql

revision = "booking_0002"
down_revision = "booking_0001"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql"))
